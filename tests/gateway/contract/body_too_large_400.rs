//! 400 `BODY_TOO_LARGE`: by its length before it is read, in chunks while it is.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, post, request};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&config(&upstream), upstream, (400, "BODY_TOO_LARGE"), |stage| {
        stage.send(post("/items", &"x".repeat(1001)))
    })
}

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).section("[sizes]\nmax_body_size = 1000")
}

#[test]
fn a_body_of_exactly_the_size_passes() {
    let stage = stage();
    let answer = stage.send(post("/items", &"x".repeat(1000)));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.upstream.only().body.len(), 1000);
    let answer = stage.send(request("POST", "/items").chunked("text/plain", &[b'x'; 1000], 300));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_length_that_is_too_large_is_refused_before_the_body_is_read() {
    let stage = stage();
    for length in ["1001", "10000000", "18446744073709551615"] {
        let mut connection = stage.gateway.connect();
        let head = request("POST", "/items").key(&stage.key).header("Content-Length", length);
        connection.write(&head.head());
        assert_error(&stage.gateway, &connection.answer(), 400, "BODY_TOO_LARGE");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_client_that_waits_for_100_continue_is_not_asked_for_its_body() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let head = request("POST", "/items").key(&stage.key).header("Content-Length", "1001");
    connection.write(&head.header("Expect", "100-continue").head());
    let answer = connection.answer();
    assert!(answer.interim.is_empty(), "{answer:?}");
    assert_error(&stage.gateway, &answer, 400, "BODY_TOO_LARGE");
}

#[test]
fn chunks_are_counted_and_the_upstream_never_takes_them_for_whole() {
    let stage = stage();
    let answer = stage.send(request("POST", "/items").chunked("text/plain", &[b'x'; 1001], 100));
    assert_error(&stage.gateway, &answer, 400, "BODY_TOO_LARGE");
    assert!(stage.upstream.seen().iter().all(|seen| !seen.whole), "{:?}", stage.upstream.seen());
}

#[test]
fn a_large_body_still_gets_to_read_its_answer() {
    let stage = stage();
    let answer = stage.send(post("/items", &"x".repeat(3_000_000)));
    assert_error(&stage.gateway, &answer, 400, "BODY_TOO_LARGE");
}

#[test]
fn an_endpoint_may_take_less_or_more_than_the_rest() {
    let upstream = Upstream::sample();
    let config = config(&upstream).endpoint("POST", "/small", "max_body_size = 10").endpoint(
        "POST",
        "/large",
        "max_body_size = \"1MiB\"",
    );
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for (path, length, taken) in [
        ("/small", 10, true),
        ("/small", 11, false),
        ("/large", 1_048_576, true),
        ("/large", 1_048_577, false),
    ] {
        let answer = gateway.send(&post(path, &"x".repeat(length)).key(&key));
        if taken {
            assert_eq!(answer.status, 200, "{path} {length}: {}", answer.text());
        } else {
            assert_error(&gateway, &answer, 400, "BODY_TOO_LARGE");
        }
    }
}

#[test]
fn the_key_is_looked_at_before_the_size() {
    let stage = stage();
    let answer = stage.gateway.send(&post("/items", &"x".repeat(1001)));
    assert_error(&stage.gateway, &answer, 403, "KEY_NOT_SET");
}

#[test]
fn a_413_of_the_upstream_is_one_too() {
    let stage = stage();
    assert_error(&stage.gateway, &stage.send(get("/status/413")), 400, "BODY_TOO_LARGE");
}
