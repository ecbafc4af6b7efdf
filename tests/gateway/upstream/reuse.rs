//! When a connection to the upstream is reused, and when a request is retried: each condition by itself, so that
//! none can be dropped unnoticed.

use crate::support::{
    Answer, Config, Exchange, Gate, Gateway, Key, Next, Request, Upstream, get, head, post, request,
};
use crate::support::{assert_error, eventually, sample::sample};
use std::time::{Duration, Instant};

/// One data thread, so that the next request finds the connection of the one before.
fn gateway(upstream: &Upstream) -> (Gateway, Key) {
    let gateway = Gateway::start(&Config::of(upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    (gateway, key)
}

/// Handles the very first request by `first`, and every other one like the sample.
fn upstream(first: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Upstream {
    Upstream::scripted(move |exchange| {
        if exchange.seen.connection == 0 && exchange.earlier == 0 {
            first(exchange)
        } else {
            sample(exchange)
        }
    })
}

/// Whether the next request came on the same connection. It succeeds in any case.
#[track_caller]
fn is_used_again(upstream: &Upstream, gateway: &Gateway, key: &Key, what: &str) -> bool {
    let answer = gateway.send(&get("/items/7").key(key));
    assert_eq!(answer.status, 200, "after {what}: {}", answer.text());
    let seen = upstream.last();
    assert_eq!(seen.target, "/items/7", "after {what}");
    seen.connection == 0
}

#[test]
fn a_connection_is_reused_if_and_only_if_its_response_has_ended_and_nothing_forbids_it() {
    let large = format!("HTTP/1.1 404 No\r\nContent-Length: 100000\r\n\r\n{}", "x".repeat(100_000));
    let conditional = || get("/a").header("If-None-Match", "\"1\"");
    for (request, sent, again) in [
        (get("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
        (post("/a", "{}"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
        (get("/a"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true),
        (get("/a"), "HTTP/1.1 204 No Content\r\n\r\n", true),
        (conditional(), "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", true),
        (get("/a"), "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
        (get("/a"), "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", true),
        (get("/a"), "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", true),
        (head("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true),
        (get("/a"), "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true),
        // Bytes after the response: they belong to no request.
        (get("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokX", false),
        (get("/a"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX", false),
        (get("/a"), "HTTP/1.1 204 No Content\r\n\r\nX", false),
        (conditional(), "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\nX", false),
        (get("/a"), "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nnoX", false),
        (get("/a"), "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\nX", false),
        (head("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
        (head("/a"), "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", false),
        // It announces that it will close, and does not.
        (get("/a"), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false),
        (get("/a"), "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", false),
        (get("/a"), "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok", false),
        (get("/a"), "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
        (get("/a"), "HTTP/1.0 404 No\r\nContent-Length: 2\r\n\r\nno", false),
        (get("/a"), "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 2\r\n\r\nok", false),
        // An error whose body is not read to its end.
        (get("/a"), large.as_str(), false),
        (get("/a"), "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", false),
        (get("/a"), "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", false),
    ] {
        let bytes = sent.as_bytes().to_vec();
        let upstream = upstream(move |exchange| exchange.send_raw(&bytes, Next::Keep));
        let (gateway, key) = gateway(&upstream);
        let answer = gateway.send(&request.key(&key));
        assert!(answer.is_whole(), "{answer:?}");
        let what = &sent[..sent.len().min(120)];
        assert_eq!(is_used_again(&upstream, &gateway, &key, what), again, "{what}");
    }
}

#[test]
fn a_connection_on_which_a_body_was_not_sent_to_its_end_is_not_used_again() {
    for answer in ["HTTP/1.1 200 OK", "HTTP/1.1 202 Accepted", "HTTP/1.1 404 No", "HTTP/1.1 503 No"] {
        for framing in [("Content-Length", "100000"), ("Transfer-Encoding", "chunked")] {
            // Responds before the body has arrived, and keeps reading it.
            let bytes = format!("{answer}\r\nContent-Length: 2\r\n\r\nok").into_bytes();
            let upstream = upstream(move |exchange| {
                exchange.write(&bytes);
                Next::Keep
            });
            let (gateway, key) = gateway(&upstream);
            let mut connection = gateway.connect();
            let upload = request("POST", "/upload").key(&key).header(framing.0, framing.1);
            connection.write(&upload.header("Content-Type", "text/plain").head());
            connection.write(b"5\r\nhello\r\n");
            let answered = connection.answer();
            assert!(answer.contains(&answered.status.to_string()), "{answered:?}");
            let what = format!("an upload that was answered {answer}");
            assert!(!is_used_again(&upstream, &gateway, &key, &what), "{what} ({framing:?})");
        }
    }
}

/// The client breaks its own body during the response. The response counts, but the upstream has only a part of the
/// body.
#[test]
fn a_connection_on_which_a_body_broke_off_within_its_answer_is_not_used_again() {
    let too_large = [&b"32000\r\n"[..], &[b'x'; 0x32000], b"\r\n"].concat();
    for (what, broken) in [("an invalid chunk", &b"no chunk\r\n"[..]), ("a chunk too many", &too_large)] {
        let may_end = Gate::default();
        let wait = may_end.clone();
        let upstream = upstream(move |exchange| {
            let half = "x".repeat(50_000);
            exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{half}").as_bytes());
            wait.wait();
            exchange.write(half.as_bytes());
            Next::Keep
        });
        let config = Config::of(&upstream).section("[sizes]\nmax_body_size = \"100KiB\"");
        let gateway = Gateway::start(&config.listen("address = \"127.0.0.1:0\"\nthreads = 1"));
        let key = gateway.key();
        let mut connection = gateway.connect();
        let upload = request("POST", "/upload").key(&key).header("Transfer-Encoding", "chunked");
        connection.write(&upload.header("Content-Type", "text/plain").head());
        connection.write(b"5\r\nhello\r\n");
        let mut answer = Answer::read_head(&mut connection.wire).unwrap();
        connection.write(broken);
        may_end.open();
        answer.read_body(&mut connection.wire, "POST");
        assert!(answer.status == 200 && answer.is_whole() && answer.body.len() == 100_000, "{what}");
        assert!(!is_used_again(&upstream, &gateway, &key, what), "{what}");
        assert!(!upstream.seen()[0].whole, "{what}");
    }
}

/// A body that was read to be validated is written as a whole. It is larger than what the kernel accepts at once.
#[test]
fn a_connection_that_was_answered_before_a_checked_body_was_written_is_not_used_again() {
    for status in ["200 OK", "404 No"] {
        let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok").into_bytes();
        let upstream = upstream(move |exchange| {
            exchange.write(&bytes);
            Next::Keep
        });
        let (gateway, key) = checking(&upstream);
        let answer = gateway.send(&post("/large", &large()).key(&key));
        assert!(status.starts_with(&answer.status.to_string()), "{answer:?}");
        let what = format!("a checked body that was answered {status}");
        assert!(!is_used_again(&upstream, &gateway, &key, &what), "{what}");
    }
}

#[test]
fn an_upstream_that_answers_while_it_reads_a_checked_body_gets_all_of_it() {
    for length in [5, 100_000] {
        let upstream = upstream(move |exchange| {
            let half = "x".repeat(length);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{half}", 2 * length);
            exchange.write(head.as_bytes());
            exchange.read_body();
            exchange.write(half.as_bytes());
            Next::Keep
        });
        let (gateway, key) = checking(&upstream);
        let body = large();
        let mut connection = gateway.connect();
        let answer = connection.send(&post("/large", &body).key(&key));
        assert!(answer.status == 200 && answer.is_whole() && answer.body.len() == 2 * length, "{length}");
        let seen = upstream.only();
        assert!(seen.body == body.as_bytes(), "{length}: {} bytes", seen.body.len());
        assert!(is_used_again(&upstream, &gateway, &key, "a body that was written whole"), "{length}");
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200, "{length}");
    }
}

/// A gateway that checks the bodies for `/large`.
fn checking(upstream: &Upstream) -> (Gateway, Key) {
    let config = Config::of(upstream).document(CHECKED).section("[sizes]\nmax_body_size = \"32MiB\"");
    let gateway = Gateway::start(&config.listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    (gateway, key)
}

const CHECKED: &str = r#"
openapi: 3.1.0
info: {title: Checked, version: "1"}
paths:
  /items/{id}:
    get: {parameters: [{name: id, in: path, required: true, schema: {type: integer}}], responses: {"200": {description: ok}}}
  /large:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: string}}}}, responses: {"200": {description: ok}}}
"#;

fn large() -> String {
    format!("\"{}\"", "x".repeat(24 << 20))
}

#[test]
fn a_request_that_must_not_be_repeated_goes_by_a_connection_that_was_used_a_moment_ago() {
    // Servers close what was idle for 5 seconds and more; a request that races with that close may have been processed.
    let upstream = Upstream::sample();
    let (gateway, key) = gateway(&upstream);
    let rest = Duration::from_millis(4300);
    for method in ["POST", "DELETE", "PUT", "PATCH", "GET", "HEAD", "OPTIONS"] {
        let opened = gateway.send(&get("/items/7").key(&key));
        assert_eq!(opened.status, 200);
        let before = upstream.last().connection;
        if method == "POST" || method == "GET" {
            // At once: no connection is opened.
            gateway.send(&request(method, "/now").key(&key));
            assert_eq!(upstream.last().connection, before, "{method} at once");
        }
        let rested = Instant::now();
        eventually("it was idle", || (rested.elapsed() >= rest).then_some(()));
        gateway.send(&request(method, "/later").key(&key));
        let seen = upstream.last();
        assert_eq!(seen.target, "/later");
        let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS");
        assert_eq!(seen.connection == before, is_safe, "{method} on an idle connection");
    }
}

/// Every method, without a body and with one, and whether it may be retried.
fn requests() -> Vec<(Request, bool)> {
    let mut all: Vec<(Request, bool)> = vec![(get("/take"), true), (head("/take"), true)];
    for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
        all.push((request(method, "/take"), false));
        all.push((request(method, "/take").header("Content-Length", "0"), false));
        all.push((request(method, "/take").body("text/plain", b"a"), false));
    }
    all
}

#[test]
fn a_request_that_may_change_something_is_never_sent_twice_on_a_connection_that_was_kept() {
    // Reads the second request to its end, and closes without a response.
    for (request, is_safe) in requests() {
        let upstream = Upstream::scripted(|exchange| {
            exchange.read_body();
            if exchange.seen.connection == 0 && exchange.earlier == 1 {
                Next::Close
            } else {
                sample(exchange)
            }
        });
        let (gateway, key) = gateway(&upstream);
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        let what = format!("{request:?}");
        let answer: Answer = gateway.send(&request.key(&key));
        assert_eq!(upstream.count_of("/take"), if is_safe { 2 } else { 1 }, "{what}");
        assert_eq!(answer.status == 500, !is_safe, "{what}: {answer:?}");
    }
}

#[test]
fn a_request_that_may_change_something_is_never_sent_to_a_second_address() {
    let mute = || {
        Upstream::scripted(|exchange| {
            exchange.read_body();
            Next::Close
        })
    };
    for (request, is_safe) in requests() {
        let (first, second) = (mute(), mute());
        let config = Config::of_addresses(&[(first.url(), 1), (second.url(), 1)]);
        let gateway = Gateway::start(&config.upstream("retry_budget_min_per_second = 1000"));
        let what = format!("{request:?}");
        let is_head = what.contains("HEAD");
        let answer = gateway.send(&request.key(&gateway.key()));
        if is_head {
            assert_eq!(answer.status, 500, "{what}");
        } else {
            assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        }
        let sent = first.count_of("/take") + second.count_of("/take");
        assert_eq!(sent, if is_safe { 2 } else { 1 }, "{what}");
    }
}
