//! 200 and every other success: it passes untouched, whatever its kind.

use crate::support::{
    Config, Framing, Gateway, Next, Upstream, get, head, limits::assert_limit_headers, post, sample::pattern,
};

#[test]
fn every_2xx_and_3xx_but_301_passes_untouched_and_is_charged() {
    let upstream = Upstream::scripted(|exchange| {
        let status = exchange.target().trim_start_matches('/').parse().unwrap();
        let fields = [("Content-Type", "text/x-odd"), ("X-Custom", "kept"), ("ETag", "\"v1\"")];
        exchange.answer(status, &fields, b"as it is")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let passing =
        [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 299, 300, 302, 303, 304, 305, 306, 307, 308];
    for status in passing {
        let before = gateway.limits(&key);
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("X-Custom"), Some("kept"), "{status}");
        assert_eq!(answer.header("ETag"), Some("\"v1\""), "{status}");
        assert_eq!(answer.header("Content-Type"), Some("text/x-odd"), "{status}");
        assert!(answer.headers.has("X-Request-Id"), "{status}");
        assert!(!answer.headers.has("Cache-Control"), "{status}: the upstream did not send it");
        if status != 204 && status != 304 {
            assert_eq!(answer.text(), "as it is", "{status}");
        }
        assert_limit_headers(&answer);
        gateway.limits(&key).assert_charged_since(&before, 1, &format!("a {status}"));
    }
}

#[test]
fn bodies_of_every_size_and_framing_arrive_byte_by_byte() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for length in [0, 1, 999, 1000, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000] {
        let answer = connection.send(&get(&format!("/bytes/{length}")).key(&key));
        assert_eq!((answer.status, answer.framing), (200, Framing::Length(length)));
        assert!(answer.body == pattern(length), "a body of {length} arrived changed");
        let answer = connection.send(&get(&format!("/chunked/{length}")).key(&key));
        assert_eq!((answer.status, answer.framing), (200, Framing::Chunked));
        assert!(answer.body == pattern(length), "a chunked body of {length} arrived changed");
    }
}

#[test]
fn head_passes_the_length_it_would_have_and_no_body() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let before = gateway.limits(&key);
    for length in [0, 5, 20_000] {
        let answer = connection.send(&head(&format!("/bytes/{length}")).key(&key));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.number("Content-Length"), length);
        assert_eq!(upstream.last().method, "HEAD");
    }
    assert_eq!(connection.send(&get("/bytes/3").key(&key)).body.len(), 3);
    gateway.limits(&key).assert_charged_since(&before, 4, "three HEADs and a GET");
}

#[test]
fn ranges_and_conditions_are_the_upstreams_matter() {
    let upstream = Upstream::scripted(|exchange| {
        if exchange.seen.headers.get("If-None-Match") == Some("\"v1\"") {
            return exchange.answer(304, &[("ETag", "\"v1\"")], b"");
        }
        assert_eq!(exchange.seen.headers.get("Range"), Some("bytes=2-4"));
        exchange.answer(206, &[("Content-Range", "bytes 2-4/10"), ("Accept-Ranges", "bytes")], b"cde")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&get("/a").key(&key).header("Range", "bytes=2-4"));
    assert_eq!((answer.status, answer.text().as_str()), (206, "cde"));
    assert_eq!(answer.header("Content-Range"), Some("bytes 2-4/10"));
    let mut connection = gateway.connect();
    let answer = connection.send(&get("/a").key(&key).header("If-None-Match", "\"v1\""));
    assert_eq!((answer.status, answer.header("ETag")), (304, Some("\"v1\"")));
    // A 304 has no body: the next answer begins right after its head.
    let answer = connection.send(&get("/a").key(&key).header("Range", "bytes=2-4"));
    assert_eq!(answer.text(), "cde");
}

#[test]
fn compressed_bodies_and_repeated_fields_are_left_alone() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
              X-Odd: caf\xc3\xa9 \xff\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
            Next::Keep,
        )
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("Accept-Encoding", "gzip"));
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    assert_eq!(answer.headers.all("Set-Cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.body, b"\x1f\x8b\x08\x00");
    assert!(answer.header("X-Odd").unwrap().starts_with("café"), "{answer:?}");
    assert_eq!(upstream.last().headers.get("Accept-Encoding"), Some("gzip"));
}

#[test]
fn an_answer_that_ends_with_the_connection_arrives_whole() {
    let upstream = Upstream::sending_and_closing("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nuntil the end");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for _ in 0..2 {
        let answer = connection.send(&get("/a").key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "until the end"));
        // The client keeps its connection: only the upstream's ended.
        assert_eq!(answer.framing, Framing::Chunked);
    }
    gateway.limits(&key).assert_charged_since(&before, 2, "two bodies that ended with the connection");
}

#[test]
fn a_success_that_looks_like_an_error_stays_a_success() {
    let upstream =
        Upstream::scripted(|exchange| exchange.json(200, "{\"success\":false,\"error\":{\"code\":\"X\"}}"));
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&post("/a", "{}").key(&gateway.key()));
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "{\"success\":false,\"error\":{\"code\":\"X\"}}")
    );
}
