//! 403 `KEY_NOT_VALID`: the key is well-formed, but was never issued. (401 under `rfc9110`.)

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, limits::assert_no_limit_headers};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (403, "KEY_NOT_VALID"), |stage| {
        stage.gateway.send(&get("/items/7").header("X-API-Key", &unknown()))
    })
}

/// A well-formed key that was never issued.
pub fn unknown() -> String {
    let mut byte = 0_u8;
    contract::key::generate(|| {
        byte = (byte + 7) % 248;
        byte
    })
}

#[test]
fn an_unknown_key_is_refused_wherever_it_is_sent() {
    let stage = stage();
    for (name, value) in [("X-API-Key", unknown()), ("Authorization", format!("Bearer {}", unknown()))] {
        let answer = stage.gateway.send(&get("/items/7").header(name, &value));
        assert_error(&stage.gateway, &answer, 403, "KEY_NOT_VALID");
        assert_no_limit_headers(&answer);
        assert!(!answer.text().contains(&unknown()), "the response repeats the key");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn the_key_of_another_gateway_is_unknown() {
    let stage = stage();
    let upstream = Upstream::sample();
    let other = Gateway::start(&Config::of(&upstream));
    assert_error(&other, &other.send(&get("/items/7").key(&stage.key)), 403, "KEY_NOT_VALID");
}

#[test]
fn no_key_is_written_to_the_log() {
    let stage = stage();
    let id = |answer: &crate::support::Answer| answer.header("X-Request-Id").unwrap().to_owned();
    let refused = stage.provoke().answer;
    let good = stage.succeed();
    let bearer = get("/items/7").header("Authorization", &format!("Bearer {}", stage.key.key));
    let bearer = stage.gateway.send(&bearer);
    for answer in [&refused, &good, &bearer] {
        stage.gateway.logged(&id(answer));
    }
    let log = stage.gateway.log();
    assert!(!log.contains(&unknown()) && !log.contains(&stage.key.key), "{log}");
    assert_eq!(stage.gateway.logged(&id(&good))["key"], stage.key.id.as_str());
    assert_eq!(stage.gateway.logged(&id(&refused))["code"], "KEY_NOT_VALID");
}
