//! Errors are free and limits exact, also when everything happens on one connection.

use crate::{
    peer::{
        CANCEL, DATA, END_HEADERS, END_STREAM, Expect, HEADERS, PROTOCOL_ERROR, Peer, RST_STREAM, request,
    },
    support::{
        Config, Gate, Gateway, Key, Upstream, eventually, get, sample::sample,
        sockets::wait_until_nothing_moves,
    },
};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

fn place(limits: &[&str]) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| match exchange.target() {
        "/slow" => {
            exchange.read_body();
            wait.wait();
            exchange.answer(200, &[], b"slow")
        }
        "/early" => {
            let body = crate::support::sample::pattern(1_000_000);
            exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            exchange.write(&body);
            crate::support::Next::Close
        }
        "/breaks" => {
            exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly the beginning");
            crate::support::Next::Close
        }
        _ => sample(exchange),
    });
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", limits));
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

#[test]
fn of_many_streams_at_once_exactly_as_many_are_admitted_as_there_are_units() {
    let Place { upstream, gateway, key, may_answer } = place(&["30 per day"]);
    let mut peer = Peer::open(gateway.address);
    for n in 0..100 {
        peer.ask(n * 2 + 1, "GET", "/slow", &[("x-api-key", &key.key)]);
    }
    eventually("all that are admitted are at the upstream", || (upstream.count() == 30).then_some(()));
    may_answer.open();
    let mut admitted = 0;
    for n in 0..100 {
        let answer = peer.answer(n * 2 + 1);
        assert!(matches!(answer.status, 200 | 429), "{answer:?}");
        admitted += u32::from(answer.status == 200);
    }
    assert_eq!((admitted, upstream.count(), gateway.used(&key)), (30, 30, 30));
}

#[test]
fn connections_of_both_protocols_race_for_the_same_units() {
    let Place { upstream, gateway, key, .. } = place(&["50 per day"]);
    let admitted: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..6)
            .map(|racer| {
                let (gateway, key) = (&gateway, &key);
                scope.spawn(move || match racer % 2 {
                    0 => {
                        let mut peer = Peer::open(gateway.address);
                        for n in 0..30 {
                            peer.ask(n * 2 + 1, "GET", "/items/7", &[("x-api-key", &key.key)]);
                        }
                        (0..30).filter(|n| peer.answer(n * 2 + 1).status == 200).count()
                    }
                    _ => {
                        let mut connection = gateway.connect();
                        (0..30).filter(|_| connection.send(&get("/items/7").key(key)).status == 200).count()
                    }
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!((admitted, upstream.count(), gateway.used(&key)), (50, 50, 50));
}

#[test]
fn errors_are_free_between_successes_on_one_connection() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1000 per day"]);
    let mut peer = Peer::open(gateway.address);
    for n in 0..60 {
        let path = if n % 3 == 0 { "/items/7" } else { "/status/500" };
        peer.ask(n * 2 + 1, "GET", path, &[("x-api-key", &key.key)]);
    }
    for n in 0..60 {
        assert_eq!(peer.answer(n * 2 + 1).status, if n % 3 == 0 { 200 } else { 500 });
    }
    assert_eq!(gateway.used(&key), 20);
}

#[test]
fn a_stream_that_the_upstream_breaks_is_reset_and_free() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1000 per day"]);
    let mut peer = Peer::open(gateway.address);
    let answer = peer.get(1, "/breaks", &key);
    assert!(answer.status == 200 && answer.cut.is_some(), "{answer:?}");
    assert!(peer.ping());
    assert_eq!(gateway.used(&key), 0);
}

#[test]
fn a_success_that_the_client_takes_back_is_charged_once() {
    let Place { upstream, gateway, key, may_answer } = place(&["1000 per day"]);
    let mut peer = Peer::open(gateway.address);
    // Before the response.
    peer.ask(1, "GET", "/slow", &[("x-api-key", &key.key), ("x-request-id", "before")]);
    eventually("it is at the upstream", || (upstream.count() == 1).then_some(()));
    peer.reset(1, CANCEL);
    assert!(peer.ping());
    may_answer.open();
    assert_eq!(gateway.logged("before")["charged"], 1);
    // Within the response.
    peer.is_generous = false;
    peer.ask(3, "GET", "/bytes/1000000", &[("x-api-key", &key.key), ("x-request-id", "within")]);
    assert_eq!(peer.next_of(3).unwrap().kind, HEADERS);
    peer.reset(3, CANCEL);
    assert_eq!(gateway.logged("within")["charged"], 1);
    // With the whole connection.
    peer.ask(5, "GET", "/bytes/1000000", &[("x-api-key", &key.key), ("x-request-id", "gone")]);
    assert_eq!(peer.next_of(5).unwrap().kind, HEADERS);
    drop(peer);
    assert_eq!(gateway.logged("gone")["charged"], 1);
    assert_eq!(gateway.used(&key), 3);
}

#[test]
fn a_request_that_breaks_its_own_body_is_free_before_an_answer_and_charged_within_one() {
    let Place { gateway, key, may_answer, upstream } = place(&["1000 per day"]);
    let mut peer = Peer::open(gateway.address);
    let fields: &[(&str, &str)] = &[("x-api-key", &key.key), ("content-length", "4")];
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/slow", fields));
    peer.send(DATA, 0, 1, b"whole");
    peer.expect(&Expect::Malformed(1)).unwrap();
    assert_eq!(gateway.used(&key), 0);
    // The upstream answers while the body still comes, and then the client breaks it.
    peer.is_generous = false;
    let fields: &[(&str, &str)] =
        &[("x-api-key", &key.key), ("x-request-id", "within"), ("content-length", "4")];
    peer.send(HEADERS, END_HEADERS, 3, &request("POST", "/early", fields));
    assert_eq!(peer.next_of(3).unwrap().kind, HEADERS);
    peer.send(DATA, 0, 3, b"too much");
    peer.open_window(0, 2_000_000);
    peer.open_window(3, 2_000_000);
    let reset = std::iter::from_fn(|| peer.next_of(3)).find(|frame| frame.kind == RST_STREAM).unwrap();
    assert_eq!(reset.payload, PROTOCOL_ERROR.to_be_bytes());
    assert_eq!(gateway.logged("within")["charged"], 1);
    assert_eq!(gateway.used(&key), 1);
    may_answer.open();
    drop(upstream);
}

/// A client that has read a response to its end may send again, and must not find its own slot taken. So the slot is
/// free before the last bytes are sent, here before a window lets them go.
#[test]
fn a_place_among_the_requests_at_once_is_free_before_the_last_bytes_of_the_answer() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1 at once", "1000 per day"]);
    const INITIAL_WINDOW: u16 = 4;
    let mut peer = Peer::with_settings(gateway.address, &[(INITIAL_WINDOW, 10)]);
    peer.is_generous = false;
    peer.ask(1, "GET", "/items/7", &[("x-api-key", &key.key)]);
    assert_eq!(peer.next_of(1).unwrap().kind, HEADERS);
    assert_eq!(peer.next_of(1).unwrap().payload.len(), 10, "the beginning, and the window is used up");
    eventually("the place is free", || {
        (gateway.send(&get("/items/7").key(&key)).status == 200).then_some(())
    });
    let limits = gateway.limits(&key);
    assert_eq!(limits.of("1000 per day").used, 2, "what is not delivered yet is reserved");
    peer.open_window(1, 100_000);
    assert_eq!(peer.next_of(1).unwrap().kind, DATA);
    eventually("both are charged", || (gateway.used(&key) == 2).then_some(()));
}

