//! Bodies stream in both directions without being buffered: sizes, framings, trailers, 100-continue.

use crate::support::{
    Config, Framing, Gate, Gateway, Next, Upstream, get, post, request, sample::pattern, sample::sample,
};
use std::thread;

const MEGABYTE: usize = 1 << 20;

#[test]
fn a_request_body_arrives_byte_by_byte_in_every_framing() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for length in [0, 1, 65_535, 65_536, 65_537, MEGABYTE] {
        let body = pattern(length);
        for request in [
            request("POST", "/items").key(&key).body("application/octet-stream", &body),
            request("PUT", "/items").key(&key).chunked("application/octet-stream", &body, 7_777),
        ] {
            let answer = connection.send(&request);
            assert_eq!(answer.status, 200, "{}", answer.text());
            let seen = upstream.last();
            assert!(seen.body == body, "{} of {length} bytes arrived changed", request.method());
        }
    }
    // A known length is kept.
    assert!(
        upstream
            .seen()
            .iter()
            .filter(|seen| seen.method == "POST")
            .all(|seen| { seen.headers.get("Content-Length") == Some(seen.body.len().to_string().as_str()) })
    );
}

#[test]
fn the_upstream_gets_the_first_bytes_of_a_body_before_the_client_sends_the_last() {
    let arrived = Gate::default();
    let opener = arrived.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let (first, _) = exchange.wire.exactly(1000);
        assert_eq!(first, pattern(1000));
        opener.open();
        let (rest, _) = exchange.wire.exactly(MEGABYTE - 1000);
        assert!(rest == pattern(MEGABYTE)[1000..]);
        exchange.body_read = true;
        exchange.seen.whole = true;
        exchange.json(200, "{}")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    let head = request("POST", "/items").key(&gateway.key()).header("Content-Length", &MEGABYTE.to_string());
    connection.write(&head.head());
    connection.write(&pattern(1000));
    assert!(arrived.wait(), "the body was held back");
    connection.write(&pattern(MEGABYTE)[1000..]);
    assert_eq!(connection.answer().status, 200);
}

#[test]
fn the_client_gets_the_first_bytes_of_an_answer_before_the_upstream_sends_the_last() {
    // Whatever the size of the response, the first byte does not wait for the last one.
    for framing in ["Content-Length: 1048576", "Transfer-Encoding: chunked"] {
        let seen = Gate::default();
        let waiter = seen.clone();
        let chunked = framing.starts_with("Transfer");
        let upstream = Upstream::scripted(move |exchange| {
            exchange.read_body();
            let (size, crlf, end) = if chunked { ("3e8\r\n", "\r\n", "ffc18\r\n") } else { ("", "", "") };
            exchange.write(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{size}").as_bytes());
            exchange.write(&pattern(1000));
            exchange.write(crlf.as_bytes());
            assert!(waiter.wait(), "the first bytes of the answer were held back");
            exchange.write(end.as_bytes());
            exchange.write(&pattern(MEGABYTE)[1000..]);
            exchange.write(if chunked { b"\r\n0\r\n\r\n" } else { b"" });
            Next::Keep
        });
        let gateway = Gateway::start(&Config::of(&upstream));
        let mut connection = gateway.connect();
        connection.write(&get("/a").key(&gateway.key()).bytes());
        // The head and the start of the body must arrive before the gate opens.
        let mut answer = crate::support::Answer::read_head(&mut connection.wire).unwrap();
        connection.wire.wait().unwrap();
        seen.open();
        answer.read_body(&mut connection.wire, "GET");
        assert!(answer.is_whole() && answer.body == pattern(MEGABYTE), "{framing}");
    }
}

#[test]
fn both_directions_stream_at_once() {
    let upstream = Upstream::scripted(|exchange| {
        // An echo that answers each piece before the next one is read.
        exchange.body_read = true;
        exchange.seen.whole = true;
        exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..10 {
            let (piece, ended) = exchange.wire.exactly(100);
            if ended.is_some() {
                return Next::Close;
            }
            exchange.write(b"64\r\n");
            exchange.write(&piece);
            exchange.write(b"\r\n");
        }
        exchange.write(b"0\r\n\r\n");
        Next::Keep
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    let head = request("POST", "/echo").key(&gateway.key()).header("Content-Length", "1000");
    connection.write(&head.head());
    connection.write(&[b'a'; 100]);
    let mut answer = crate::support::Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.status, 200);
    for _ in 1..10 {
        connection.wire.wait().unwrap();
        connection.write(&[b'a'; 100]);
    }
    answer.read_body(&mut connection.wire, "POST");
    assert_eq!(answer.body, [b'a'; 1000]);
}

#[test]
fn ten_megabytes_pass_both_ways_at_once_on_several_connections() {
    let upstream = Upstream::scripted(|exchange| {
        let body = exchange.read_body().unwrap_or_default();
        exchange.answer(200, &[], &body)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let body = pattern(10 * MEGABYTE);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let request = request("POST", "/echo").key(&key).body("application/octet-stream", &body);
                let answer = gateway.send(&request);
                assert_eq!((answer.status, answer.body.len()), (200, body.len()));
                assert!(answer.body == body);
            });
        }
    });
}

