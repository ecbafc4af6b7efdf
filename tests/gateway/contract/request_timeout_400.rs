//! 400 `REQUEST_TIMEOUT`: a head or a body that is not complete in time.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, request};
use std::time::{Duration, Instant};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&config(&upstream), upstream, (400, "REQUEST_TIMEOUT"), |stage| {
        let mut connection = stage.gateway.connect();
        connection.write(&request("POST", "/items").key(&stage.key).header("Content-Length", "9").head());
        connection.write(b"half");
        connection.answer()
    })
}

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).section("[timeouts]\nheader = \"300ms\"\nbody = \"300ms\"\nkeep_alive = \"300ms\"")
}

#[test]
fn a_head_that_does_not_end_is_answered_and_the_connection_closed() {
    let stage = stage();
    for half in ["G", "GET /items", "GET /items HTTP/1.1\r\n", "GET /items HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"]
    {
        let mut connection = stage.gateway.connect();
        let start = Instant::now();
        connection.write(half.as_bytes());
        let answer = connection.answer();
        assert_error(&stage.gateway, &answer, 400, "REQUEST_TIMEOUT");
        assert!(start.elapsed() >= Duration::from_millis(250), "too early: {:?}", start.elapsed());
        assert!(connection.is_closed());
    }
}

#[test]
fn a_byte_now_and_then_does_not_prolong_the_time_of_a_head() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let start = Instant::now();
    let mut writer = connection.wire.stream.try_clone().unwrap();
    std::thread::spawn(move || {
        use std::io::Write;
        for byte in b"GET /items HTTP/1.1\r\nHost: x\r\nX-Slow: abcdefghijklmnopqrstuvwxyz".iter().cycle() {
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    assert_error(&stage.gateway, &connection.answer(), 400, "REQUEST_TIMEOUT");
    assert!(start.elapsed() < Duration::from_secs(3), "it took {:?}", start.elapsed());
}

#[test]
fn a_body_that_stalls_is_answered_whatever_its_framing() {
    let stage = stage();
    let half_bodies: [(&str, &str, &[u8]); 4] = [
        ("Content-Length", "9", b""),
        ("Content-Length", "9", b"12345678"),
        ("Transfer-Encoding", "chunked", b"5\r\nab"),
        ("Transfer-Encoding", "chunked", b"2\r\nab\r\n0\r\n"),
    ];
    for (name, value, half) in half_bodies {
        let mut connection = stage.gateway.connect();
        connection.write(&request("POST", "/items").key(&stage.key).header(name, value).head());
        connection.write(half);
        let answer = connection.answer();
        assert_error(&stage.gateway, &answer, 400, "REQUEST_TIMEOUT");
        assert!(connection.is_closed());
    }
    assert!(stage.upstream.seen().iter().all(|seen| !seen.whole), "{:?}", stage.upstream.seen());
}

#[test]
fn a_slow_body_that_makes_progress_is_not_a_stall() {
    let upstream = Upstream::sample();
    // There is a minimum speed as well; here half of its actual speed.
    let gateway = Gateway::start(&config(&upstream).section("[overload]\nmin_body_rate = \"5B\""));
    let key = gateway.key();
    let mut connection = gateway.connect();
    connection.write(&request("POST", "/items").key(&key).header("Content-Length", "6").head());
    for byte in b"abcdef" {
        std::thread::park_timeout(Duration::from_millis(100));
        connection.write(&[*byte]);
    }
    assert_eq!(connection.answer().status, 200);
}

#[test]
fn a_connection_without_a_request_is_closed_without_an_answer() {
    let stage = stage();
    assert!(stage.gateway.connect().is_closed(), "no request, so no response");
    let mut connection = stage.gateway.connect();
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
    assert!(connection.is_closed(), "no request after the first response");
}

#[test]
fn a_408_of_the_upstream_is_one_too() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/status/408").key(&gateway.key()));
    assert_error(&gateway, &answer, 400, "REQUEST_TIMEOUT");
}
