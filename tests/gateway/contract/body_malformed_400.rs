//! 400 `BODY_MALFORMED`: a body that is to be validated is not JSON.

use crate::support::{Config, Stage, Upstream, assert_error, post, request};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("POST", "/items", "media_types = [\"application/json\"]")
        .parameter("body", "age", "type = \"integer\"")
        .endpoint("POST", "/free", "")
        .endpoint("GET", "/items/{id}", "");
    Stage::new(&config, upstream, (400, "BODY_MALFORMED"), |stage| stage.send(post("/items", "{\"age\": 7")))
}

#[test]
fn invalid_json_is_refused_before_the_upstream_sees_it() {
    let stage = stage();
    for body in [
        " ",
        "{",
        "{\"age\":7}}",
        "{\"age\":7} x",
        "{'age':7}",
        "{\"age\":7,}",
        "{age:7}",
        "{\"age\":07}",
        "{\"age\":NaN}",
        "{\"a\":\"\u{1}\"}",
        "<age>7</age>",
        "\u{feff}x",
    ] {
        let answer = stage.send(post("/items", body));
        assert_error(&stage.gateway, &answer, 400, "BODY_MALFORMED");
    }
    let answer = stage.send(request("POST", "/items").body("application/json", b"{\"age\":\"\xff\"}"));
    assert_error(&stage.gateway, &answer, 400, "BODY_MALFORMED");
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_member_named_twice_is_refused_as_readers_disagree_on_it() {
    let stage = stage();
    for body in ["{\"age\":7,\"age\":\"x\"}", "{\"age\":7,\"\\u0061ge\":8}"] {
        assert_error(&stage.gateway, &stage.send(post("/items", body)), 400, "BODY_MALFORMED");
    }
}

#[test]
fn json_nested_without_end_is_refused_and_harms_nobody() {
    let stage = stage();
    let deep = format!("{{\"age\":{}", "[".repeat(200_000));
    assert_error(&stage.gateway, &stage.send(post("/items", &deep)), 400, "BODY_MALFORMED");
    assert_eq!(stage.succeed().status, 200);
}

#[test]
fn a_chunked_body_is_checked_alike() {
    let stage = stage();
    let chunked = |body: &str| request("POST", "/items").chunked("application/json", body.as_bytes(), 3);
    assert_error(&stage.gateway, &stage.send(chunked("{\"age\": 7")), 400, "BODY_MALFORMED");
    let answer = stage.send(chunked("{\"age\": 7}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.upstream.only().body, b"{\"age\": 7}");
}

#[test]
fn a_body_that_nobody_checks_passes_as_it_is() {
    let stage = stage();
    let answer = stage.send(post("/free", "{\"age\": 7"));
    assert_eq!(answer.status, 200);
    assert_eq!(stage.upstream.only().body, b"{\"age\": 7");
}

#[test]
fn an_absent_body_is_an_error_only_where_a_member_is_required() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("POST", "/needs", "")
        .parameter("body", "name", "required = true")
        .endpoint("POST", "/takes", "")
        .parameter("body", "name", "");
    let gateway = crate::support::Gateway::start(&config);
    let key = gateway.key();
    for request in [request("POST", "/needs"), request("POST", "/needs").json("")] {
        let answer = gateway.send(&request.key(&key));
        assert!(matches!(answer.status, 400 | 422), "{answer:?}");
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.send(&request("POST", "/takes").key(&key)).status, 200);
}
