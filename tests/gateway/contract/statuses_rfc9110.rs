//! `statuses = "rfc9110"` swaps 401 and 403, and nothing else.

use crate::support::{Config, Gateway, Upstream, assert_error, get};

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(
        &Config::of(upstream)
            .top("statuses = \"rfc9110\"")
            .endpoint("GET", "/items/{id}", "permission = \"items:read\"")
            .endpoint("GET", "/admin", "permission = \"admin\"")
            .endpoint("GET", "/status/{n}", ""),
    )
}

#[test]
fn a_key_that_is_missing_or_incorrect_is_401_with_a_challenge() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let answer = gateway.send(&get("/items/7"));
    assert_error(&gateway, &answer, 401, "KEY_NOT_SET");
    // RFC 9110 section 15.5.2: a 401 must carry a challenge.
    assert!(answer.headers.has("WWW-Authenticate"), "{answer:?}");
    let unknown = get("/items/7").header("X-API-Key", &crate::key_not_valid_403::unknown());
    assert_error(&gateway, &gateway.send(&unknown), 401, "KEY_NOT_VALID");
    let revoked = gateway.key();
    gateway.run(&["keys", "revoke", &revoked.id]);
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&revoked)), 401, "KEY_REVOKED");
}

#[test]
fn a_401_carries_the_configured_challenge() {
    let upstream = Upstream::sample();
    for (more, challenge) in [("", "Bearer realm=\""), ("[keys]\nchallenge = \"basic\"", "Basic realm=\"")] {
        let config = Config::of(&upstream).top("statuses = \"rfc9110\"").section(more);
        let gateway = Gateway::start(&config);
        let answer = gateway.send(&get("/items/7"));
        assert_error(&gateway, &answer, 401, "KEY_NOT_SET");
        assert!(answer.header("WWW-Authenticate").unwrap().starts_with(challenge), "{answer:?}");
    }
}

#[test]
fn a_missing_permission_is_403_also_from_the_upstream() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    for path in ["/admin", "/status/401", "/status/403"] {
        assert_error(&gateway, &gateway.send(&get(path).key(&key)), 403, "PERMISSION_DENIED");
    }
}

#[test]
fn a_challenge_of_the_upstream_is_a_401_in_both_modes() {
    let upstream = Upstream::scripted(|exchange| {
        let status = exchange.target().trim_start_matches('/').parse().unwrap();
        let challenges =
            [("WWW-Authenticate", "Digest realm=\"mail\", nonce=\"1\""), ("WWW-Authenticate", "Basic")];
        exchange.answer(status, &challenges, b"")
    });
    for statuses in ["rfc9110", "fairgate"] {
        let gateway = Gateway::start(&Config::of(&upstream).top(&format!("statuses = {statuses:?}")));
        let key = gateway.key();
        let before = gateway.limits(&key);
        // Clients respond to a challenge of a 401 and no other (RFC 9110 section 15.5.2).
        let answer = gateway.send(&get("/401").key(&key));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
        let challenges: Vec<_> = answer.headers.all("WWW-Authenticate");
        assert_eq!(challenges, ["Digest realm=\"mail\", nonce=\"1\"", "Basic"], "{answer:?}");
        let forbidden = gateway.send(&get("/403").key(&key));
        let wanted = if statuses == "rfc9110" { 403 } else { 401 };
        assert_error(&gateway, &forbidden, wanted, "PERMISSION_DENIED");
        gateway.limits(&key).assert_charged_since(&before, 0, "a challenge is free");
    }
}

#[test]
fn the_other_rows_stay() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    assert_error(
        &gateway,
        &gateway.send(&get("/items/7").header("X-API-Key", "x")),
        400,
        "KEY_FORMAT_INCORRECT",
    );
    assert_error(&gateway, &gateway.send(&get("/status/404").key(&key)), 404, "RESOURCE_NOT_FOUND");
    assert_error(&gateway, &gateway.send(&get("/status/500").key(&key)), 500, "UNEXPECTED_ERROR");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn the_pages_show_the_status_that_is_really_sent() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let page = gateway.send(&get("/_docs/errors/KEY_NOT_SET").header("Accept", "application/json"));
    assert!(page.text().contains("401") && !page.text().contains("403"), "{}", page.text());
}
