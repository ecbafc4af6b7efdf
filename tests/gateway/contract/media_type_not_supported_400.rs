//! 400 `MEDIA_TYPE_NOT_SUPPORTED`: a body of a media type that the endpoint does not accept.

use crate::support::{Config, Stage, Upstream, assert_error, get, post, request};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("POST", "/items", "media_types = [\"application/json\", \"text/plain\"]")
        .endpoint("GET", "/items/{id}", "")
        .endpoint("GET", "/status/{n}", "");
    Stage::new(&config, upstream, (400, "MEDIA_TYPE_NOT_SUPPORTED"), |stage| {
        stage.send(request("POST", "/items").body("application/xml", b"<a/>"))
    })
}

#[test]
fn the_type_is_compared_without_case_and_without_parameters() {
    let stage = stage();
    for media_type in
        ["application/json", "Application/JSON", "application/json; charset=utf-8", "text/plain;charset=x"]
    {
        let answer = stage.send(request("POST", "/items").body(media_type, b"{}"));
        assert_eq!(answer.status, 200, "{media_type}: {}", answer.text());
        assert_eq!(stage.upstream.last().headers.get("Content-Type"), Some(media_type));
    }
    for media_type in ["application/jsonx", "application/problem+json", "text/*", "json", "text", ""] {
        let answer = stage.send(request("POST", "/items").body(media_type, b"{}"));
        assert_error(&stage.gateway, &answer, 400, "MEDIA_TYPE_NOT_SUPPORTED");
    }
}

#[test]
fn a_body_without_a_type_is_refused_and_the_message_names_the_types() {
    let stage = stage();
    let answer = stage.send(request("POST", "/items").header("Content-Length", "2"));
    // The head alone decides: the body was not even sent.
    assert_error(&stage.gateway, &answer, 400, "MEDIA_TYPE_NOT_SUPPORTED");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("application/json") && message.contains("text/plain"), "{message}");
}

#[test]
fn a_request_without_a_body_needs_no_type() {
    let stage = stage();
    for request in [request("POST", "/items"), request("POST", "/items").header("Content-Length", "0")] {
        let answer = stage.send(request);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn the_type_comes_before_the_size_and_a_415_of_the_upstream_is_one_too() {
    let stage = stage();
    let large = request("POST", "/items").body("application/xml", &vec![b'x'; 11 * 1024 * 1024]);
    assert_error(&stage.gateway, &stage.send(large), 400, "MEDIA_TYPE_NOT_SUPPORTED");
    assert_error(&stage.gateway, &stage.send(get("/status/415")), 400, "MEDIA_TYPE_NOT_SUPPORTED");
    assert_eq!(stage.send(post("/items", "{}")).status, 200);
}
