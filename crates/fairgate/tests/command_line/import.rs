//! `keys import`.

use crate::fixture::{Site, with_and_without_gateway};
use serde_json::json;
use std::fs;

const IMPORT: [&str; 5] = ["keys", "import", "old.txt", "--plan", "free"];

fn import(site: &Site, content: &[u8], more: &[&str]) -> crate::fixture::Run {
    fs::write(site.path("old.txt"), content).unwrap();
    site.run(&[&IMPORT, more].concat())
}

fn count(site: &Site) -> usize {
    site.json(&["keys", "list", "--json"]).as_array().unwrap().len()
}

#[test]
fn keys_of_any_format_are_imported_and_can_be_revoked_by_themselves() {
    with_and_without_gateway(|site, gateway| {
        let content = b"\xef\xbb\xbf# our old keys\r\nsk_live_1234567890\r\n\r\n#begins-with-a-hash\n#\n!\nlast-without-end";
        let said = import(site, content, &["--permission", "items:read", "--name", "old"]).fine();
        assert_eq!(said, "Imported 4 keys.\n");
        let keys = site.json(&["keys", "list", "--json"]);
        let mut previews: Vec<_> =
            keys.as_array().unwrap().iter().map(|key| key["preview"].as_str().unwrap()).collect();
        previews.sort();
        assert_eq!(previews, ["#beg…", "last…", "sk_l…", "…"]);
        assert!(keys[0]["imported"] == true && keys[0]["name"] == "old");
        let said = site.run_with_input(&["keys", "revoke", "-"], b"#begins-with-a-hash\n").fine();
        assert!(said.starts_with("Revoked"));
        assert!(gateway.is_none_or(|gateway| gateway.told().len() == 5));
    });
}

#[test]
fn every_fault_is_told_with_its_line_and_nothing_is_imported() {
    with_and_without_gateway(|site, _| {
        assert_eq!(import(site, b"known-key\n", &[]).code, 0);
        let long = "x".repeat(513);
        let content =
            format!("good-1\ntwo words\n\nknown-key\ngood-1\n{long}\nk\u{e4}se\n{}\n", "x".repeat(512));
        let run = import(site, content.as_bytes(), &[]);
        run.refused(1, "5 of 7 keys cannot be imported");
        let lines: Vec<_> = run.err.lines().collect();
        for (line, (at, why)) in lines.iter().zip([
            (2, "without spaces"),
            (4, "exists already as key_"),
            (5, "is already on line 1"),
            (6, "longer than 512 bytes"),
            (7, "visible ASCII"),
        ]) {
            assert!(line.starts_with(&format!("old.txt:{at}: ")) && line.contains(why), "{line}");
        }
        assert!(!run.err.contains("known-key") && !run.err.contains("good-1"), "keys are not repeated");
        assert_eq!(count(site), 1);
        let run = import(site, content.as_bytes(), &["--skip-bad"]);
        assert_eq!((run.code, run.out.as_str()), (0, "Imported 2 keys. 5 were skipped.\n"));
        assert_eq!(count(site), 3);
    });
}

#[test]
fn json_tells_lines_and_reasons() {
    let site = Site::new();
    let run = import(&site, b"good\nnot good\n", &["--json"]);
    assert_eq!(run.code, 1);
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&told["imported"], &told["refused"][0]["line"]), (&json!(0), &json!(2)));
    let run = import(&site, b"good\nnot good\n", &["--json", "--skip-bad"]);
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &told["imported"]), (0, &json!(1)));
}

#[test]
fn the_pattern_must_fit_the_whole_key() {
    let site = Site::new();
    site.configure("[keys]\npattern = \"[a-z]{4}|[a-z]{6}\"");
    let run = import(&site, b"abcd\nabcdef\nabcde\n1abcd\nabcd1\n", &[]);
    run.refused(1, "3 of 5");
    for line in [3, 4, 5] {
        assert!(run.err.contains(&format!("old.txt:{line}: does not fit `[keys] pattern`")), "{}", run.err);
    }
}

#[test]
fn many_keys_go_in_at_once() {
    with_and_without_gateway(|site, gateway| {
        let content: String = (0..25_000).map(|number| format!("key-number-{number}\n")).collect();
        assert_eq!(import(site, content.as_bytes(), &[]).fine(), "Imported 25000 keys.\n");
        assert_eq!(count(site), 25_000);
        assert!(gateway.is_none_or(|gateway| gateway.told().len() == 25_000));
    });
}

#[test]
fn a_file_of_nothing_but_a_line_without_end_is_refused_not_swallowed() {
    let site = Site::new();
    let run = import(&site, &vec![b'x'; 40 << 20], &[]);
    run.refused(1, "old.txt:1: longer than 512 bytes");
    let run = import(&site, &vec![0; 1 << 20], &[]);
    run.refused(1, "old.txt:1: longer than 512 bytes");
}

#[test]
fn standard_input_is_a_file_and_a_missing_file_is_told() {
    let site = Site::new();
    let run = site.run_with_input(&["keys", "import", "-", "--plan", "free"], b"abcdef\n");
    assert_eq!(run.fine(), "Imported 1 key.\n");
    site.run(&["keys", "import", "none.txt", "--plan", "free"]).refused(1, "cannot read none.txt");
    site.run(&["keys", "import", ".", "--plan", "free"]).refused(1, "cannot read .");
    assert_eq!(import(&site, b"", &[]).fine(), "Imported 0 keys.\n");
    import(&site, b"x\n", &["--permission", ""]).refused(1, "permission");
}

#[test]
fn a_file_of_another_form_is_refused_as_a_whole() {
    with_and_without_gateway(|site, _| {
        for (content, why) in [
            (&b"\xff\xfek\0e\0y\0\n\0"[..], "UTF-16"),
            (b"[\n  \"abcdef\",\n  \"ghijkl\"\n]\n", "JSON"),
            (b"[\"abcdef\"]", "JSON"),
            (b"{\"key\": \"abcdef\"}", "JSON"),
            (b"id,key,plan\n1,abcdef,free\n", "CSV"),
            (b"# old keys\n\"API_KEY\"\nabcdef\n", "CSV"),
        ] {
            let run = import(site, content, &[]);
            run.refused(1, why);
            assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        }
        import(site, b"two words\n", &[]).refused(1, "the only key cannot be imported");
        assert_eq!(count(site), 0);
    });
}
