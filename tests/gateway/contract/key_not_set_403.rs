//! 403 `KEY_NOT_SET`: the request has no API key. (401 under `rfc9110`.)

use crate::support::{
    Config, Gateway, Stage, Upstream, assert_error, get, head, limits::assert_no_limit_headers, post,
    request, specification::assert_head,
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (403, "KEY_NOT_SET"), |stage| {
        stage.gateway.send(&get("/items/7"))
    })
}

#[test]
fn an_empty_or_foreign_credential_counts_as_no_key() {
    let stage = stage();
    for (name, value) in [
        ("X-API-Key", ""),
        ("X-API-Key", "   "),
        ("Authorization", ""),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer "),
        ("Authorization", "Basic"),
        ("Authorization", "Basic Og=="),
        ("Authorization", "Digest username=\"a\""),
        ("Authorization", "Negotiate abc"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x"),
        ("Api-Key", "whatever"),
        ("Cookie", "X-API-Key=whatever"),
    ] {
        let answer = stage.gateway.send(&get("/items/7").header(name, value));
        assert_error(&stage.gateway, &answer, 403, "KEY_NOT_SET");
        assert_no_limit_headers(&answer);
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_key_in_the_query_is_no_key() {
    let stage = stage();
    let target = format!("/items/7?api_key={0}&X-API-Key={0}", stage.key.key);
    assert_error(&stage.gateway, &stage.gateway.send(&get(&target)), 403, "KEY_NOT_SET");
}

#[test]
fn the_message_names_the_header_that_is_looked_at() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[keys]\nheaders = [\"X-Token\"]"));
    let answer = gateway.send(&get("/items/7"));
    assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
    assert!(answer.text().to_ascii_lowercase().contains("x-token"), "{}", answer.text());
}

#[test]
fn a_body_is_not_waited_for_and_the_connection_stays_usable() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let large = request("POST", "/items").header("Content-Length", "5000000");
    connection.write(&large.head());
    assert_error(&stage.gateway, &connection.answer(), 403, "KEY_NOT_SET");

    let mut connection = stage.gateway.connect();
    assert_eq!(connection.send(&post("/items", "{\"small\":1}")).status, 403);
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
}

#[test]
fn head_gets_the_head_alone() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let answer = connection.send(&head("/items/7"));
    assert_eq!(answer.status, 403);
    assert_head(&answer, "KEY_NOT_SET");
    // A body would be read as the next response.
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
}

#[test]
fn a_public_endpoint_asks_for_no_key_and_looks_at_none() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/open", "public = true"));
    for request in
        [get("/open"), get("/open").header("X-API-Key", "nonsense"), get("/open").key(&gateway.key())]
    {
        let answer = gateway.send(&request);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_no_limit_headers(&answer);
    }
}

#[test]
fn the_endpoint_is_looked_up_before_the_key() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/items/{id}", ""));
    assert_error(&gateway, &gateway.send(&get("/nothing")), 404, "ENDPOINT_NOT_FOUND");
    assert_error(&gateway, &gateway.send(&get("/items/7")), 403, "KEY_NOT_SET");
}
