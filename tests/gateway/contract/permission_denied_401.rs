//! 401 `PERMISSION_DENIED`: the key is correct but lacks the permission. (403 under `rfc9110`.)

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, delete, get, post};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&config(&upstream), upstream, (401, "PERMISSION_DENIED"), |stage| {
        stage.send(post("/items", "{\"name\":\"x\"}"))
    })
}

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream)
        .endpoint("GET", "/items/{id}", "permission = \"items:read\"")
        .endpoint("POST", "/items", "permission = \"items:write\"")
        .endpoint("GET", "/anyone", "")
}

#[test]
fn a_key_opens_what_its_permissions_name_and_nothing_else() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let reader = gateway.key();
    let writer = gateway.key_with(&["--plan", "free", "--permission", "items:write"]);
    let both =
        gateway.key_with(&["--plan", "free", "--permission", "items:read", "--permission", "items:write"]);
    let none = gateway.key_with(&["--plan", "free"]);
    for (key, reads, writes) in
        [(&reader, true, false), (&writer, false, true), (&both, true, true), (&none, false, false)]
    {
        for (request, allowed) in [(get("/items/7"), reads), (post("/items", "{}"), writes)] {
            let answer = gateway.send(&request.key(key));
            if allowed {
                assert_eq!(answer.status, 200, "{}", answer.text());
            } else {
                assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
            }
        }
        assert_eq!(gateway.send(&get("/anyone").key(key)).status, 200);
    }
}

#[test]
fn a_permission_is_compared_whole() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    for almost in ["items", "items:rea", "items:reader", "ITEMS:READ", "items:read:x"] {
        let key = gateway.key_with(&["--plan", "free", "--permission", almost]);
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 401, "PERMISSION_DENIED");
    }
}

#[test]
fn the_endpoint_is_looked_up_before_the_permission() {
    let stage = stage();
    assert_error(&stage.gateway, &stage.send(delete("/items")), 404, "METHOD_NOT_AVAILABLE");
    assert_error(&stage.gateway, &stage.send(get("/nothing")), 404, "ENDPOINT_NOT_FOUND");
}

#[test]
fn a_401_or_403_of_the_upstream_is_one_too_and_keeps_its_challenge() {
    let upstream = Upstream::scripted(|exchange| {
        let status = if exchange.target() == "/a" { 401 } else { 403 };
        let fields = [("WWW-Authenticate", "Bearer realm=\"x\""), ("Content-Type", "application/json")];
        exchange.answer(status, &fields, b"{\"detail\":\"Not yours.\"}")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for path in ["/a", "/b"] {
        let answer = gateway.send(&get(path).key(&key));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"x\""));
        assert!(answer.text().contains("Not yours."), "{}", answer.text());
    }
}

#[test]
fn the_answer_carries_the_limits_of_the_key() {
    let shown = stage().provoke();
    assert_eq!(crate::support::limits::assert_limit_headers(&shown.answer), (1_000_000, 1_000_000));
}

#[test]
fn all_permissions_of_a_requirement_are_needed() {
    let upstream = Upstream::sample();
    let document = "openapi: 3.1.0
info: { title: Items, version: '1' }
paths:
  /items/7:
    get:
      security: [{ key: ['items:read', 'items:secret'] }]
      responses: { '200': { description: Fine } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-API-Key } } }
";
    let gateway = Gateway::start(&Config::of(&upstream).document(document));
    for permissions in [&["items:read"][..], &["items:secret"], &["items:read", "other"], &[]] {
        let mut options = vec!["--plan", "free"];
        options.extend(permissions.iter().flat_map(|permission| ["--permission", permission]));
        let answer = gateway.send(&get("/items/7").key(&gateway.key_with(&options)));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
        assert!(
            answer.text().contains("items:read") && answer.text().contains("items:secret"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(upstream.count(), 0);
    let both =
        gateway.key_with(&["--plan", "free", "--permission", "items:secret", "--permission", "items:read"]);
    assert_eq!(gateway.send(&get("/items/7").key(&both)).status, 200);
}
