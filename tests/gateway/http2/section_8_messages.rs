//! RFC 9113 section 8: the form of a request. What is malformed gets our 400 and is then reset.

use crate::{
    gateway, patient_gateway,
    peer::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Expect, HEADERS, Peer, block, request},
    support::{Config, Gateway, Upstream, assert_error, request::HOST},
    try_all,
};

const ASK: u8 = END_STREAM | END_HEADERS;
const MALFORMED: Expect = Expect::Malformed(1);

const GET: (&str, &str) = (":method", "GET");
const HTTP: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/items/7");
const AUTHORITY: (&str, &str) = (":authority", "api.example.com");

fn ask(peer: &mut Peer, fields: &[(&str, &str)]) {
    peer.send(HEADERS, ASK, 1, &block(fields));
}

fn more(peer: &mut Peer, fields: &[(&str, &str)]) {
    peer.send(HEADERS, ASK, 1, &request("GET", "/items/7", fields));
}

/// A request with a body, up to where that begins.
fn post(peer: &mut Peer, fields: &[(&str, &str)]) {
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", fields));
}

#[test]
fn s8_1_trailers() {
    try_all(&[
        ("are accepted", Expect::Answered(1), |peer| {
            post(peer, &[]);
            peer.send(DATA, 0, 1, b"{}");
            peer.send(HEADERS, ASK, 1, &block(&[("x-sum", "1")]));
        }),
        ("that do not end the stream", MALFORMED, |peer| {
            post(peer, &[]);
            peer.send(HEADERS, END_HEADERS, 1, &block(&[("x-sum", "1")]));
        }),
        ("8.3 with a pseudo-header field", MALFORMED, |peer| {
            post(peer, &[]);
            peer.send(HEADERS, ASK, 1, &block(&[(":method", "POST")]));
        }),
        ("8.2 with an upper-case name", MALFORMED, |peer| {
            post(peer, &[]);
            peer.send(HEADERS, ASK, 1, &block(&[("X-Sum", "1")]));
        }),
    ]);
}

