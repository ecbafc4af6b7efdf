//! 403 `KEY_REVOKED`: at once, also on connections that are open. (401 under `rfc9110`.)

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, limits::assert_no_limit_headers};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (403, "KEY_REVOKED"), |stage| {
        let revoked = stage.gateway.key();
        stage.gateway.run(&["keys", "revoke", &revoked.id]);
        stage.gateway.send(&get("/items/7").key(&revoked))
    })
}

#[test]
fn a_revocation_holds_at_once_on_an_open_connection() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let (key, other) = (gateway.key(), gateway.key());
    // A connection for each data thread, and some more.
    let mut connections: Vec<_> = (0..6).map(|_| gateway.connect()).collect();
    for connection in &mut connections {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    }
    gateway.run(&["keys", "revoke", &key.id]);
    for connection in &mut connections {
        let answer = connection.send(&get("/items/7").key(&key));
        assert_error(&gateway, &answer, 403, "KEY_REVOKED");
        assert_no_limit_headers(&answer);
        assert_eq!(connection.send(&get("/items/7").key(&other)).status, 200);
    }
    assert_eq!(upstream.count(), 12);
}

#[test]
fn a_revoked_key_is_refused_at_its_limits_too_and_revoking_twice_changes_nothing() {
    let stage = stage();
    let revoked = stage.gateway.key();
    stage.gateway.run(&["keys", "revoke", &revoked.id]);
    assert_error(&stage.gateway, &stage.gateway.send(&get("/_limits").key(&revoked)), 403, "KEY_REVOKED");
    stage.gateway.home().run(&["keys", "revoke", &revoked.id]);
    assert_error(&stage.gateway, &stage.gateway.send(&get("/items/7").key(&revoked)), 403, "KEY_REVOKED");
}

#[test]
fn revoking_an_unknown_key_is_reported() {
    let stage = stage();
    let output = stage.gateway.home().run(&["keys", "revoke", "key_that_is_none"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.err.contains("key_that_is_none"), "{output:?}");
}
