//! RFC 9113 section 6: each type of frame.

use crate::{
    gateway,
    peer::{
        ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, Expect, FLOW_CONTROL_ERROR,
        FRAME_SIZE_ERROR, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, Peer,
        RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, plain, request,
    },
    try_all,
};

const ASK: u8 = END_STREAM | END_HEADERS;
const BROKEN: Expect = Expect::Connection(&[PROTOCOL_ERROR]);
const SIZE: Expect = Expect::Connection(&[FRAME_SIZE_ERROR]);

fn post(peer: &mut Peer) {
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
}

#[test]
fn s6_1_data() {
    try_all(&[
        ("on stream 0", BROKEN, |peer| peer.try_send(DATA, END_STREAM, 0, b"test")),
        ("with as much padding as payload", BROKEN, |peer| {
            post(peer);
            peer.send(DATA, END_STREAM | PADDED, 1, &[5, b't', b'e', b's', b't']);
        }),
        ("padded to be empty", Expect::Answered(1), |peer| {
            post(peer);
            peer.send(DATA, END_STREAM | PADDED, 1, &[4, 0, 0, 0, 0]);
        }),
        ("without the length of its padding", BROKEN, |peer| {
            post(peer);
            peer.send(DATA, END_STREAM | PADDED, 1, &[]);
        }),
    ]);
}

#[test]
fn s6_2_headers() {
    try_all(&[
        ("with more padding than payload", BROKEN, |peer| {
            let mut payload = vec![0];
            payload.extend(plain());
            payload[0] = payload.len() as u8;
            peer.send(HEADERS, ASK | PADDED, 1, &payload);
        }),
        ("without the priority that it announces", SIZE, |peer| {
            peer.send(HEADERS, ASK | WITH_PRIORITY, 1, &[0, 0]);
        }),
        ("cut into three pieces", Expect::Answered(1), |peer| {
            let block = plain();
            peer.send(HEADERS, END_STREAM, 1, &block[..3]);
            peer.send(CONTINUATION, 0, 1, &block[3..20]);
            peer.send(CONTINUATION, END_HEADERS, 1, &block[20..]);
        }),
    ]);
}

#[test]
fn s6_3_priority() {
    try_all(&[
        ("on stream 0", BROKEN, |peer| peer.try_send(PRIORITY, 0, 0, &[0, 0, 0, 0, 1])),
        ("of another length, on an open stream", Expect::Stream(1, &[FRAME_SIZE_ERROR]), |peer| {
            post(peer);
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 0]);
        }),
        ("of another length, on none", SIZE, |peer| peer.try_send(PRIORITY, 0, 1, &[0; 6])),
    ]);
}

#[test]
fn s6_4_rst_stream() {
    try_all(&[
        ("on stream 0", BROKEN, |peer| peer.reset(0, CANCEL)),
        ("on an idle stream", BROKEN, |peer| peer.reset(1, CANCEL)),
        ("of another length", SIZE, |peer| {
            post(peer);
            peer.send(RST_STREAM, 0, 1, &[0; 3]);
        }),
    ]);
}

#[test]
fn s6_5_settings() {
    try_all(&[
        ("an acknowledgement with a payload", SIZE, |peer| peer.try_send(SETTINGS, ACK, 0, &[0; 6])),
        ("on a stream", BROKEN, |peer| peer.try_send(SETTINGS, 0, 1, &[0, 3, 0, 0, 0, 100])),
        ("of a length that is not a multiple of six", SIZE, |peer| peer.try_send(SETTINGS, 0, 0, &[0, 3, 0])),
        ("6.5.2 ENABLE_PUSH of 2", BROKEN, |peer| peer.settings(&[(2, 2)])),
        ("6.5.2 INITIAL_WINDOW_SIZE above the largest", Expect::Connection(&[FLOW_CONTROL_ERROR]), |peer| {
            peer.settings(&[(4, 0x8000_0000)])
        }),
        ("6.5.2 MAX_FRAME_SIZE below the least", BROKEN, |peer| peer.settings(&[(5, 16_383)])),
        ("6.5.2 MAX_FRAME_SIZE above the largest", BROKEN, |peer| peer.settings(&[(5, 16_777_216)])),
        ("6.5.2 an unknown setting", Expect::GoesOn, |peer| peer.settings(&[(0xff, 1)])),
        ("6.5.3 the last of several values holds", Expect::Answered(1), |peer| {
            peer.settings(&[(4, 0), (4, 100_000)]);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
    ]);
}

#[test]
fn s6_5_3_settings_are_acknowledged_in_their_order() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::open(gateway.address);
    for _ in 0..3 {
        peer.settings(&[(4, 1_000)]);
    }
    for _ in 0..3 {
        let frame = peer.next().unwrap();
        assert_eq!((frame.kind, frame.flags, frame.payload.len()), (SETTINGS, ACK, 0));
    }
}

#[test]
fn s6_6_to_6_8_push_promise_ping_goaway() {
    try_all(&[
        ("6.6 PUSH_PROMISE of a client (8.4)", BROKEN, |peer| {
            post(peer);
            peer.send(PUSH_PROMISE, END_HEADERS, 1, &[vec![0, 0, 0, 2], plain()].concat());
        }),
        ("6.7 PING is answered", Expect::GoesOn, |_| {}),
        ("6.7 PING with ACK is not answered", Expect::GoesOn, |peer| {
            peer.try_send(PING, ACK, 0, b"invalid!")
        }),
        ("6.7 PING on a stream", BROKEN, |peer| peer.try_send(PING, 0, 1, &[0; 8])),
        ("6.7 PING of another length", SIZE, |peer| peer.try_send(PING, 0, 0, &[0; 6])),
        ("6.8 GOAWAY on a stream", BROKEN, |peer| peer.try_send(GOAWAY, 0, 1, &[0; 8])),
        ("6.8 GOAWAY that is too short", SIZE, |peer| peer.try_send(GOAWAY, 0, 0, &[0; 7])),
    ]);
}

#[test]
fn s6_8_after_a_clients_goaway_what_runs_is_answered_and_the_connection_ends() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 0)]);
    peer.ask(1, "GET", "/items/7", &[]);
    // An unknown code is like any other (section 7).
    peer.send(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xff]);
    assert!(peer.ping());
    peer.settings(&[(4, 65_535)]);
    assert_eq!(peer.answer(1).status, 403);
    while peer.next().is_some() {}
}

