//! 422 `BODY_NOT_VALID`: the body is JSON, but its members do not match the schema.

use crate::support::{Config, Stage, Upstream, assert_details, assert_error, error_of, get, post};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("POST", "/items", "")
        .parameter("body", "name", "required = true\ntype = \"string\"\nminimum = 1\nmaximum = 5")
        .parameter("body", "age", "type = \"integer\"\nminimum = 0\nmaximum = 150")
        .parameter("body", "price", "type = \"number\"")
        .parameter("body", "sold", "type = \"boolean\"")
        .parameter("body", "kind", "enum = [\"a\", \"b\"]")
        .endpoint("GET", "/items/{id}", "");
    Stage::new(&config, upstream, (422, "BODY_NOT_VALID"), |stage| stage.send(post("/items", "{\"age\":-1}")))
        .success(get("/items/7"))
}

#[test]
fn all_violations_are_reported_at_once_with_their_pointers() {
    let stage = stage();
    let answer =
        stage.send(post("/items", "{\"age\":\"old\",\"sold\":\"no\",\"kind\":\"c\",\"price\":true}"));
    assert_error(&stage.gateway, &answer, 422, "BODY_NOT_VALID");
    let members = ["name", "age", "price", "sold", "kind"];
    assert_details(&answer, &members.map(|name| ("body", name)));
    for detail in error_of(&answer)["details"].as_array().unwrap() {
        // The pointer to a missing member may be its own path or that of its object.
        let name = detail["name"].as_str().unwrap();
        let pointer = detail["pointer"].as_str().unwrap_or_else(|| panic!("no pointer in {detail}"));
        assert!(pointer == format!("/{name}") || (name == "name" && pointer.is_empty()), "{detail}");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn each_violation_alone_is_one() {
    let stage = stage();
    for (body, name) in [
        ("{}", "name"),
        ("{\"name\":null}", "name"),
        ("{\"name\":7}", "name"),
        ("{\"name\":\"\"}", "name"),
        ("{\"name\":\"abcdef\"}", "name"),
        ("{\"name\":\"a\",\"age\":1.5}", "age"),
        ("{\"name\":\"a\",\"age\":151}", "age"),
        ("{\"name\":\"a\",\"age\":\"7\"}", "age"),
        ("{\"name\":\"a\",\"price\":\"7\"}", "price"),
        ("{\"name\":\"a\",\"sold\":0}", "sold"),
        ("{\"name\":\"a\",\"kind\":\"A\"}", "kind"),
    ] {
        let answer = stage.send(post("/items", body));
        assert_error(&stage.gateway, &answer, 422, "BODY_NOT_VALID");
        assert_details(&answer, &[("body", name)]);
    }
}

#[test]
fn json_other_than_an_object_is_not_valid() {
    let stage = stage();
    for body in ["[]", "7", "\"name\"", "null", "true"] {
        assert_error(&stage.gateway, &stage.send(post("/items", body)), 422, "BODY_NOT_VALID");
    }
}

#[test]
fn a_body_that_fits_reaches_the_upstream_byte_by_byte() {
    let stage = stage();
    for body in [
        "{\"name\":\"a\"}",
        " {\r\n \"name\" : \"\\u00e9\" , \"age\" : 150, \"more\":[1,{\"x\":null}] } ",
        "{\"name\":\"\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\",\"price\":1e400}",
        "{\"name\":\"abc\",\"age\":0,\"price\":-0.0,\"sold\":true,\"kind\":\"b\"}",
    ] {
        let answer = stage.send(post("/items", body));
        if body.contains("1e400") {
            // Not a finite number, so not one that this endpoint accepts; any 4xx row will do.
            assert!(matches!(answer.status, 400 | 422), "{answer:?}");
            continue;
        }
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        assert_eq!(stage.upstream.last().body, body.as_bytes());
    }
}

#[test]
fn the_limits_are_looked_at_after_the_body() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["1 per day"]).endpoint("POST", "/items", "").parameter(
        "body",
        "name",
        "required = true",
    );
    let gateway = crate::support::Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&post("/items", "{\"name\":\"a\"}").key(&key)).status, 200);
    assert_error(&gateway, &gateway.send(&post("/items", "{}").key(&key)), 422, "BODY_NOT_VALID");
    let answer = gateway.send(&post("/items", "{\"name\":\"a\"}").key(&key));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
}