#[test]
fn trailers_pass_in_both_directions() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n",
            Next::Keep,
        )
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    let head = request("POST", "/a")
        .key(&gateway.key())
        .header("TE", "trailers")
        .header("Trailer", "X-Digest")
        .header("Transfer-Encoding", "chunked");
    connection.write(&head.head());
    connection.write(b"5\r\nhello\r\n0\r\nX-Digest: abc\r\n\r\n");
    let answer = connection.answer();
    assert_eq!((answer.status, answer.text().as_str(), answer.framing), (200, "ok", Framing::Chunked));
    assert_eq!(answer.trailers.get("X-Sum"), Some("42"));
    let seen = upstream.only();
    assert_eq!((seen.body.as_slice(), seen.trailers.get("X-Digest")), (&b"hello"[..], Some("abc")));
}

#[test]
fn a_trailer_cannot_smuggle_fields_that_belong_in_the_head() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    connection
        .write(&request("POST", "/a").key(&gateway.key()).header("Transfer-Encoding", "chunked").head());
    connection.write(b"2\r\nok\r\n0\r\nX-Consumer-Id: other\r\nContent-Length: 99\r\nHost: evil\r\n\r\n");
    let answer = connection.answer();
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text().contains("`X-Consumer-Id`"), "{}", answer.text());
    // What was sent of it before was never complete.
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "{:?}", upstream.seen());
}

#[test]
fn a_client_that_expects_100_continue_gets_it_and_its_body_passes() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let head =
        request("POST", "/items").key(&key).header("Content-Length", "5").header("Expect", "100-continue");
    connection.write(&head.head());
    let interim = crate::support::Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(interim.status, 100);
    connection.write(b"hello");
    let answer = connection.answer();
    assert_eq!(answer.status, 200);
    // Either side may have sent 100; a second one is allowed, but no more.
    assert!(answer.interim.len() <= 1, "{answer:?}");
    assert_eq!(upstream.only().body, b"hello");
}

#[test]
fn a_client_that_does_not_wait_for_100_continue_is_served_as_well() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let request = post("/items", "{\"a\":1}").key(&gateway.key()).header("Expect", "100-continue");
    let answer = gateway.send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream.only().body, b"{\"a\":1}");
}

#[test]
fn a_request_that_is_refused_by_its_head_gets_no_100_continue() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    let head = request("POST", "/items").header("Content-Length", "5").header("Expect", "100-continue");
    connection.write(&head.head());
    let answer = connection.answer();
    assert_eq!((answer.status, answer.interim.len()), (403, 0));
}

#[test]
fn the_upstreams_1xx_answers_pass_to_http_1_1_and_not_to_http_1_0() {
    let upstream = Upstream::scripted(|exchange| {
        match exchange.target() {
        "/hints" => exchange.send_raw(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n\
              HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            Next::Keep,
        ),
        _ => sample(exchange),
    }
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&get("/hints").key(&key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let hints: Vec<_> = answer.interim.iter().map(|(status, fields)| (*status, fields.get("Link"))).collect();
    assert_eq!(hints, [(103, Some("</a.css>")), (103, Some("</b.css>"))]);
    let answer = gateway.send(&get("/hints").key(&key).version("HTTP/1.0"));
    assert_eq!((answer.status, answer.interim.len()), (200, 0));
    let before = gateway.limits(&key);
    gateway.send(&get("/hints").key(&key));
    gateway.limits(&key).assert_charged_since(&before, 1, "an answer with hints before it");
    assert_eq!(gateway.send(&post("/a", "{}").key(&key)).status, 200);
}

#[test]
fn a_request_without_a_body_waits_for_no_100_and_gets_none() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            Next::Keep,
        )
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for request in [get("/a"), request("POST", "/a").header("Content-Length", "0"), request("DELETE", "/a")] {
        let answer = gateway.send(&request.key(&key).header("Expect", "100-continue"));
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        let interim: Vec<u16> = answer.interim.iter().map(|(status, _)| *status).collect();
        assert_eq!(interim, [103], "{answer:?}");
        assert!(!upstream.last().headers.has("Expect"));
    }
}