#[test]
fn s6_9_window_update() {
    const FLOW: Expect = Expect::Connection(&[FLOW_CONTROL_ERROR]);
    try_all(&[
        ("by 0 on the connection", BROKEN, |peer| peer.open_window(0, 0)),
        ("by 0 on a stream", Expect::Stream(1, &[PROTOCOL_ERROR]), |peer| {
            post(peer);
            peer.open_window(1, 0);
        }),
        ("of another length", SIZE, |peer| peer.try_send(WINDOW_UPDATE, 0, 0, &[0; 3])),
        ("of another length on a stream", SIZE, |peer| {
            post(peer);
            peer.send(WINDOW_UPDATE, 0, 1, &[0; 5]);
        }),
        ("6.9.1 a window of the connection above the largest", FLOW, |peer| {
            peer.open_window(0, 0x7fff_ffff);
            peer.open_window(0, 0x7fff_ffff);
        }),
        ("6.9.1 a window of a stream above the largest", Expect::Stream(1, &[FLOW_CONTROL_ERROR]), |peer| {
            post(peer);
            peer.open_window(1, 0x7fff_ffff);
        }),
    ]);
}

#[test]
fn s6_9_1_no_more_is_sent_than_the_window_has_room_for() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 1)]);
    peer.is_generous = false;
    peer.ask(1, "GET", "/items/7", &[]);
    assert_eq!(peer.next_of(1).unwrap().kind, HEADERS);
    let one = peer.next_of(1).unwrap();
    assert_eq!((one.kind, one.flags, one.payload.len()), (DATA, 0, 1));
    assert!(peer.ping());
    peer.open_window(1, 1);
    assert_eq!(peer.next_of(1).unwrap().payload.len(), 1);
}

#[test]
fn s6_9_2_a_window_can_become_negative() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 3)]);
    peer.is_generous = false;
    peer.ask(1, "GET", "/items/7", &[]);
    assert_eq!(peer.next_of(1).unwrap().kind, HEADERS);
    assert_eq!(peer.next_of(1).unwrap().payload.len(), 3);
    peer.settings(&[(4, 2)]); // -1
    peer.open_window(1, 2); // 1
    assert_eq!(peer.next_of(1).unwrap().payload.len(), 1);
}

#[test]
fn s6_10_continuation() {
    try_all(&[
        ("without HEADERS", BROKEN, |peer| peer.try_send(CONTINUATION, END_HEADERS, 1, &plain())),
        ("after the end of the block", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &plain());
            peer.send(CONTINUATION, END_HEADERS, 1, &[]);
        }),
        ("after the end of a block that was continued", BROKEN, |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(CONTINUATION, END_HEADERS, 1, &[]);
            peer.send(CONTINUATION, END_HEADERS, 1, &[]);
        }),
        ("on stream 0", BROKEN, |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(CONTINUATION, END_HEADERS, 0, &[]);
        }),
        ("after DATA", BROKEN, |peer| {
            post(peer);
            peer.send(DATA, 0, 1, b"test");
            peer.send(CONTINUATION, END_HEADERS, 1, &[]);
        }),
    ]);
}
