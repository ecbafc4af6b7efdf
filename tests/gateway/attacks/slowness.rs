//! Clients that are slow on purpose: to send a head, to send a body, to read an answer.

use super::others_are_served;
use crate::support::{
    Config, Connection, Gateway, Next, Upstream, assert_error, eventually, get, post, request, sample::sample,
};
use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

#[test]
fn a_head_sent_byte_by_byte_times_out_and_blocks_nobody() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[timeouts]\nheader = \"1500ms\""));
    let key = gateway.key();
    let mut slow: Vec<Connection> = (0..200).map(|_| gateway.connect()).collect();
    let begun = Instant::now();
    let head = b"GET /items/7 HTTP/1.1\r\nHost: a\r\nX-Long: ";
    for byte in head.iter().chain(std::iter::repeat(&b'x')) {
        let is_over =
            slow.iter_mut().map(|one| one.write(std::slice::from_ref(byte))).filter(|taken| !taken).count()
                > 0;
        others_are_served(&gateway, &key);
        if is_over || begun.elapsed() > Duration::from_millis(1600) {
            break;
        }
    }
    for connection in &mut slow {
        assert_error(&gateway, &connection.answer(), 400, "REQUEST_TIMEOUT");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

#[test]
fn a_body_sent_byte_by_byte_times_out_and_costs_nothing() {
    let upstream = Upstream::sample();
    // One endpoint has its body read and checked by the gateway, the other one streams it.
    let config = Config::of(&upstream)
        .endpoint("POST", "/checked", "")
        .parameter("body", "name", "")
        .endpoint("POST", "/streamed", "")
        .endpoint("GET", "/items/{id}", "")
        .section("[timeouts]\nbody = \"1s\"\n[overload]\nmin_body_rate = \"100B\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let begun = Instant::now();
    for path in ["/checked", "/streamed"] {
        let begun = Instant::now();
        let mut slow = gateway.connect();
        let head = request("POST", path).key(&key).header("Content-Type", "application/json");
        slow.write(&head.header("Content-Length", "5000").head());
        // Each byte arrives well within the timeout between two reads.
        while begun.elapsed() < Duration::from_secs(3) && slow.write(b" ") {
            if slow.wire.stream.set_nonblocking(true).is_ok() && slow.wire.wait_unread().is_ok() {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        slow.wire.stream.set_nonblocking(false).unwrap();
        assert_error(&gateway, &slow.answer(), 400, "REQUEST_TIMEOUT");
        assert!(begun.elapsed() > Duration::from_millis(900), "it timed out too early");
    }
    others_are_served(&gateway, &key);
    assert!(begun.elapsed() < Duration::from_secs(14));
    assert_eq!(gateway.used(&key), 1, "only the good client's request");
}

#[test]
fn a_body_that_is_slow_and_fast_enough_arrives() {
    let upstream = Upstream::sample();
    let config =
        Config::of(&upstream).section("[timeouts]\nbody = \"1s\"\n[overload]\nmin_body_rate = \"100B\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut slow = gateway.connect();
    slow.write(&request("POST", "/a").key(&key).header("Content-Length", "3000").head());
    let begun = Instant::now();
    for _ in 0..30 {
        assert!(slow.write(&[b'x'; 100]));
        std::thread::park_timeout(Duration::from_millis(80));
    }
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert_eq!(slow.answer().json()["length"], 3000);
}

#[test]
fn clients_that_do_not_read_responses_are_cut_off_and_hold_little_memory() {
    const LENGTH: usize = 20_000_000;
    let upstream = Upstream::scripted(|exchange| {
        if exchange.target() != "/large" {
            return sample(exchange);
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        let _ = exchange.write(head.as_bytes())
            && (0..LENGTH / 100_000).all(|_| exchange.write(&[b'x'; 100_000]));
        Next::Close
    });
    let gateway = Gateway::start(&Config::of(&upstream).section("[timeouts]\nstall = \"1s\""));
    let key = gateway.key();
    others_are_served(&gateway, &key);
    let before = gateway.resident();
    let mut deaf: Vec<Connection> = (0..40).map(|_| gateway.connect()).collect();
    for connection in &mut deaf {
        connection.write(&get("/large").key(&key).bytes());
    }
    let mut held = 0;
    eventually("all are cut off", || {
        others_are_served(&gateway, &key);
        held = held.max(gateway.resident().saturating_sub(before));
        (gateway.log().matches("\"path\":\"/large\"").count() == 40).then_some(())
    });
    assert!(held < 40 << 20, "{held} bytes are held for 40 clients that do not read");
    for connection in &mut deaf {
        assert!(connection.answer().cut.is_some(), "an unread response was sent completely");
    }
}

#[test]
fn requests_that_are_sent_ahead_without_reading_are_bounded() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[timeouts]\nstall = \"1s\""));
    let key = gateway.key();
    others_are_served(&gateway, &key);
    let before = gateway.resident();
    let ahead = get("/_docs/limits").bytes().repeat(200);
    let mut floods: Vec<TcpStream> = (0..20)
        .map(|_| {
            let stream = TcpStream::connect(gateway.address).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    let mut sent = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        for flood in &mut floods {
            sent += std::io::Write::write(flood, &ahead).unwrap_or(0);
        }
        others_are_served(&gateway, &key);
    }
    assert!(sent > 100_000, "only {sent} bytes were sent");
    let held = gateway.resident().saturating_sub(before);
    assert!(held < 30 << 20, "{held} bytes are held for 20 clients that only send");
    drop(floods);
    assert_eq!(gateway.send(&post("/a", "{}").key(&key)).status, 200);
}
