//! 400 `HEADERS_TOO_LARGE`: a head past `[sizes] max_header_size`, or of more than 100 fields.

use crate::support::{Answer, Config, Gateway, Request, Stage, Upstream, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (400, "HEADERS_TOO_LARGE"), |stage| {
        stage.send(get("/items/7").header("Cookie", &"x".repeat(40_000)))
    })
}

/// A request with so many fields in all.
fn with_fields(stage: &Stage, count: usize) -> Request {
    // Host and the key are two of them.
    (2..count).fold(get("/items/7").key(&stage.key), |request, n| request.header(&format!("X-{n}"), "v"))
}

#[test]
fn a_hundred_fields_pass_and_one_more_is_too_many() {
    let stage = stage();
    let answer = stage.gateway.send(&with_fields(&stage, 100));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = stage.gateway.send(&with_fields(&stage, 101));
    assert_error(&stage.gateway, &answer, 400, "HEADERS_TOO_LARGE");
    let answer = stage.gateway.send(&with_fields(&stage, 2_000));
    assert_error(&stage.gateway, &answer, 400, "HEADERS_TOO_LARGE");
}

#[test]
fn the_size_that_is_set_is_the_size_that_holds() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[sizes]\nmax_header_size = \"2KiB\""));
    let key = gateway.key();
    let sized = |size: usize| -> Answer {
        let bare = get("/items/7").key(&key).header("X-Fill", "");
        let fill = size - bare.head().len();
        let request = get("/items/7").key(&key).header("X-Fill", &"x".repeat(fill));
        assert_eq!(request.head().len(), size);
        gateway.send(&request)
    };
    assert_eq!(sized(2048).status, 200);
    assert_error(&gateway, &sized(2049), 400, "HEADERS_TOO_LARGE");
}

#[test]
fn a_target_that_is_too_long_counts_as_head() {
    let stage = stage();
    let answer = stage.send(get(&format!("/{}", "a".repeat(20_000))));
    assert_eq!(answer.status, 200);
    let answer = stage.send(get(&format!("/{}", "a".repeat(40_000))));
    assert_error(&stage.gateway, &answer, 400, "HEADERS_TOO_LARGE");
}

#[test]
fn a_head_without_end_is_refused_before_its_end_and_the_connection_closed() {
    let stage = stage();
    for endless in [
        format!("GET /{}", "a".repeat(70_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {}", "b".repeat(70_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}", "X-B: c\r\n".repeat(9_000)),
    ] {
        let mut connection = stage.gateway.connect();
        connection.write(endless.as_bytes());
        let answer = connection.answer();
        assert_error(&stage.gateway, &answer, 400, "HEADERS_TOO_LARGE");
        assert!(connection.is_closed());
    }
}

#[test]
fn megabytes_in_a_head_still_get_to_read_their_answer() {
    let stage = stage();
    // The client keeps writing after the refusal: a reset would lose the response.
    let answer = stage.send(get("/items/7").header("X-A", &"b".repeat(2_000_000)));
    assert_error(&stage.gateway, &answer, 400, "HEADERS_TOO_LARGE");
}

#[test]
fn a_414_or_431_of_the_upstream_is_one_too() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for path in ["/status/414", "/status/431"] {
        assert_error(&gateway, &gateway.send(&get(path).key(&key)), 400, "HEADERS_TOO_LARGE");
    }
}
