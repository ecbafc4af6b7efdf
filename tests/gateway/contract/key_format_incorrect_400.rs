//! 400 `KEY_FORMAT_INCORRECT`: what was sent as the key cannot be a key.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get};
use std::fs;

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (400, "KEY_FORMAT_INCORRECT"), |stage| {
        stage.gateway.send(&get("/items/7").header("X-API-Key", &stage.key.key[..20]))
    })
}

/// The same key with its last character exchanged.
pub fn mistyped(key: &str) -> String {
    let last = if key.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &key[..key.len() - 1])
}

#[test]
fn a_truncated_extended_or_mistyped_key_is_detected() {
    let stage = stage();
    let key = &stage.key.key;
    let wrong = [
        key[..key.len() - 1].to_owned(),
        format!("{key}0"),
        mistyped(key),
        key.replace("fg_", "fh_"),
        key.to_lowercase(),
        format!("\"{key}\""),
        format!("{key} {key}"),
        format!("{key},{key}"),
        "fg_".to_owned(),
        "x".to_owned(),
        "x".repeat(10_000),
        "k\u{e9}y".to_owned(),
        "<your key>".to_owned(),
    ];
    for wrong in wrong {
        let answer = stage.gateway.send(&get("/items/7").header("X-API-Key", &wrong));
        assert_error(&stage.gateway, &answer, 400, "KEY_FORMAT_INCORRECT");
        assert!(wrong.len() < 12 || !answer.text().contains(&wrong), "the response repeats a possible key");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn white_space_around_a_key_is_not_part_of_it() {
    let stage = stage();
    let answer = stage.gateway.send(&get("/items/7").header("X-API-Key", &format!("  {}\t", stage.key.key)));
    assert_eq!(answer.status, 200);
}

#[test]
fn the_same_key_header_twice_is_no_key() {
    let stage = stage();
    let answer = stage.send(get("/items/7").key(&stage.key));
    assert_error(&stage.gateway, &answer, 400, "KEY_FORMAT_INCORRECT");
}

#[test]
fn a_wrong_format_is_reported_wherever_the_key_is_sent() {
    let stage = stage();
    // base64 of "nonsense:" and ":nonsense"
    for value in ["Bearer nonsense", "bearer nonsense", "Basic bm9uc2Vuc2U6", "Basic Om5vbnNlbnNl"] {
        let answer = stage.gateway.send(&get("/items/7").header("Authorization", value));
        assert_error(&stage.gateway, &answer, 400, "KEY_FORMAT_INCORRECT");
    }
}

#[test]
fn a_pattern_defines_the_format_of_imported_keys() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[keys]\npattern = \"[A-Za-z0-9]{12}\"");
    let gateway = Gateway::start(&config);
    let send = |key: &str| gateway.send(&get("/items/7").header("X-API-Key", key));
    // It matches the pattern, so it could be a key: unknown, not of a wrong format.
    assert_error(&gateway, &send("abcdef123456"), 403, "KEY_NOT_VALID");
    for wrong in ["abcdef12345", "abcdef1234567", "abcdef 12345", "abcdef-12345", "xabcdef123456"] {
        assert_error(&gateway, &send(wrong), 400, "KEY_FORMAT_INCORRECT");
    }
    // A key issued by Fairgate is valid whatever the pattern.
    assert_eq!(send(&gateway.key().key).status, 200);
}

#[test]
fn without_a_pattern_any_text_could_be_a_key_once_keys_were_imported() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let send = |key: &str| gateway.send(&get("/items/7").header("X-API-Key", key));
    assert_error(&gateway, &send("legacy-other"), 400, "KEY_FORMAT_INCORRECT");
    let file = gateway.home().path("legacy.txt");
    fs::write(&file, "legacy-one\n").unwrap();
    gateway.run(&["keys", "import", file.to_str().unwrap(), "--plan", "free", "--permission", "items:read"]);
    assert_error(&gateway, &send("legacy-other"), 403, "KEY_NOT_VALID");
    assert_eq!(send("legacy-one").status, 200);
}
