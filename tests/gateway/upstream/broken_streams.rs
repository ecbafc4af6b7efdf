//! Truncated responses: never taken for complete, never charged.

use crate::{
    misdeeds::Bench,
    support::{Gateway, Next, get, sample::pattern},
};

/// An upstream that sends this head and then a part of a body of 100,000 bytes.
fn half(head: &'static str, chunked: bool) -> Bench {
    Bench::new(move |exchange| {
        exchange.read_body();
        exchange.write(head.as_bytes());
        if chunked {
            exchange.write(b"c350\r\n");
        }
        exchange.write(&pattern(50_000));
        if chunked {
            exchange.write(b"\r\n");
        }
        Next::Close
    })
}

#[test]
fn a_long_stream_that_breaks_off_closes_the_clients_connection_and_is_free() {
    for (head, chunked) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
        (
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-99999/100000\r\nContent-Length: 100000\r\n\r\n",
            false,
        ),
    ] {
        let bench = half(head, chunked);
        let before = bench.gateway.limits(&bench.key);
        let mut connection = bench.gateway.connect();
        let answer = connection.send(&get("/bad").key(&bench.key));
        assert!(answer.status == 200 || answer.status == 206, "{answer:?}");
        assert!(!answer.is_whole(), "a truncated stream was taken for complete: {} bytes", answer.body.len());
        assert!(answer.body.len() <= 50_000 && pattern(50_000).starts_with(&answer.body));
        assert!(connection.is_closed());
        assert_settled_free(&bench.gateway, answer.header("X-Request-Id").unwrap());
        bench.assert_free(head, &before);
        bench.gateway.incident(answer.header("X-Request-Id").unwrap());
    }
}

/// Waits until the request is settled, by its line in the log.
fn assert_settled_free(gateway: &Gateway, request_id: &str) {
    assert_eq!(gateway.logged(request_id)["charged"], 0);
}

#[test]
fn a_bad_chunk_in_an_answer_is_a_stream_that_breaks_off() {
    for bad in
        ["zz\r\nabc\r\n", "2\r\nabc\r\n0\r\n\r\n", "5\r\nab\r\n0\r\n\r\n", "-1\r\n", "fffffffffffffffff\r\n"]
    {
        let bench = Bench::new(move |exchange| {
            exchange.read_body();
            exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n");
            exchange.write(&pattern(20_000));
            exchange.write(b"\r\n");
            exchange.write(bad.as_bytes());
            Next::Close
        });
        let before = bench.gateway.limits(&bench.key);
        let answer = bench.gateway.send(&get("/bad").key(&bench.key));
        // It may have been detected before anything was sent: then it is a clean 500.
        assert!(answer.status == 500 || !answer.is_whole(), "{bad:?}: {answer:?}");
        assert_settled_free(&bench.gateway, answer.header("X-Request-Id").unwrap());
        bench.assert_free(bad, &before);
    }
}

#[test]
fn an_http_1_0_client_of_a_broken_stream_is_not_charged_either() {
    let bench = half("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
    let before = bench.gateway.limits(&bench.key);
    let answer = bench.gateway.send(&get("/bad").key(&bench.key).version("HTTP/1.0"));
    assert_settled_free(&bench.gateway, answer.header("X-Request-Id").unwrap());
    bench.assert_free("a broken stream to HTTP/1.0", &before);
}

#[test]
fn a_short_answer_that_breaks_off_is_a_clean_500() {
    for length in [2, 100, 16_000, 16_384] {
        let bench = Bench::new(move |exchange| {
            exchange.read_body();
            exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes());
            exchange.write(&pattern(length - 1));
            Next::Close
        });
        bench.assert_500("a short answer that breaks off", "/bad");
    }
}

#[test]
fn a_body_longer_than_its_content_length_is_cut_and_the_rest_is_not_a_response() {
    let bench = Bench::new(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
            Next::Keep,
        )
    });
    let mut connection = bench.gateway.connect();
    for _ in 0..5 {
        let answer = connection.send(&get("/bad").key(&bench.key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        let answer = connection.send(&get("/bytes/9").key(&bench.key));
        assert_eq!((answer.status, answer.body), (200, pattern(9)), "the rest was taken for a response");
    }
}

#[test]
fn a_chunked_answer_that_breaks_before_a_byte_of_it_has_left_is_a_clean_500() {
    let rows: Vec<(&str, Vec<u8>)> = [
        ("an invalid size", "zz\r\nabc\r\n"),
        ("a size without end", "fffffffffffffffff\r\n"),
        ("a chunk that does not end at its size", "2\r\nabc\r\n"),
    ]
    .map(|(name, chunks)| {
        (name, format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}").into_bytes())
    })
    .into();
    crate::misdeeds::try_each_500(rows, Next::Keep);
}
