//! Timeouts: idle connections, heads and bodies that do not arrive, the drain.

use crate::{
    peer::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, NO_ERROR, PREFACE, PROTOCOL_ERROR,
        Peer, plain, request,
    },
    support::{Config, Gate, Gateway, Upstream, assert_error, eventually, sample::sample},
};

fn gateway(timeouts: &str) -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(sample);
    let gateway = Gateway::start(&Config::of(&upstream).section(&format!("[timeouts]\n{timeouts}")));
    (upstream, gateway)
}

#[test]
fn an_idle_connection_ends_without_an_error() {
    let (_upstream, gateway) = gateway("keep_alive = \"200ms\"");
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    assert_eq!(peer.get(1, "/items/7", &key).status, 200);
    assert_eq!(peer.goaway(), Some(NO_ERROR));
    assert!(peer.next().is_none());
}

#[test]
fn a_head_that_does_not_end_ends_the_connection_however_it_trickles() {
    let (_upstream, gateway) = gateway("header = \"300ms\"");
    // Only half a preface, which could still become either protocol.
    let mut peer = Peer::silent(gateway.address);
    peer.write(&PREFACE[..20]);
    assert_eq!(peer.goaway(), Some(PROTOCOL_ERROR));
    // A block that never ends, though parts of it keep arriving.
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, END_STREAM, 1, &plain());
    eventually("it ends", || (!peer.send(CONTINUATION, 0, 1, &[0])).then_some(()));
}

#[test]
fn a_body_that_does_not_come_is_answered_on_its_stream_and_the_others_go_on() {
    let (_upstream, gateway) = gateway("body = \"300ms\"");
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[("x-api-key", &key.key)]));
    peer.send(DATA, 0, 1, b"{");
    assert_error(&gateway, &peer.answer(1), 400, "REQUEST_TIMEOUT");
    assert_eq!(peer.get(3, "/items/7", &key).status, 200);
    assert_eq!(gateway.used(&key), 1);
}

#[test]
fn a_client_that_does_not_open_its_window_loses_the_stream_and_is_charged() {
    let (_upstream, gateway) = gateway("stall = \"300ms\"");
    let key = gateway.key();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 0)]);
    peer.ask(1, "GET", "/items/7", &[("x-api-key", &key.key), ("x-request-id", "shut")]);
    assert_eq!(peer.next_of(1).unwrap().kind, HEADERS);
    assert_eq!(peer.next_of(1).unwrap().kind, crate::peer::RST_STREAM);
    assert_eq!(gateway.logged("shut")["charged"], 1);
    assert!(peer.ping());
}

#[test]
fn a_client_that_reads_nothing_loses_the_connection_and_what_the_system_keeps_for_it() {
    let (_upstream, gateway) = gateway("stall = \"300ms\"");
    let key = gateway.key();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 0x7fff_ffff)]);
    peer.open_window(0, 0x7000_0000);
    let before = gateway.descriptors();
    for stream in [1, 3, 5, 7] {
        peer.ask(stream, "GET", "/bytes/8000000", &[("x-api-key", &key.key)]);
    }
    eventually("it is at work", || (gateway.descriptors() > before).then_some(()));
    // Checked on the socket, because reading would drain it, and descriptors alone may be those of others.
    let ended = eventually("it is let go", || peer.wire.stream.take_error().unwrap());
    assert_eq!(ended.kind(), std::io::ErrorKind::ConnectionReset);
    eventually("its descriptors are closed", || (gateway.descriptors() <= before).then_some(()));
    let mut other = Peer::open(gateway.address);
    assert_eq!(other.get(1, "/items/7", &key).status, 200);
}

#[test]
fn the_drain_lets_running_streams_finish_and_refuses_new_ones() {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        wait.wait();
        exchange.answer(200, &[], b"slow but whole")
    });
    let mut gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut idle = Peer::open(gateway.address);
    let mut peer = Peer::open(gateway.address);
    peer.ask(1, "GET", "/slow", &[("x-api-key", &key.key)]);
    eventually("it is at the upstream", || (upstream.count() == 1).then_some(()));
    gateway.terminate();
    assert_eq!(idle.goaway(), Some(NO_ERROR));
    assert!(idle.next().is_none());
    let farewell = peer.next_of(0).unwrap();
    assert_eq!((farewell.kind, &farewell.payload[..]), (GOAWAY, &[0, 0, 0, 1, 0, 0, 0, 0][..]));
    peer.ask(3, "GET", "/slow", &[("x-api-key", &key.key)]);
    let refused = peer.next_of(3).unwrap();
    assert_eq!((refused.kind, refused.payload[3]), (crate::peer::RST_STREAM, 7));
    may_answer.open();
    let answer = peer.answer(1);
    assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "slow but whole", None));
    assert!(peer.next().is_none());
    assert_eq!(gateway.ended().code(), Some(0));
}