#[test]
fn s8_1_1_content_length() {
    try_all(&[
        ("that fits", Expect::Answered(1), |peer| {
            post(peer, &[("content-length", "4")]);
            peer.send(DATA, 0, 1, b"te");
            peer.send(DATA, END_STREAM, 1, b"st");
        }),
        ("that is shorter than one frame", MALFORMED, |peer| {
            post(peer, &[("content-length", "1")]);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("that is shorter than several frames", MALFORMED, |peer| {
            post(peer, &[("content-length", "5")]);
            peer.send(DATA, 0, 1, b"test");
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("that is longer than the body", MALFORMED, |peer| {
            post(peer, &[("content-length", "5")]);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("that is longer than a body with trailers", MALFORMED, |peer| {
            post(peer, &[("content-length", "5")]);
            peer.send(DATA, 0, 1, b"test");
            peer.send(HEADERS, ASK, 1, &block(&[("x-sum", "1")]));
        }),
        ("of a request that has no body", MALFORMED, |peer| more(peer, &[("content-length", "5")])),
        ("of 0 without a body", Expect::Answered(1), |peer| more(peer, &[("content-length", "0")])),
        ("that is not a number", MALFORMED, |peer| more(peer, &[("content-length", "+0")])),
        ("that is sent twice", MALFORMED, |peer| {
            more(peer, &[("content-length", "0"), ("content-length", "0")]);
        }),
    ]);
}

#[test]
fn s8_2_header_fields() {
    try_all(&[
        ("8.2.1 an upper-case name", MALFORMED, |peer| more(peer, &[("X-Test", "ok")])),
        ("8.2.1 an empty name", MALFORMED, |peer| more(peer, &[("", "ok")])),
        ("8.2.1 a name with a space", MALFORMED, |peer| more(peer, &[("x test", "ok")])),
        ("8.2.1 a name with a colon within", MALFORMED, |peer| more(peer, &[("x:test", "ok")])),
        ("8.2.1 a line break in a value", MALFORMED, |peer| more(peer, &[("x", "a\r\nhost: evil")])),
        ("8.2.1 a bare line feed in a value", MALFORMED, |peer| more(peer, &[("x", "a\nb")])),
        ("8.2.1 a NUL in a value", MALFORMED, |peer| more(peer, &[("x", "a\0b")])),
        ("8.2.1 white space before a value", MALFORMED, |peer| more(peer, &[("x", " a")])),
        ("8.2.1 white space after a value", MALFORMED, |peer| more(peer, &[("x", "a\t")])),
        ("8.2.2 connection", MALFORMED, |peer| more(peer, &[("connection", "keep-alive")])),
        ("8.2.2 keep-alive", MALFORMED, |peer| more(peer, &[("keep-alive", "1")])),
        ("8.2.2 proxy-connection", MALFORMED, |peer| more(peer, &[("proxy-connection", "close")])),
        ("8.2.2 transfer-encoding", MALFORMED, |peer| more(peer, &[("transfer-encoding", "chunked")])),
        ("8.2.2 upgrade", MALFORMED, |peer| more(peer, &[("upgrade", "websocket")])),
        ("8.2.2 te of trailers", Expect::Answered(1), |peer| more(peer, &[("te", "trailers")])),
        ("8.2.2 te of more", MALFORMED, |peer| more(peer, &[("te", "trailers, deflate;q=0.5")])),
    ]);
}

#[test]
fn s8_3_pseudo_header_fields() {
    try_all(&[
        ("8.3 an unknown one", MALFORMED, |peer| ask(peer, &[(":test", "ok"), GET, HTTP, PATH, AUTHORITY])),
        ("8.3 one of answers", MALFORMED, |peer| {
            ask(peer, &[GET, HTTP, PATH, AUTHORITY, (":status", "200")])
        }),
        ("8.3 after a header field", MALFORMED, |peer| ask(peer, &[GET, HTTP, PATH, ("x", "y"), AUTHORITY])),
        ("8.3.1 an empty :path", MALFORMED, |peer| ask(peer, &[GET, HTTP, (":path", ""), AUTHORITY])),
        ("8.3.1 no :method", MALFORMED, |peer| ask(peer, &[HTTP, PATH, AUTHORITY])),
        ("8.3.1 no :scheme", MALFORMED, |peer| ask(peer, &[GET, PATH, AUTHORITY])),
        ("8.3.1 no :path", MALFORMED, |peer| ask(peer, &[GET, HTTP, AUTHORITY])),
        ("8.3.1 two :method", MALFORMED, |peer| ask(peer, &[GET, GET, HTTP, PATH, AUTHORITY])),
        ("8.3.1 two :scheme", MALFORMED, |peer| ask(peer, &[GET, HTTP, HTTP, PATH, AUTHORITY])),
        ("8.3.1 two :path", MALFORMED, |peer| ask(peer, &[GET, HTTP, PATH, PATH, AUTHORITY])),
        ("8.3.1 two :authority", MALFORMED, |peer| ask(peer, &[GET, HTTP, PATH, AUTHORITY, AUTHORITY])),
        ("8.3.1 another host", MALFORMED, |peer| more(peer, &[("host", "evil.example.com")])),
        ("8.3.1 two hosts", MALFORMED, |peer| {
            more(peer, &[("host", "api.example.com"), ("host", "api.example.com")])
        }),
        ("8.3.1 the same host", Expect::Answered(1), |peer| more(peer, &[("host", "api.example.com")])),
        ("8.3.1 Host alone", Expect::Answered(1), |peer| {
            ask(peer, &[GET, HTTP, PATH, ("host", "api.example.com")])
        }),
        ("8.3.1 a path that would end the request line", MALFORMED, |peer| {
            ask(peer, &[GET, HTTP, (":path", "/items/7 HTTP/1.1\r\nx: y"), AUTHORITY]);
        }),
        ("8.3.1 a path without a slash", MALFORMED, |peer| {
            ask(peer, &[GET, HTTP, (":path", "items"), AUTHORITY])
        }),
        ("8.3.1 a URL as path", MALFORMED, |peer| ask(peer, &[GET, HTTP, (":path", "http://a/"), AUTHORITY])),
        ("8.3.1 another scheme", MALFORMED, |peer| ask(peer, &[GET, (":scheme", "ftp"), PATH, AUTHORITY])),
        ("8.3.1 an invalid method", MALFORMED, |peer| {
            ask(peer, &[(":method", "G T"), HTTP, PATH, AUTHORITY])
        }),
        ("8.5 CONNECT with a path", MALFORMED, |peer| {
            ask(peer, &[(":method", "CONNECT"), HTTP, PATH, AUTHORITY])
        }),
        ("8.5 CONNECT is refused", Expect::Answered(1), |peer| {
            ask(peer, &[(":method", "CONNECT"), (":authority", "a:80")]);
        }),
    ]);
}

#[test]
fn what_http_1_would_not_take_is_refused_by_the_same_400() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::open(gateway.address);
    let cases: [&[(&str, &str)]; 6] = [
        &[GET, HTTP, PATH], // no host at all
        &[GET, HTTP, PATH, (":authority", "user@api.example.com")],
        &[GET, HTTP, PATH, (":authority", "a b")],
        &[(":method", "get"), HTTP, PATH, AUTHORITY],
        &[GET, HTTP, (":path", "/a#b"), AUTHORITY],
        &[(":method", "CONNECT"), (":authority", "a:80")],
    ];
    for (n, fields) in cases.iter().enumerate() {
        let stream = n as u32 * 2 + 1;
        peer.send(HEADERS, ASK, stream, &block(fields));
        let answer = peer.answer(stream);
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
}

#[test]
fn a_client_that_accepts_problem_details_gets_them_however_the_request_is_malformed() {
    const PROBLEM: (&str, &str) = ("accept", "application/problem+json");
    let (_upstream, gateway) = patient_gateway();
    let mut peer = Peer::open(gateway.address);
    // By the protocol, by HTTP/1.1's rules for the head, by the body, and by its size.
    let large = "x".repeat(60_000);
    peer.send(
        HEADERS,
        ASK,
        1,
        &request("GET", "/items/7", &[PROBLEM, ("x-request-id", "mine"), ("Upper", "a")]),
    );
    peer.send(HEADERS, ASK, 3, &request("GET", "/a#b", &[PROBLEM]));
    peer.send(HEADERS, END_HEADERS, 5, &request("POST", "/items", &[PROBLEM, ("content-length", "1")]));
    peer.send(DATA, END_STREAM, 5, b"test");
    for (n, part) in request("GET", "/items/7", &[PROBLEM, ("x-large", &large)]).chunks(16_000).enumerate() {
        let kind = if n == 0 { HEADERS } else { CONTINUATION };
        let flags = if n == 0 { END_STREAM } else { 0 } | if part.len() < 16_000 { END_HEADERS } else { 0 };
        peer.send(kind, flags, 7, part);
    }
    for (stream, code) in [
        (1, "REQUEST_MALFORMED"),
        (3, "REQUEST_MALFORMED"),
        (5, "REQUEST_MALFORMED"),
        (7, "HEADERS_TOO_LARGE"),
    ] {
        let answer = peer.answer(stream);
        assert_eq!((answer.status, answer.header("content-type")), (400, Some(PROBLEM.1)), "{stream}");
        assert_eq!(answer.json()["error"]["code"], code, "{stream}");
        assert_eq!(stream == 1, answer.header("x-request-id") == Some("mine"));
    }
    // A gRPC client gets its own form.
    let grpc = ("content-type", "application/grpc");
    peer.send(HEADERS, ASK, 9, &request("POST", "/items", &[grpc, ("Upper", "a")]));
    let answer = peer.answer(9);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/grpc")));
    assert!(answer.headers.has("grpc-status"));
}

#[test]
fn every_malformed_request_reads_the_whole_error_specification() {
    let (_upstream, gateway) = patient_gateway();
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, ASK, 1, &request("GET", "/items/7", &[("Upper", "a")]));
    assert_error(&gateway, &peer.answer(1), 400, "REQUEST_MALFORMED");
    peer.send(HEADERS, END_HEADERS, 3, &request("POST", "/items", &[("content-length", "1")]));
    peer.send(DATA, END_STREAM, 3, b"test");
    assert_error(&gateway, &peer.answer(3), 400, "REQUEST_MALFORMED");
    // A response to HEAD has no body, even so.
    peer.send(HEADERS, ASK, 5, &request("HEAD", "/items/7", &[("Upper", "a")]));
    let answer = peer.answer(5);
    assert_eq!((answer.status, answer.body.len(), answer.cut), (400, 0, None));
}

#[test]
fn links_in_the_response_to_a_malformed_request_have_its_authority() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).public_url(None));
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, ASK, 1, &request("GET", "/items/7", &[("Upper", "a")]));
    let check = peer.answer(1).json()["error"]["check"].as_str().unwrap().to_owned();
    let (_, rest) = check.split_once("://").unwrap();
    assert_eq!(rest, format!("{HOST}/_docs/errors/REQUEST_MALFORMED"));
}
