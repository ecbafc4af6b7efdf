//! RFC 9113 section 4: frames of any kind, and header blocks; RFC 7541 on what cannot be decoded.

use crate::{
    peer::{
        COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, Expect, FRAME_SIZE_ERROR, HEADERS,
        PING, PRIORITY, PROTOCOL_ERROR, SETTINGS, frame, plain,
    },
    try_all,
};

const ASK: u8 = END_STREAM | END_HEADERS;

#[test]
fn s4_1_frame_format() {
    try_all(&[
        ("an unknown type is ignored", Expect::GoesOn, |peer| {
            peer.send(0xff, 0, 0, &[0; 8]);
        }),
        ("an unknown type on a stream is ignored", Expect::Answered(1), |peer| {
            peer.send(0x16, 0, 1, &[0; 8]);
            peer.send(HEADERS, ASK, 1, &plain());
        }),
        ("undefined flags are ignored", Expect::GoesOn, |peer| {
            peer.send(PING, 0x16, 0, &[0; 8]);
        }),
        ("the reserved bit is ignored", Expect::GoesOn, |peer| {
            peer.send(PING, 0, 0x8000_0000, &[0; 8]);
        }),
        ("undefined flags of HEADERS are ignored", Expect::Answered(1), |peer| {
            peer.send(HEADERS, ASK | 0xd2, 1, &plain());
        }),
    ]);
}

#[test]
fn s4_2_frame_size() {
    try_all(&[
        ("DATA of 16,384 bytes is accepted", Expect::Answered(1), |peer| {
            peer.send(HEADERS, END_HEADERS, 1, &crate::peer::request("POST", "/items", &[]));
            peer.send(DATA, END_STREAM, 1, &[b' '; 16_384]);
        }),
        ("DATA larger than SETTINGS_MAX_FRAME_SIZE", Expect::Connection(&[FRAME_SIZE_ERROR]), |peer| {
            peer.send(HEADERS, END_HEADERS, 1, &crate::peer::request("POST", "/items", &[]));
            peer.send(DATA, END_STREAM, 1, &[b' '; 16_385]);
        }),
        ("HEADERS larger than SETTINGS_MAX_FRAME_SIZE", Expect::Connection(&[FRAME_SIZE_ERROR]), |peer| {
            peer.send(HEADERS, ASK, 1, &[0; 16_385]);
        }),
        (
            "SETTINGS larger than that, seen by its head alone",
            Expect::Connection(&[FRAME_SIZE_ERROR]),
            |peer| {
                peer.write(&frame(SETTINGS, 0, 0, &[0; 16_386])[..9]);
            },
        ),
    ]);
}

#[test]
fn s4_3_header_blocks() {
    try_all(&[
        ("a block that cannot be decoded", Expect::Connection(&[COMPRESSION_ERROR]), |peer| {
            peer.send(HEADERS, ASK, 1, b"\x00\x00\x00\x00\x40\x7f");
        }),
        ("PRIORITY within a block", Expect::Connection(&[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(PRIORITY, 0, 1, &[0, 0, 0, 0, 15]);
            peer.send(CONTINUATION, END_HEADERS, 1, &[]);
        }),
        ("HEADERS of another stream within a block", Expect::Connection(&[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(HEADERS, ASK, 3, &plain());
        }),
        ("CONTINUATION of another stream within a block", Expect::Connection(&[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(CONTINUATION, END_HEADERS, 3, &[]);
        }),
        ("an unknown type within a block (5.5)", Expect::Connection(&[PROTOCOL_ERROR]), |peer| {
            peer.send(HEADERS, END_STREAM, 1, &plain());
            peer.send(0xff, 0, 1, &[0; 4]);
        }),
        ("the table survives a stream that is refused", Expect::Answered(3), |peer| {
            // A field that goes into the table, on a stream that is malformed.
            let mut first = plain();
            first.extend(b"\x40\x03x-a\x01b\x00\x01A\x01b");
            peer.send(HEADERS, ASK, 1, &first);
            let mut second = plain();
            second.push(0xbe);
            peer.send(HEADERS, ASK, 3, &second);
        }),
    ]);
}

#[test]
fn hpack() {
    const BROKEN: Expect = Expect::Connection(&[COMPRESSION_ERROR]);
    try_all(&[
        ("2.3.3 an index beyond both tables", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &[plain(), vec![0xff, 0x00]].concat());
        }),
        ("2.3.3 a name by an index beyond both tables", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &[plain(), vec![0x7f, 0x40, 0x01, b'a']].concat());
        }),
        ("4.2 a table size after fields", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &[plain(), vec![0x3f, 0x00]].concat());
        }),
        ("5.2 padding longer than seven bits", BROKEN, |peer| {
            peer.send(
                HEADERS,
                ASK,
                1,
                &[plain(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff".to_vec()].concat(),
            );
        }),
        ("5.2 padding of zeros", BROKEN, |peer| {
            peer.send(
                HEADERS,
                ASK,
                1,
                &[plain(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90".to_vec()].concat(),
            );
        }),
        ("5.2 EOS in a string", BROKEN, |peer| {
            peer.send(
                HEADERS,
                ASK,
                1,
                &[plain(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f".to_vec()].concat(),
            );
        }),
        ("6.1 the index 0", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &[vec![0x80], plain()].concat());
        }),
        ("6.3 a table larger than our setting", BROKEN, |peer| {
            peer.send(HEADERS, ASK, 1, &[b"\x3f\xe2\x1f".to_vec(), plain()].concat());
        }),
        ("6.3 two table sizes at the beginning", Expect::Answered(1), |peer| {
            peer.send(HEADERS, ASK, 1, &[b"\x20\x3f\xe1\x1f".to_vec(), plain()].concat());
        }),
        ("6.1 to 6.2.3 every way to write a field", Expect::Answered(1), |peer| {
            let fields =
                b"\x82\x86\x84\x41\x01a\x40\x03x-a\x01b\x0f\x0d\x010\x00\x03x-c\x01d\x10\x03x-e\x01f\xbe"
                    .to_vec();
            peer.send(HEADERS, ASK, 1, &fields);
        }),
    ]);
}
