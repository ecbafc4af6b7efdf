//! Server-sent events and long polls: each event as it arrives, no timeout while there is nothing to send, charged at
//! the end.

use crate::{
    bench::Bench,
    support::{Answer, Config, Connection, Gate, Next, Upstream, eventually, get},
};
use std::time::Duration;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Sends an event whenever the test opens the next gate, and ends as the target selects.
fn events(gates: Vec<Gate>, configure: impl Fn(Config) -> Config) -> Bench {
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        exchange.write(HEAD);
        for gate in &gates {
            if !gate.wait() || !exchange.write(b"9\r\ndata: 1\n\n\r\n") {
                return Next::Close;
            }
        }
        match exchange.target() {
            "/whole" => exchange.write(b"0\r\n\r\n"),
            "/broken" => return Next::Close,
            _ => exchange.gateway_hangs_up(),
        };
        Next::Keep
    });
    Bench::of(upstream, configure)
}

fn gates(count: usize) -> Vec<Gate> {
    (0..count).map(|_| Gate::default()).collect()
}

fn open(bench: &Bench, target: &str, id: &str, version: &'static str) -> (Connection, Answer) {
    let request = get(target).key(&bench.key).header("Accept", "text/event-stream");
    bench.shake(&request.header("X-Request-Id", id).version(version))
}

#[test]
fn each_event_comes_when_it_was_sent_and_the_charge_at_the_end() {
    let gates = gates(3);
    let bench = events(gates.clone(), |config| config.plan("free", &["1000 per day", "5 at once"]));
    let (mut connection, answer) = open(&bench, "/whole", "whole", "HTTP/1.1");
    assert_eq!((answer.status, answer.header("Transfer-Encoding")), (200, Some("chunked")));
    for gate in &gates {
        gate.open();
        assert_eq!(connection.wire.line().unwrap(), b"9");
        assert_eq!(connection.wire.exactly(11).0, b"data: 1\n\n\r\n");
    }
    assert_eq!(connection.wire.exactly(5).0, b"0\r\n\r\n");
    assert_eq!(bench.charged("whole"), 1);
    // The connection is still an HTTP connection.
    assert_eq!(Limits::of(&bench, &mut connection), (1, 0));
}

/// The used units of the day, and the number of requests in flight.
struct Limits;

impl Limits {
    fn of(bench: &Bench, connection: &mut Connection) -> (u64, u64) {
        let limits = crate::support::limits::Limits::ask(connection, &bench.key);
        (limits.of("1000 per day").used, limits.of("5 at once").used)
    }
}

#[test]
fn a_client_of_http_1_0_reads_events_until_the_connection_ends() {
    let gates = gates(2);
    let bench = events(gates.clone(), |config| config);
    let (mut connection, answer) = open(&bench, "/whole", "old", "HTTP/1.0");
    assert!(!answer.headers.has("Transfer-Encoding") && !answer.headers.has("Content-Length"), "{answer:?}");
    for gate in &gates {
        gate.open();
        assert_eq!(connection.wire.exactly(9).0, b"data: 1\n\n");
    }
    assert_eq!(connection.wire.rest(), (Vec::new(), crate::support::wire::Ended::Closed));
    assert_eq!(bench.charged("old"), 1);
}

#[test]
fn a_stream_that_the_upstream_breaks_is_free_and_does_not_look_whole() {
    for (id, version) in [("new", "HTTP/1.1"), ("old", "HTTP/1.0")] {
        let gates = gates(1);
        let bench = events(gates.clone(), |config| config);
        let before = bench.gateway.limits(&bench.key);
        let (mut connection, _) = open(&bench, "/broken", id, version);
        gates[0].open();
        let (rest, ended) = connection.wire.rest();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{version}");
        if version == "HTTP/1.0" {
            assert_eq!(ended, crate::support::wire::Ended::Reset, "the truncated stream looks complete");
        }
        let line = bench.gateway.logged(id);
        assert_eq!((line["charged"].as_u64(), line["code"].as_str()), (Some(0), Some("UNEXPECTED_ERROR")));
        bench.gateway.limits(&bench.key).assert_charged_since(&before, 0, "a broken stream");
    }
}

#[test]
fn a_client_that_leaves_a_silent_stream_is_noticed_charged_and_its_place_is_free() {
    let gates = gates(1);
    let bench = events(gates.clone(), |config| config.plan("free", &["1000 per day", "1 at once"]));
    let (mut connection, _) = open(&bench, "/endless", "left", "HTTP/1.1");
    gates[0].open();
    assert_eq!(connection.wire.line().unwrap(), b"9");
    // Not before the event was read completely: unread bytes would cause a reset.
    assert_eq!(connection.wire.exactly(11).0.len(), 11);
    assert_eq!(bench.gateway.limits(&bench.key).of("1 at once").used, 1);
    drop(connection);
    assert_eq!(bench.charged("left"), 1);
    eventually("the slot is free", || {
        (bench.gateway.limits(&bench.key).of("1 at once").used == 0).then_some(())
    });
}

#[test]
fn events_may_be_silent_for_longer_than_other_answers_but_not_for_ever() {
    let gates = gates(1);
    let bench =
        events(gates.clone(), |config| config.section("[timeouts]\nstall = \"100ms\"\nstream_idle = \"1s\""));
    let (mut connection, _) = open(&bench, "/endless", "silent", "HTTP/1.1");
    std::thread::park_timeout(Duration::from_millis(500));
    gates[0].open();
    assert_eq!(connection.wire.line().unwrap(), b"9", "the stream ended while it was silent");
    let (rest, _) = connection.wire.rest();
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    assert_eq!(bench.charged("silent"), 0);
}

#[test]
fn a_long_poll_is_answered_when_there_is_something_to_send() {
    let gate = Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        wait.wait();
        exchange.json(200, "{\"news\": 1}")
    });
    let bench =
        Bench::of(upstream, |config| config.section("[timeouts]\nstall = \"100ms\"\nfirst_byte = \"20s\""));
    let mut connection = bench.gateway.connect();
    connection.write(&get("/poll").key(&bench.key).bytes());
    std::thread::park_timeout(Duration::from_millis(300));
    gate.open();
    let answer = connection.answer();
    assert_eq!((answer.status, answer.json()["news"].as_u64()), (200, Some(1)));
}

#[test]
fn a_stream_that_the_time_of_the_whole_ends_was_delivered_and_is_charged() {
    for (id, version) in [("new", "HTTP/1.1"), ("old", "HTTP/1.0")] {
        let gates = gates(1);
        let bench = events(gates.clone(), |config| config.section("[timeouts]\ntotal = \"700ms\""));
        let before = bench.gateway.limits(&bench.key);
        let (mut connection, _) = open(&bench, "/endless", id, version);
        gates[0].open();
        let (rest, _) = connection.wire.rest();
        assert!(rest.windows(7).any(|part| part == b"data: 1"), "{version}");
        let line = bench.gateway.logged(id);
        assert_eq!((line["charged"].as_u64(), line["code"].as_str()), (Some(1), None), "{version}");
        bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "a stream that had its time");
    }
}
