//! Framing that is not a body and its length: HEAD, 204, 304, ranges, trailers, 1xx, HTTP/1.0, on one connection.

use crate::{
    bench::Bench,
    support::{Config, Framing, Next, Upstream, assert_error, get, head, request, sample::sample},
};

fn bench() -> Bench {
    let upstream = Upstream::scripted(|exchange| {
        let range = exchange.seen.headers.get("Range").map(str::to_owned);
        match (exchange.target(), range.as_deref()) {
            ("/file", Some("bytes=2-4")) => {
                exchange.answer(206, &[("Content-Range", "bytes 2-4/10"), ("Accept-Ranges", "bytes")], b"234")
            }
            ("/file", Some("bytes=0-0,9-9")) => exchange.answer(
                206,
                &[("Content-Type", "multipart/byteranges; boundary=x")],
                b"--x\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--x--\r\n",
            ),
            ("/file", Some(_)) => exchange.answer(416, &[("Content-Range", "bytes */10")], b""),
            ("/file", None) => exchange.answer(200, &[("Accept-Ranges", "bytes"), ("ETag", "\"1\"")], b"0123456789"),
            ("/same", _) => {
                exchange.send_raw(b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n", Next::Keep)
            }
            ("/gone", _) => exchange.answer(204, &[("X-Kept", "1")], b""),
            ("/chunked-head", _) => {
                exchange.send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Next::Keep)
            }
            ("/trailers", _) => exchange.send_raw(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n",
                Next::Keep,
            ),
            ("/hints", _) => exchange.send_raw(
                b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Own\r\n\
                  X-Own: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                Next::Keep,
            ),
            _ => sample(exchange),
        }
    });
    Bench::of(upstream, |config: Config| config)
}

#[test]
fn ranges_pass_and_a_range_that_is_not_there_is_an_error_that_is_free() {
    let bench = bench();
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.gateway.connect();
    let mut ask = |range: &str| connection.send(&get("/file").key(&bench.key).header("Range", range));
    let answer = ask("bytes=2-4");
    assert_eq!((answer.status, answer.text().as_str()), (206, "234"));
    assert_eq!(answer.header("Content-Range"), Some("bytes 2-4/10"));
    let answer = ask("bytes=0-0,9-9");
    assert_eq!((answer.status, answer.is_whole()), (206, true));
    assert!(answer.header("Content-Type").unwrap().starts_with("multipart/byteranges"));
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 2, "two ranges");
    let answer = ask("bytes=50-");
    assert_error(&bench.gateway, &answer, 400, "REQUEST_MALFORMED");
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 2, "a range that is not there");
}

#[test]
fn a_range_that_is_not_there_is_a_416_for_an_api_that_has_that_code() {
    let upstream =
        Upstream::scripted(|exchange| exchange.answer(416, &[("Content-Range", "bytes */10")], b""));
    let bench = Bench::of(upstream, |config| config.top("extra_codes = [416]"));
    let answer = bench.gateway.send(&get("/file").key(&bench.key).header("Range", "bytes=50-"));
    assert_error(&bench.gateway, &answer, 416, "RANGE_NOT_SATISFIABLE");
}

#[test]
fn answers_without_a_body_end_with_their_head_and_cost_what_answers_cost() {
    let bench = bench();
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.gateway.connect();
    for (request, status, length) in [
        (head("/file").key(&bench.key), 200, Some("10")),
        (head("/chunked-head").key(&bench.key), 200, None),
        (get("/same").key(&bench.key).header("If-None-Match", "\"1\""), 304, Some("10")),
        (get("/gone").key(&bench.key), 204, None),
    ] {
        let answer = connection.send(&request);
        assert_eq!(
            (answer.status, answer.framing, answer.header("Content-Length")),
            (status, Framing::None, length)
        );
        // Not one byte is between it and the next response.
        let next = connection.send(&get("/file").key(&bench.key));
        assert_eq!((next.status, next.text().as_str()), (200, "0123456789"), "after {status}");
    }
    bench.gateway.limits(&bench.key).assert_charged_since(
        &before,
        8,
        "four answers without a body, four with one",
    );
    assert_eq!(bench.upstream.connections(), 1, "an upstream connection was not kept");
}

#[test]
fn errors_to_head_have_no_body_and_state_its_length() {
    let bench = bench();
    let mut connection = bench.gateway.connect();
    let answer = connection.send(&head("/file"));
    assert_eq!((answer.status, answer.body.len()), (403, 0));
    assert!(answer.number("Content-Length") > 100);
    assert_eq!(connection.send(&get("/file").key(&bench.key)).text(), "0123456789");
}

#[test]
fn trailers_reach_clients_of_http_1_1_and_are_left_out_for_http_1_0() {
    let bench = bench();
    let answer = bench.gateway.send(&get("/trailers").key(&bench.key).header("TE", "trailers"));
    assert_eq!((answer.text().as_str(), answer.trailers.get("X-Sum")), ("ok", Some("42")));
    let answer = bench.gateway.send(&get("/trailers").key(&bench.key).version("HTTP/1.0"));
    assert_eq!((answer.status, answer.text().as_str(), answer.is_whole()), (200, "ok", true));
}

#[test]
fn answers_before_the_answer_pass_without_what_belongs_to_the_connection() {
    let bench = bench();
    let answer = bench.gateway.send(&get("/hints").key(&bench.key));
    let interim: Vec<u16> = answer.interim.iter().map(|(status, _)| *status).collect();
    assert_eq!((answer.status, interim.as_slice()), (200, &[102, 103][..]));
    let hints = &answer.interim[1].1;
    assert_eq!(
        (hints.get("Link"), hints.has("Connection"), hints.has("X-Own")),
        (Some("</a.css>"), false, false)
    );
}

#[test]
fn a_client_that_waits_for_100_continue_gets_the_upstreams_refusal_without_sending_its_body() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.body_read = true;
        exchange.seen.whole = true;
        exchange.json(422, "{\"message\": \"not today\"}");
        Next::Close
    });
    let bench = Bench::of(upstream, |config| config);
    let mut connection = bench.gateway.connect();
    let head = request("PUT", "/a").key(&bench.key).header("Content-Length", "5000000");
    connection.write(&head.header("Expect", "100-continue").head());
    let answer = connection.answer();
    assert_error(&bench.gateway, &answer, 422, "UNPROCESSABLE");
    assert!(answer.interim.is_empty(), "{answer:?}");
    // It is unknown whether the body will follow.
    assert!(answer.headers.list("Connection").contains(&"close".to_owned()), "{answer:?}");
}
