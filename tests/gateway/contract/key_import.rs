//! Keys of any format from a file: imported whole, refused line by line, never half.

use crate::support::{Config, Gateway, Upstream, assert_error, get};
use std::fs;

fn import(gateway: &Gateway, text: &str) -> crate::support::gateway::CommandOutput {
    let file = gateway.home().path("import.txt");
    fs::write(&file, text).unwrap();
    let arguments =
        ["keys", "import", file.to_str().unwrap(), "--plan", "free", "--permission", "items:read"];
    gateway.home().run(&arguments)
}

#[test]
fn imported_keys_are_good_at_once_with_their_plan_and_permission() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["3 per day"]).endpoint(
        "GET",
        "/items/{id}",
        "permission = \"items:read\"",
    );
    let gateway = Gateway::start(&config);
    let output = import(&gateway, "legacy-one\nsk_live_51H8:colon/slash+plus=\n\nwindows\r\n");
    assert_eq!(output.code, Some(0), "{output:?}");
    for key in ["legacy-one", "sk_live_51H8:colon/slash+plus=", "windows"] {
        let answer = gateway.send(&get("/items/7").header("X-API-Key", key));
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        assert_eq!(answer.number("X-Rate-Limit-Remaining"), 2, "{key}");
    }
    assert!(
        !output.out.contains("legacy-one") && !output.err.contains("legacy-one"),
        "a key was shown: {output:?}"
    );
}

#[test]
fn a_line_that_does_not_fit_the_pattern_is_named_and_its_key_not_taken() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[keys]\npattern = \"[A-Za-z0-9]{6}\"");
    let gateway = Gateway::start(&config);
    let output = import(&gateway, "abc123\nnot-this\nabc124\nabc12\n");
    assert_ne!(output.code, Some(0), "{output:?}");
    let printed = format!("{}{}", output.out, output.err);
    assert!(printed.contains('2') && printed.contains('4'), "the lines are not named: {output:?}");
    let answer = gateway.send(&get("/items/7").header("X-API-Key", "not-this"));
    assert_error(&gateway, &answer, 400, "KEY_FORMAT_INCORRECT");
}

#[test]
fn to_import_twice_changes_nothing_for_the_keys() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["3 per day"]));
    assert_eq!(import(&gateway, "legacy-one\n").code, Some(0));
    let send = || gateway.send(&get("/a").header("X-API-Key", "legacy-one"));
    assert_eq!(send().number("X-Rate-Limit-Remaining"), 2);
    import(&gateway, "legacy-one\n");
    assert_eq!(send().number("X-Rate-Limit-Remaining"), 1, "the import gave used units back");
}

#[test]
fn a_missing_file_is_reported() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let output = gateway.home().run(&["keys", "import", "/nowhere/keys.txt", "--plan", "free"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.err.contains("/nowhere/keys.txt"), "{output:?}");
}

#[test]
fn ten_thousand_keys_are_imported_while_the_gateway_runs() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let lines: String = (0..10_000).map(|n| format!("legacy-{n:05}\n")).collect();
    let output = import(&gateway, &lines);
    assert_eq!(output.code, Some(0), "{output:?}");
    for n in [0, 4_999, 9_999] {
        let answer = gateway.send(&get("/a").header("X-API-Key", &format!("legacy-{n:05}")));
        assert_eq!(answer.status, 200, "{n}");
    }
}
