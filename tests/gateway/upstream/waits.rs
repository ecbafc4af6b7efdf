//! What a request waits for before it is sent (its own body, a slot among the requests) does not count as the
//! upstream's time, and is not an outlier of the upstream.

use crate::support::{Config, Connection, Gateway, Key, Next, Upstream, get, post, request};
use std::time::Duration;

const FIRST_BYTE: &str = "[timeouts]\nfirst_byte = \"800ms\"\nbody = \"10s\"";

fn pause(millis: u64) {
    std::thread::park_timeout(Duration::from_millis(millis));
}

/// Sends a body that is validated, a byte now and then.
fn send_slowly(gateway: &Gateway, key: &Key, pauses: u64) -> Connection {
    let body = br#"{"name":"slow"}"#;
    let mut slow = gateway.connect();
    let head = request("POST", "/checked").key(key).header("Content-Type", "application/json");
    slow.write(&head.header("Content-Length", &body.len().to_string()).head());
    for byte in body {
        pause(pauses);
        assert!(slow.write(&[*byte]));
    }
    slow
}

fn checked(config: Config) -> Config {
    config.endpoint("POST", "/checked", "").parameter("body", "name", "").endpoint("GET", "/items/{id}", "")
}

#[test]
fn a_checked_body_that_comes_slowly_takes_nothing_of_the_time_to_the_first_byte() {
    let slow = || {
        Upstream::scripted(|exchange| {
            exchange.read_body();
            pause(300);
            exchange.answer(200, &[], b"done")
        })
    };
    let (one, other) = (slow(), slow());
    let both = Config::of_addresses(&[(one.url(), 1), (other.url(), 1)]);
    for config in [Config::of(&one), both.upstream("consecutive_failures = 1")] {
        let gateway = Gateway::start(&checked(config.section(FIRST_BYTE)));
        let key = gateway.key();
        for _ in 0..2 {
            let answer = send_slowly(&gateway, &key, 80).answer();
            assert_eq!((answer.status, answer.text().as_str()), (200, "done"), "{}", gateway.log());
        }
        assert!(!gateway.log().contains("an upstream address is out"), "{}", gateway.log());
    }
}

#[test]
fn a_post_whose_body_took_long_is_not_sent_on_a_connection_that_was_idle_for_as_long() {
    let upstream = Upstream::sample();
    let gateway =
        Gateway::start(&checked(Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1")));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    // A POST is not sent on one that was idle for four seconds.
    assert_eq!(send_slowly(&gateway, &key, 300).answer().status, 200);
    assert_eq!(upstream.connections(), 2);
    assert_eq!(gateway.send(&post("/checked", r#"{"name":"a"}"#).key(&key)).status, 200);
    assert_eq!(upstream.connections(), 2);
}

#[test]
fn waiting_for_a_place_takes_nothing_of_the_time_to_the_first_byte() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        pause(400);
        exchange.answer(200, &[], b"done");
        Next::Keep
    });
    let config = Config::of(&upstream).section(FIRST_BYTE);
    let config = config.upstream("max_requests = 1\nmax_pending_requests = 10\npending_timeout = \"10s\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut all: Vec<Connection> = (0..4).map(|_| gateway.connect()).collect();
    for connection in &mut all {
        connection.write(&get("/items/7").key(&key).bytes());
    }
    for connection in &mut all {
        let answer = connection.answer();
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gateway.log());
    }
}

#[test]
fn date_and_limits_are_those_of_the_moment_of_the_answer() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        pause(if exchange.target() == "/slow" { 2_100 } else { 0 });
        exchange.answer(200, &[], b"done")
    });
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["5 per second"]));
    let key = gateway.key();
    let seconds = |answer: &crate::support::Answer| {
        let date = answer.header("Date").unwrap();
        let time = date.split(' ').nth(4).unwrap();
        time.split(':').fold(0, |all, part| all * 60 + part.parse::<u64>().unwrap())
    };
    let first = seconds(&gateway.send(&get("/soon").key(&key)));
    let slow = gateway.send(&get("/slow").key(&key));
    assert_eq!(slow.status, 200);
    // Except at midnight, two seconds have passed, and the window of the request is over.
    let passed = (seconds(&slow) + 86_400 - first) % 86_400;
    assert!(passed >= 2, "{passed} s: {slow:?}");
    assert_eq!(slow.number("X-Rate-Limit-Remaining"), 5, "{slow:?}");
}
