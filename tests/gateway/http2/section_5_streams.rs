//! RFC 9113 section 5: the states of streams, their identifiers and number, errors, unknown extensions.

use crate::{
    gateway,
    peer::{
        CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, Expect, HEADERS, NO_ERROR, PING, PRIORITY,
        PROTOCOL_ERROR, Peer, REFUSED_STREAM, STREAM_CLOSED, WINDOW_UPDATE, WITH_PRIORITY, plain, request,
    },
    try_all,
};

const ASK: u8 = END_STREAM | END_HEADERS;

#[test]
fn s5_1_idle() {
    const BROKEN: Expect = Expect::Connection(&[PROTOCOL_ERROR]);
    try_all(&[
        ("DATA", BROKEN, |peer| peer.try_send(DATA, END_STREAM, 1, b"test")),
        ("RST_STREAM", BROKEN, |peer| peer.reset(1, CANCEL)),
        ("WINDOW_UPDATE", BROKEN, |peer| peer.open_window(1, 100)),
        ("CONTINUATION", BROKEN, |peer| peer.try_send(CONTINUATION, END_HEADERS, 1, &plain())),
        ("PRIORITY is allowed", Expect::GoesOn, |peer| peer.try_send(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
    ]);
}

#[test]
fn s5_1_half_closed_remote() {
    // The stream stays half-closed: its window is closed, so that our response cannot end it.
    fn half_closed(peer: &mut Peer) {
        peer.settings(&[(4, 0)]);
        peer.send(HEADERS, ASK, 1, &plain());
    }
    try_all(&[
        ("DATA", Expect::Stream(1, &[STREAM_CLOSED]), |peer| {
            half_closed(peer);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("HEADERS", Expect::Stream(1, &[STREAM_CLOSED]), |peer| {
            half_closed(peer);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("CONTINUATION", Expect::Connection(&[PROTOCOL_ERROR, STREAM_CLOSED]), |peer| {
            half_closed(peer);
            peer.send(CONTINUATION, END_HEADERS, 1, &plain());
        }),
        ("WINDOW_UPDATE lets the answer go", Expect::Answered(1), |peer| {
            half_closed(peer);
            peer.open_window(1, 100_000);
        }),
        ("PRIORITY is allowed", Expect::GoesOn, |peer| {
            half_closed(peer);
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]);
        }),
        ("RST_STREAM is allowed", Expect::GoesOn, |peer| {
            half_closed(peer);
            peer.reset(1, CANCEL);
        }),
    ]);
}

#[test]
fn s5_1_closed() {
    fn ended(peer: &mut Peer) {
        peer.send(HEADERS, ASK, 1, &plain());
        peer.answer(1);
    }
    fn reset(peer: &mut Peer) {
        peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
        peer.reset(1, CANCEL);
    }
    try_all(&[
        ("DATA after RST_STREAM", Expect::Stream(1, &[STREAM_CLOSED]), |peer| {
            reset(peer);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("HEADERS after RST_STREAM", Expect::Stream(1, &[STREAM_CLOSED]), |peer| {
            reset(peer);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("CONTINUATION after RST_STREAM", Expect::Connection(&[PROTOCOL_ERROR, STREAM_CLOSED]), |peer| {
            reset(peer);
            peer.send(CONTINUATION, END_HEADERS, 1, &plain());
        }),
        ("DATA after the end", Expect::Stream(1, &[STREAM_CLOSED]), |peer| {
            ended(peer);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("HEADERS after the end", Expect::Connection(&[STREAM_CLOSED]), |peer| {
            ended(peer);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("CONTINUATION after the end", Expect::Connection(&[PROTOCOL_ERROR, STREAM_CLOSED]), |peer| {
            ended(peer);
            peer.send(CONTINUATION, END_HEADERS, 1, &plain());
        }),
        (
            "WINDOW_UPDATE, RST_STREAM and PRIORITY after the end may have crossed it",
            Expect::GoesOn,
            |peer| {
                ended(peer);
                peer.open_window(1, 100);
                peer.reset(1, NO_ERROR);
                peer.send(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]);
            },
        ),
    ]);
}

#[test]
fn s5_1_1_identifiers() {
    const BROKEN: Expect = Expect::Connection(&[PROTOCOL_ERROR]);
    try_all(&[
        ("an even identifier", BROKEN, |peer| peer.try_send(HEADERS, ASK, 2, &plain())),
        ("stream 0", BROKEN, |peer| peer.try_send(HEADERS, ASK, 0, &plain())),
        ("an identifier lower than the last", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 5, &plain());
            peer.answer(5);
            peer.send(HEADERS, ASK, 3, &plain());
        }),
        ("the highest", Expect::Answered(0x7fff_ffff), |peer| {
            peer.send(HEADERS, ASK, 0x7fff_ffff, &plain());
        }),
    ]);
}

#[test]
fn s5_1_2_one_stream_too_many_is_refused_and_may_come_again() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 0)]);
    let most = peer.settings[&3];
    assert_eq!(most, 100);
    for n in 0..=most {
        peer.ask(n * 2 + 1, "GET", "/items/7", &[]);
    }
    let refused = most * 2 + 1;
    peer.expect(&Expect::Stream(refused, &[REFUSED_STREAM])).unwrap();
    peer.settings(&[(4, 65_535)]);
    for n in 0..most {
        assert_eq!(peer.answer(n * 2 + 1).status, 403);
    }
    peer.ask(refused + 2, "GET", "/items/7", &[]);
    assert_eq!(peer.answer(refused + 2).status, 403);
}

#[test]
fn s5_3_priorities() {
    try_all(&[
        ("HEADERS that depend on themselves", Expect::Stream(1, &[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, ASK | WITH_PRIORITY, 1, &[vec![0, 0, 0, 1, 255], plain()].concat());
        }),
        ("PRIORITY that depends on itself", Expect::Connection(&[PROTOCOL_ERROR]), |peer| {
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 1, 255]);
        }),
        ("PRIORITY of an open stream that depends on itself", Expect::Stream(1, &[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 1, 255]);
        }),
        ("HEADERS with a priority and padding", Expect::Answered(1), |peer| {
            peer.send(
                HEADERS,
                ASK | WITH_PRIORITY | 8,
                1,
                &[vec![2, 0x80, 0, 0, 0, 255], plain(), vec![0, 0]].concat(),
            );
        }),
    ]);
}

#[test]
fn s5_4_errors() {
    try_all(&[
        ("5.4.1 GOAWAY comes before the connection is closed", Expect::Connection(&[6]), |peer| {
            peer.send(PING, 0, 0, &[0; 6]);
        }),
        ("5.4.2 an error of a stream does not end the others", Expect::Answered(3), |peer| {
            peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
            peer.send(WINDOW_UPDATE, 0, 1, &[0; 4]);
            peer.send(HEADERS, ASK, 3, &plain());
        }),
        ("7 an unknown error code is like any other", Expect::GoesOn, |peer| {
            peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
            peer.reset(1, 0xff);
        }),
    ]);
}
