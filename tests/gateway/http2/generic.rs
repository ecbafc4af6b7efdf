//! What any HTTP/2 server must accept: each type of frame in its plain forms, priorities of every kind, and every
//! representation of HPACK. Conformance suites begin with these.

use crate::{
    peer::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, Expect, HEADERS, PADDED, PRIORITY, Peer, WITH_PRIORITY,
        block, plain, request,
    },
    try_all,
};

const ASK: u8 = END_STREAM | END_HEADERS;
const ANSWERED: Expect = Expect::Answered(1);

fn post(peer: &mut Peer) {
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
}

/// A HEADERS frame with a priority: whether it is exclusive, on which stream it depends, its weight.
fn prioritised(exclusive: bool, on: u32, weight: u8) -> Vec<u8> {
    let on = on | if exclusive { 0x8000_0000 } else { 0 };
    [&on.to_be_bytes()[..], &[weight], &plain()].concat()
}

#[test]
fn every_type_of_frame_is_taken_in_its_plain_forms() {
    try_all(&[
        ("DATA", ANSWERED, |peer| {
            post(peer);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("several DATA, the last one empty", ANSWERED, |peer| {
            post(peer);
            peer.send(DATA, 0, 1, b"te");
            peer.send(DATA, 0, 1, b"st");
            peer.send(DATA, END_STREAM, 1, b"");
        }),
        ("padded DATA", ANSWERED, |peer| {
            post(peer);
            peer.send(DATA, END_STREAM | PADDED, 1, b"\x06test\0\0\0\0\0\0");
        }),
        ("trailers", ANSWERED, |peer| {
            post(peer);
            peer.send(DATA, 0, 1, b"test");
            peer.send(HEADERS, ASK, 1, &block(&[("x-sum", "1")]));
        }),
        ("trailers in pieces", ANSWERED, |peer| {
            post(peer);
            peer.send(DATA, 0, 1, b"test");
            let trailers = block(&[("x-sum", "1")]);
            peer.send(HEADERS, END_STREAM, 1, &trailers[..4]);
            peer.send(CONTINUATION, 0, 1, &trailers[4..]);
            peer.send(CONTINUATION, END_HEADERS, 1, b"");
        }),
        ("padded HEADERS", ANSWERED, |peer| {
            peer.send(HEADERS, ASK | PADDED, 1, &[&[3][..], &plain(), &[0; 3]].concat());
        }),
        ("HEAD", ANSWERED, |peer| peer.try_send(HEADERS, ASK, 1, &request("HEAD", "/items/7", &[]))),
        ("OPTIONS of everything", ANSWERED, |peer| {
            peer.try_send(HEADERS, ASK, 1, &request("OPTIONS", "*", &[]))
        }),
        ("a window of the connection", ANSWERED, |peer| {
            peer.open_window(0, 1);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("a window of a stream", ANSWERED, |peer| {
            post(peer);
            peer.open_window(1, 1);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
        ("settings again, and empty ones", ANSWERED, |peer| {
            peer.settings(&[(1, 4096), (2, 0), (3, 100), (4, 65_535), (5, 16_384), (6, 100)]);
            peer.settings(&[]);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
    ]);
}

#[test]
fn priorities_of_every_kind_change_nothing() {
    try_all(&[
        ("the least weight", ANSWERED, |peer| {
            peer.try_send(HEADERS, ASK | WITH_PRIORITY, 1, &prioritised(false, 0, 0))
        }),
        ("the largest weight", ANSWERED, |peer| {
            peer.send(HEADERS, ASK | WITH_PRIORITY, 1, &prioritised(false, 0, 255));
        }),
        ("on a stream that is not there", ANSWERED, |peer| {
            peer.send(HEADERS, ASK | WITH_PRIORITY, 1, &prioritised(false, 99, 15));
        }),
        ("exclusive", ANSWERED, |peer| {
            peer.try_send(HEADERS, ASK | WITH_PRIORITY, 1, &prioritised(true, 0, 15))
        }),
        ("PRIORITY of a stream to come, then a lower one", ANSWERED, |peer| {
            peer.send(PRIORITY, 0, 9, &[0, 0, 0, 0, 15]);
            peer.send(PRIORITY, 0, 7, &[0x80, 0, 0, 9, 255]);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("PRIORITY within a request", ANSWERED, |peer| {
            post(peer);
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 0, 15]);
            peer.send(DATA, END_STREAM, 1, b"test");
        }),
    ]);
}

#[test]
fn every_representation_of_a_field_is_understood() {
    // After the plain request; 58 is `user-agent` in the static table.
    fn ask(peer: &mut Peer, more: &[u8]) {
        peer.send(HEADERS, ASK, 1, &[&plain(), more].concat());
    }
    const HUFFMAN: &[u8] = b"\x85\xf2\xb2\x4a\x84\xff"; // a name that is `x-test` in part
    try_all(&[
        ("indexed", ANSWERED, |peer| ask(peer, b"\x90")),
        ("kept, its name indexed", ANSWERED, |peer| ask(peer, b"\x7a\x04test")),
        ("kept, its name indexed, Huffman-coded", ANSWERED, |peer| ask(peer, b"\x7a\x83\x49\x50\x9f")),
        ("kept, its name new", ANSWERED, |peer| ask(peer, b"\x40\x01x\x04test")),
        ("kept, all Huffman-coded", ANSWERED, |peer| {
            ask(peer, &[b"\x40", HUFFMAN, b"\x83\x49\x50\x9f"].concat())
        }),
        ("not kept, its name indexed", ANSWERED, |peer| ask(peer, b"\x0f\x2b\x04test")),
        ("not kept, its name indexed, Huffman-coded", ANSWERED, |peer| {
            ask(peer, b"\x0f\x2b\x83\x49\x50\x9f")
        }),
        ("not kept, its name new", ANSWERED, |peer| ask(peer, b"\x00\x01x\x04test")),
        ("not kept, all Huffman-coded", ANSWERED, |peer| {
            ask(peer, &[b"\x00", HUFFMAN, b"\x83\x49\x50\x9f"].concat())
        }),
        ("never kept, its name indexed", ANSWERED, |peer| ask(peer, b"\x1f\x2b\x04test")),
        ("never kept, its name new", ANSWERED, |peer| ask(peer, b"\x10\x01x\x04test")),
        ("never kept, all Huffman-coded", ANSWERED, |peer| {
            ask(peer, &[b"\x10", HUFFMAN, b"\x83\x49\x50\x9f"].concat())
        }),
        ("kept, then by its index", ANSWERED, |peer| ask(peer, b"\x40\x01x\x04test\xbe")),
        ("a name out of the table that grew", ANSWERED, |peer| ask(peer, b"\x40\x01x\x04test\x7e\x01y")),
        ("another size of the table at the beginning", ANSWERED, |peer| {
            peer.send(HEADERS, ASK, 1, &[&b"\x3f\x61"[..], &plain()].concat());
        }),
        ("a size that empties the table", Expect::Connection(&[crate::peer::COMPRESSION_ERROR]), |peer| {
            ask(peer, b"\x40\x01x\x04test");
            peer.send(HEADERS, ASK, 3, &[&b"\x20"[..], &plain(), b"\xbe"].concat());
        }),
    ]);
}
