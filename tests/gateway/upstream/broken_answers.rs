//! Invalid responses: closed too early, garbage, heads that no parser should accept.

use crate::{
    misdeeds::{Bench, try_each_500},
    support::{Config, Gateway, Next, Upstream, assert_error, get, post},
};

#[test]
fn a_malformed_or_truncated_head_is_a_500() {
    let mut rows: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut row = |name, bytes: &[u8]| rows.push((name, bytes.to_vec()));
    row("closes before the head", b"");
    row("closes in the version", b"HTT");
    row("closes in the status line", b"HTTP/1.1 20");
    row("closes after the status line", b"HTTP/1.1 200 OK\r\n");
    row("closes in a field", b"HTTP/1.1 200 OK\r\nContent-Le");
    row("closes before the empty line", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
    row("closes after the head", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    row("closes in a short body", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    row("closes after a 100", b"HTTP/1.1 100 Continue\r\n\r\n");
    row("garbage", b"this is not HTTP at all\r\n\r\n");
    row("binary garbage", b"\x16\x03\x01\x00\xff\xfe\x00\r\n\r\n\x00\x01");
    row("an answer of SSH", b"SSH-2.0-OpenSSH_9.6\r\n");
    row("an answer of HTTP/0.9", b"<html>hello</html>");
    row("an answer of HTTP/2", b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok");
    row("version 2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    row("a version that is not a number", b"HTTP/1.x 200 OK\r\nContent-Length: 2\r\n\r\nok");
    row("no status", b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok");
    row("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok");
    row("a status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok");
    row("a negative status", b"HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nok");
    row("status 000", b"HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok");
    row("status 099", b"HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok");
    row("a folded field", b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok");
    row("a NUL in a field", b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 2\r\n\r\nok");
    row("a CR in a field", b"HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 2\r\n\r\nok");
    row("a field without a colon", b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok");
    row("a field without a name", b"HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 2\r\n\r\nok");
    row("a space before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok");
    row("an invalid field name", b"HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\nok");
    row("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok");
    row("a list of lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok");
    row("a length that is not a number", b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok");
    row("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok");
    row("a length past all numbers", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok");
    row(
        "both framings",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    row(
        "an unknown coding",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    row(
        "chunked twice",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    row("an enormous head", format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "b".repeat(2 << 20)).as_bytes());
    row("an enormous status line", format!("HTTP/1.1 200 {}\r\n\r\n", "b".repeat(2 << 20)).as_bytes());
    row("too many fields", format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-A: b\r\n".repeat(5_000)).as_bytes());
    row(
        "101 without being asked",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    );
    try_each_500(rows, Next::Close);
}

#[test]
fn statuses_that_no_row_names_are_a_500() {
    // 306 is not among them: it is within 302 to 308.
    let statuses = [309, 310, 399, 500, 501, 502, 504, 508, 511, 599, 600, 700, 999];
    let rows = statuses.map(|status| {
        let bytes =
            format!("HTTP/1.1 {status} Odd\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
        ("a status outside the table", bytes.into_bytes())
    });
    try_each_500(rows.into(), Next::Keep);
}

#[test]
fn an_upstream_that_closes_at_once_is_a_500() {
    // The connection does not even live long enough to write to.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let gateway = Gateway::start(&Config::of_url(&url));
    let key = gateway.key();
    let before = gateway.limits(&key);
    for request in [get("/a"), post("/a", "{}")] {
        assert_error(&gateway, &gateway.send(&request.key(&key)), 500, "UNEXPECTED_ERROR");
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "an upstream that closes at once");
}

#[test]
fn an_unreachable_upstream_is_a_503_whose_incident_names_the_cause_and_whose_response_does_not() {
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    let port = upstream.address.port().to_string();
    assert!(!answer.text().contains(&port), "{}", answer.text());
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap()).to_string();
    assert!(incident.contains("refused") || incident.contains(&port), "{incident}");
    gateway.limits(&key).assert_charged_since(&before, 0, "an unreachable upstream");
}

#[test]
fn a_name_that_does_not_resolve_is_a_503() {
    let gateway = Gateway::start(&Config::of_url("http://nowhere.invalid:9000"));
    let key = gateway.key();
    assert_error(&gateway, &gateway.send(&get("/a").key(&key)), 503, "UNAVAILABLE");
}

#[test]
fn nothing_of_the_misdeed_reaches_the_client() {
    let bench = Bench::new(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 502 /srv/app\r\nX-Powered-By: secret-engine\r\nServer: db-7.internal\r\nSet-Cookie: s=1\r\n\
              Content-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"message\":\"panicked at /srv/app/main.py\"}",
            Next::Close,
        )
    });
    let answer = bench.assert_500("internals", "/bad");
    let all = format!("{answer:?}{}", answer.text());
    for internal in ["/srv/app", "secret-engine", "db-7", "s=1", "main.py"] {
        assert!(!all.contains(internal), "{internal} leaks in {all}");
    }
}
