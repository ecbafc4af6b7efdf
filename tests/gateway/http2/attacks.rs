//! Attacks that HTTP/2 makes possible: each is bounded, and others are served meanwhile.

use crate::{
    gateway,
    peer::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, PING, Peer, SETTINGS,
        WINDOW_UPDATE, block, plain, request,
    },
    support::{Gateway, get},
};

/// Sends until the gateway ends the connection, and returns the error code.
#[track_caller]
fn flood(gateway: &Gateway, mut send: impl FnMut(&mut Peer, u32) -> bool) -> Option<u32> {
    let mut peer = Peer::open(gateway.address);
    for n in 0..200_000 {
        if !send(&mut peer, n) {
            break;
        }
    }
    let code = peer.goaway();
    // Others are still served.
    let answer = gateway.send(&get("/items/7").key(&gateway.key()));
    assert_eq!(answer.status, 200);
    code
}

/// A TCP reset may overtake the last frame of a gateway that we keep sending to.
fn is_sent_away(code: Option<u32>) -> bool {
    matches!(code, None | Some(ENHANCE_YOUR_CALM))
}

#[test]
fn rapid_reset() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let code = flood(&gateway, |peer, n| {
        let stream = n * 2 + 1;
        let ask = crate::peer::frame(
            HEADERS,
            END_STREAM | END_HEADERS,
            stream,
            &request("GET", "/items/7", &[("x-api-key", &key.key)]),
        );
        let reset = crate::peer::frame(3, 0, stream, &[0, 0, 0, 8]);
        peer.write(&[ask, reset].concat())
    });
    assert!(is_sent_away(code), "{code:?}");
    assert!(upstream.count() < 2_000, "{}", upstream.count());
    // The upstream's work was charged: cancelling must not make it free.
    assert_eq!(gateway.used(&key), upstream.count_of("/items/7") - 1);
}

#[test]
fn floods_of_frames_that_cost_nothing_to_send() {
    let (_upstream, gateway) = gateway();
    let cases: [(&str, fn(&mut Peer, u32) -> bool); 6] = [
        ("PING", |peer, _| peer.send(PING, 0, 0, &[0; 8])),
        ("SETTINGS", |peer, _| peer.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff])),
        ("empty DATA", |peer, n| match n {
            0 => peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[])),
            _ => peer.send(DATA, 0, 1, &[]),
        }),
        ("CONTINUATION", |peer, n| match n {
            0 => peer.send(HEADERS, END_STREAM, 1, &plain()),
            _ => peer.send(CONTINUATION, 0, 1, &block(&[("x", "y")])),
        }),
        ("tiny window updates", |peer, _| peer.send(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("resets that the gateway must send", |peer, n| {
            let stream = n * 2 + 1;
            peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[]))
                && peer.send(WINDOW_UPDATE, 0, stream, &[0; 4])
        }),
    ];
    for (what, send) in cases {
        let code = flood(&gateway, send);
        assert!(is_sent_away(code), "{what}: {code:?}");
    }
}

#[test]
fn a_list_that_grows_out_of_a_few_bytes_is_an_error_like_any_other() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::open(gateway.address);
    // An entry of 4,000 bytes in the table, and then again and again by one byte.
    let mut bomb = plain();
    bomb.extend(b"\x40\x01x\x7f\xa1\x1e");
    bomb.extend([b'y'; 4_000]);
    bomb.extend([0xbe; 12_000]);
    for n in 0..50 {
        peer.send(HEADERS, END_STREAM, n * 2 + 1, &bomb[..16_000]);
        peer.send(CONTINUATION, END_HEADERS, n * 2 + 1, &bomb[16_000..]);
        let answer = peer.answer(n * 2 + 1);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("HEADERS_TOO_LARGE"));
    }
}
