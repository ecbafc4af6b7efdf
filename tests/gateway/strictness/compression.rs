//! Compressed responses: what a client gets when it accepts gzip, and what is never compressed.

use crate::support::{Answer, Config, Framing, Gate, Gateway, Next, Upstream, assert_error, get, head};
use flate2::read::GzDecoder;
use std::io::Read;

const ON: &str = "[compression]\nenabled = true\nmin_size = \"100B\"";

fn long() -> String {
    format!("{{\"items\":[{}1]}}", "1,".repeat(5000))
}

fn sending(fields: &str, body: &str) -> Upstream {
    Upstream::sending(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len()))
}

fn unpacked(answer: &Answer) -> String {
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"), "{answer:?}");
    let mut text = String::new();
    GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).unwrap();
    text
}

fn varies(answer: &Answer) -> bool {
    answer.headers.list("Vary").contains(&"accept-encoding".to_owned())
}

#[test]
fn a_client_that_takes_gzip_gets_it_and_every_other_one_the_bytes() {
    let upstream = sending(
        "Content-Type: application/json; charset=utf-8\r\nETag: \"a\"\r\nAccept-Ranges: bytes\r\n",
        &long(),
    );
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let key = gateway.key();
    for (accepted, is_packed) in [
        ("gzip", true),
        ("deflate, GZIP;q=0.5", true),
        ("*", true),
        ("br, *;q=0.1", true),
        ("identity;q=0.5, gzip;q=0.5", true),
        ("identity, gzip;q=0.5", false),
        ("gzip;q=0.5, identity;q=0.6", false),
        ("gzip;q=0", false),
        ("gzip;q=0.000, *", false),
        ("*;q=0", false),
        ("br", false),
        ("", false),
        ("gzipped", false),
    ] {
        let mut connection = gateway.connect();
        let answer = connection.send(&get("/a").key(&key).header("Accept-Encoding", accepted));
        assert_eq!(answer.status, 200);
        assert!(varies(&answer), "{accepted}: {answer:?}");
        if is_packed {
            assert_eq!(unpacked(&answer), long(), "{accepted}");
            assert_eq!((answer.header("ETag"), answer.header("Accept-Ranges")), (Some("W/\"a\""), None));
            assert_eq!(answer.framing, Framing::Chunked);
            assert!(answer.body.len() < 500, "{}", answer.body.len());
        } else {
            assert_eq!((answer.text(), answer.header("ETag")), (long(), Some("\"a\"")), "{accepted}");
            assert!(!answer.headers.has("Content-Encoding"));
        }
        assert_eq!(connection.send(&get("/a").key(&key)).text(), long(), "the connection continues");
    }
    let old = gateway.send(&get("/a").key(&key).version("HTTP/1.0").header("Accept-Encoding", "gzip"));
    assert_eq!((unpacked(&old), old.framing), (long(), Framing::Close));
}

