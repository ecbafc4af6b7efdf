//! Clients that send or open more than any client needs.

use super::others_are_served;
use crate::support::{Config, Gateway, Upstream, assert_error, eventually, get, post};
use std::net::TcpStream;

#[test]
fn heads_without_end_are_refused_at_their_bound() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    others_are_served(&gateway, &key);
    let before = gateway.resident();
    let name_and_value = format!("X-{}: {}\r\n", "n".repeat(500), "v".repeat(500));
    for (begin, endless) in [
        ("GET /", "x".repeat(4 << 20)),
        ("GET / HTTP/1.1\r\n", name_and_value.repeat(4000)),
        ("GET / HTTP/1.1\r\n", "X: y\r\n".repeat(600_000)),
    ] {
        let mut connection = gateway.connect();
        connection.write(begin.as_bytes());
        connection.write(endless.as_bytes());
        assert_error(&gateway, &connection.answer(), 400, "HEADERS_TOO_LARGE");
    }
    others_are_served(&gateway, &key);
    let held = gateway.resident().saturating_sub(before);
    assert!(held < 8 << 20, "{held} bytes more than before");
}

#[test]
fn a_flood_of_connections_leaves_nothing_behind() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    others_are_served(&gateway, &key);
    let before = gateway.descriptors();
    for turn in 0..6 {
        let flood: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(gateway.address).unwrap()).collect();
        for (number, mut stream) in flood.into_iter().enumerate() {
            // Gone before a request, within one, within its body, or without reading the answer.
            let bytes = match (number + turn) % 4 {
                0 => Vec::new(),
                1 => b"GET /items/7 HT".to_vec(),
                2 => post("/items", "{}").key(&key).replace("Content-Length", "900").bytes(),
                _ => get("/bytes/100000").key(&key).bytes(),
            };
            let _ = std::io::Write::write_all(&mut stream, &bytes);
        }
        others_are_served(&gateway, &key);
    }
    eventually("all descriptors are given back", || (gateway.descriptors() <= before + 32).then_some(()));
    others_are_served(&gateway, &key);
}