#[test]
fn charges_of_one_connection_survive_a_kill() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1000 per day"]);
    let mut peer = Peer::open(gateway.address);
    for n in 0..50 {
        let path = if n % 2 == 0 { "/items/7" } else { "/status/404" };
        peer.ask(n * 2 + 1, "GET", path, &[("x-api-key", &key.key)]);
    }
    for n in 0..50 {
        peer.answer(n * 2 + 1);
    }
    let home = gateway.kill();
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.used(&key), 25);
}

/// The last bytes of a response may be sent in several pieces; the charge is recorded with the last of them, not before
/// and not never.
#[test]
fn charges_of_answers_that_wait_for_a_window_survive_a_kill() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1000 per day"]);
    const INITIAL_WINDOW: u16 = 4;
    let mut peer = Peer::with_settings(gateway.address, &[(INITIAL_WINDOW, 10)]);
    peer.is_generous = false;
    for stream in [1, 3, 5] {
        peer.ask(stream, "GET", "/items/7", &[("x-api-key", &key.key)]);
        assert_eq!(peer.next_of(stream).unwrap().kind, HEADERS);
        assert_eq!(
            peer.next_of(stream).unwrap().payload.len(),
            10,
            "the beginning, and the window is used up"
        );
    }
    // The rest of the first follows in two pieces, that of the second at once; the third stays incomplete.
    peer.open_window(1, 10);
    assert_eq!(peer.next_of(1).unwrap().payload.len(), 10);
    for stream in [1, 3] {
        peer.open_window(stream, 100_000);
        let rest = peer.next_of(stream).unwrap();
        assert_eq!((rest.kind, rest.flags & END_STREAM), (DATA, END_STREAM));
    }
    let home = gateway.kill();
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.used(&key), 2);
}

/// Responses that end together, and a client that reads only part of what was written.
#[test]
fn charges_of_answers_that_a_slow_reader_takes_piece_by_piece_survive_a_kill() {
    let Place { gateway, key, upstream: _upstream, .. } = place(&["1000 per day"]);
    const INITIAL_WINDOW: u16 = 4;
    let mut peer = Peer::with_settings(gateway.address, &[(INITIAL_WINDOW, 0x7fff_ffff)]);
    peer.open_window(0, 0x7000_0000);
    for n in 0..40 {
        peer.ask(n * 2 + 1, "GET", "/bytes/200000", &[("x-api-key", &key.key)]);
    }
    wait_until_nothing_moves(&peer.wire.stream);
    for n in 0..40 {
        assert_eq!(peer.answer(n * 2 + 1).body.len(), 200_000);
    }
    let home = gateway.kill();
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.used(&key), 40);
}