#[test]
fn a_304_has_the_vary_and_the_tag_of_the_200_that_it_stands_for() {
    let upstream = Upstream::sending("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let key = gateway.key();
    for (condition, tag) in
        [("W/\"a\"", "W/\"a\""), ("\"b\", W/\"a\"", "W/\"a\""), ("\"a\"", "\"a\""), ("*", "\"a\"")]
    {
        let request = get("/a").key(&key).header("Accept-Encoding", "gzip");
        let answer = gateway.send(&request.header("If-None-Match", condition));
        assert_eq!((answer.status, answer.header("ETag")), (304, Some(tag)), "{condition}");
        assert!(varies(&answer) && !answer.headers.has("Content-Encoding"), "{answer:?}");
    }
}

#[test]
fn head_is_answered_with_the_head_of_get() {
    let upstream = Upstream::scripted(|exchange| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"a\"\r\nContent-Length: 5000\r\n\r\n";
        exchange.send_raw(head.as_bytes(), Next::Keep)
    });
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let answer = gateway.send(&head("/a").key(&gateway.key()).header("Accept-Encoding", "gzip"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    assert_eq!(answer.header("ETag"), Some("W/\"a\""));
    assert!(!answer.headers.has("Content-Length") && varies(&answer), "{answer:?}");
}

#[test]
fn what_may_not_be_compressed_passes_byte_by_byte() {
    let long = long();
    for (fields, body) in [
        ("Content-Type: image/png\r\n", long.as_str()),
        ("", long.as_str()),
        ("Content-Type: application/json\r\nContent-Encoding: br\r\n", long.as_str()),
        ("Content-Type: application/json\r\nContent-Encoding: identity\r\n", long.as_str()),
        ("Content-Type: application/json\r\nCache-Control: public, no-transform\r\n", long.as_str()),
        ("Content-Type: application/json\r\nContent-Range: bytes 0-9/99\r\n", long.as_str()),
        ("Content-Type: application/json\r\nContent-MD5: x\r\n", long.as_str()),
        ("Content-Type: application/json\r\nRepr-Digest: x\r\n", long.as_str()),
        ("Content-Type: application/json\r\n", "{\"small\":true}"),
    ] {
        let upstream = sending(fields, body);
        let gateway = Gateway::start(&Config::of(&upstream).section(ON));
        let answer = gateway.send(&get("/a").key(&gateway.key()).header("Accept-Encoding", "gzip"));
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{fields}");
        assert_ne!(answer.header("Content-Encoding"), Some("gzip"), "{fields}");
    }
    // Off by default.
    let upstream = sending("Content-Type: application/json\r\n", &long);
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("Accept-Encoding", "gzip"));
    assert_eq!((answer.text(), varies(&answer)), (long, false));
}

#[test]
fn an_event_arrives_when_it_happens() {
    let gate = Gate::default();
    let waits = gate.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        exchange.write(b"d\r\ndata: first\n\n\r\n");
        waits.wait();
        exchange.write(b"e\r\ndata: second\n\n\r\n0\r\n\r\n");
        Next::Keep
    });
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let mut connection = gateway.connect();
    connection.write(&get("/a").key(&gateway.key()).header("Accept-Encoding", "gzip").bytes());
    let mut answer = Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    // Nothing more comes before the gate is open: what arrived decompresses to the first event.
    let (mut packed, mut text) = (Vec::new(), Vec::new());
    while !text.ends_with(b"first\n\n") {
        let size =
            usize::from_str_radix(&String::from_utf8(connection.wire.line().unwrap()).unwrap(), 16).unwrap();
        packed.extend_from_slice(&connection.wire.exactly(size).0);
        connection.wire.exactly(2);
        text.clear();
        let _ = GzDecoder::new(packed.as_slice()).read_to_end(&mut text);
    }
    gate.open();
    answer.read_body(&mut connection.wire, "GET");
    packed.extend_from_slice(&answer.body);
    text.clear();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "data: first\n\ndata: second\n\n");
}

#[test]
fn our_own_errors_and_pages_are_compressed_above_the_minimum() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let answer = gateway.send(&get("/a").header("Accept-Encoding", "gzip"));
    assert_eq!(answer.status, 403);
    assert!(unpacked(&answer).contains("\"KEY_NOT_SET\""));
    let answer = gateway.send(&get("/_docs/").header("Accept-Encoding", "gzip"));
    assert!(unpacked(&answer).contains("<html") && varies(&answer));
    let plain = gateway.send(&get("/a"));
    assert_error(&gateway, &plain, 403, "KEY_NOT_SET");
    assert!(varies(&plain));
    let gateway =
        Gateway::start(&Config::of(&upstream).section("[compression]\nenabled = true\nmin_size = \"64KiB\""));
    let answer = gateway.send(&get("/a").header("Accept-Encoding", "gzip"));
    assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_whole_and_is_free() {
    let upstream = Upstream::sending_and_closing(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n{}",
        "a".repeat(50_000)
    ));
    let gateway = Gateway::start(&Config::of(&upstream).section(ON));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/a").key(&key).header("Accept-Encoding", "gzip"));
    assert!(!answer.is_whole(), "{answer:?}");
    gateway.limits(&key).assert_charged_since(&before, 0, "an answer that broke off");
}
