//! 404 `METHOD_NOT_AVAILABLE`: the endpoint exists, but not with this method.

use crate::support::{Config, Gateway, Next, Stage, Upstream, assert_error, delete, get, request};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("PUT", "/items/{id}", "")
        .endpoint("POST", "/items", "");
    Stage::new(&config, upstream, (404, "METHOD_NOT_AVAILABLE"), |stage| stage.send(delete("/items/7")))
}

#[test]
fn allow_names_the_methods_that_exist() {
    let stage = stage();
    for (method, target, allowed) in [
        ("DELETE", "/items/7", &["get", "put"][..]),
        ("PATCH", "/items/7", &["get", "put"]),
        ("BREW", "/items/7", &["get", "put"]),
        ("GET", "/items", &["post"]),
    ] {
        let answer = stage.send(request(method, target));
        assert_error(&stage.gateway, &answer, 404, "METHOD_NOT_AVAILABLE");
        let allow = answer.headers.list("Allow");
        for method in allowed {
            assert!(allow.contains(&(*method).to_owned()), "{method} is not in {allow:?}");
        }
        // HEAD may be listed beside GET, and OPTIONS; nothing else.
        let known =
            |name: &&String| allowed.contains(&name.as_str()) || ["head", "options"].contains(&name.as_str());
        assert!(allow.iter().all(|name| known(&name)), "{allow:?}");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn the_method_is_looked_at_before_the_key() {
    let stage = stage();
    assert_error(&stage.gateway, &stage.gateway.send(&delete("/items/7")), 404, "METHOD_NOT_AVAILABLE");
}

#[test]
fn a_405_of_the_upstream_is_one_too_and_keeps_its_allow() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.answer(405, &[("Allow", "GET, PUT")], b"");
        Next::Keep
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&delete("/a").key(&gateway.key()));
    assert_error(&gateway, &answer, 404, "METHOD_NOT_AVAILABLE");
    assert_eq!(answer.header("Allow"), Some("GET, PUT"));
    assert_eq!(gateway.send(&get("/_limits").key(&gateway.key())).status, 200);
}

#[test]
fn query_is_a_method_like_any_other() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("QUERY", "/items", "")
        .endpoint("GET", "/items", "")
        .section("[cors]\norigins = [\"https://app.example.com\"]\nmethods = [\"GET\", \"QUERY\"]");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let query = crate::support::request("QUERY", "/items").body("application/sql", b"select 1");
    assert_eq!(gateway.send(&query.key(&key)).status, 200);
    let answer = gateway.send(&crate::support::post("/items", "{}").key(&key));
    assert_error(&gateway, &answer, 404, "METHOD_NOT_AVAILABLE");
    let allow = answer.header("Allow").unwrap().to_owned();
    for method in ["QUERY", "GET", "HEAD"] {
        assert!(allow.split(", ").any(|one| one == method), "{allow}");
    }
    let preflight = crate::support::request("OPTIONS", "/items")
        .header("Origin", "https://app.example.com")
        .header("Access-Control-Request-Method", "QUERY");
    let answer = gateway.send(&preflight);
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET, QUERY"));
}
