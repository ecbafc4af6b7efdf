//! Buffers for an upstream's response are bounded: past the bound the response is replaced, without more memory.

use crate::{
    misdeeds::Bench,
    support::{Config, Gateway, Next, Upstream, assert_error, error_of, get},
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const KEPT: &str = "The shelf is empty.";

/// A human-readable message, in a body of about so many bytes.
fn message_of(bytes: usize) -> Vec<u8> {
    format!("{{\"message\":\"{KEPT}\",\"trace\":\"{}\"}}", "x".repeat(bytes)).into_bytes()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_message_of_a_small_error_is_kept_and_of_a_large_one_nothing_is_read() {
    let upstream = Upstream::scripted(|exchange| {
        let (form, bytes) = exchange.target().trim_start_matches('/').split_once('/').unwrap();
        let body = message_of(bytes.parse().unwrap());
        match form {
            "length" => exchange.answer(422, &[("Content-Type", "application/json")], &body),
            "gzip" => {
                let fields = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
                exchange.answer(422, &fields, &gzipped(&body))
            }
            _ => {
                exchange.write(b"HTTP/1.1 422 Unprocessable\r\nContent-Type: application/json\r\n");
                exchange.write(b"Transfer-Encoding: chunked\r\n\r\n");
                for part in body.chunks(10_000) {
                    exchange.write(format!("{:x}\r\n", part.len()).as_bytes());
                    exchange.write(part);
                    exchange.write(b"\r\n");
                }
                exchange.write(b"0\r\n\r\n");
                Next::Keep
            }
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for form in ["length", "chunked", "gzip"] {
        for (bytes, is_kept) in [(60_000, true), (70_000, false)] {
            let answer = gateway.send(&get(&format!("/{form}/{bytes}")).key(&key));
            assert_error(&gateway, &answer, 422, "UNPROCESSABLE");
            let message = error_of(&answer)["message"].as_str().unwrap().to_owned();
            assert_eq!(message.contains(KEPT), is_kept, "{form}, {bytes} bytes: {message}");
        }
    }
}

#[test]
fn an_error_without_end_takes_no_memory() {
    let bench = Bench::new(|exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n");
        let part = [&b"100000\r\n"[..], &[b'x'; 1 << 20], b"\r\n"].concat();
        // As much as is read, and no more than would fill a machine's memory in seconds.
        for _ in 0..300 {
            if !exchange.write(&part) {
                break;
            }
        }
        Next::Close
    });
    assert_eq!(bench.gateway.send(&get("/items/7").key(&bench.key)).status, 200);
    let before = bench.gateway.resident();
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_error(&bench.gateway, &answer, 404, "RESOURCE_NOT_FOUND");
    let more = bench.gateway.resident().saturating_sub(before);
    assert!(more < 16 << 20, "{more} bytes more than before");
}

#[test]
fn a_head_without_end_is_an_error_that_takes_no_memory() {
    let bench = Bench::new(|exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 200 OK\r\n");
        let field = format!("X-Part: {}\r\n", "x".repeat(1_000));
        for _ in 0..100_000 {
            if !exchange.write(field.as_bytes()) {
                break;
            }
        }
        Next::Close
    });
    assert_eq!(bench.gateway.send(&get("/items/7").key(&bench.key)).status, 200);
    let before = bench.gateway.resident();
    bench.assert_500("a head without end", "/bad");
    let more = bench.gateway.resident().saturating_sub(before);
    assert!(more < 8 << 20, "{more} bytes more than before");
}
