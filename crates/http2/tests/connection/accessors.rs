//! The accessors of a connection, as its driver uses them.

use crate::{BLOCK, asking, config, events, frame, server};
use http2::{Connection, ErrorCode, PREFACE, Role};

#[test]
fn settings_are_there_once_they_have_come() {
    let mut server = Connection::new(config(Role::Server));
    server.receive(PREFACE, 0);
    assert!(!server.has_settings());
    server.receive(&frame(4, 0, 0, &[]), 0);
    assert!(server.has_settings());
}

#[test]
fn a_header_block_lasts_until_its_last_piece() {
    let mut server = server();
    assert!(!server.is_within_block());
    server.receive(&frame(1, 1, 1, &BLOCK[..2]), 0);
    assert!(server.is_within_block() && events(&mut server).is_empty());
    server.receive(&frame(9, 4, 1, &BLOCK[2..]), 0);
    assert!(!server.is_within_block());
    assert_eq!(events(&mut server).len(), 1);
}

#[test]
fn a_peer_that_sends_goaway_is_going() {
    let (mut client, _) = asking();
    assert!(!client.peer_is_going());
    client.receive(&frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]), 0);
    assert!(client.peer_is_going());
}

#[test]
fn the_first_failure_is_the_one_a_connection_reports() {
    let mut server = server();
    assert_eq!((server.failed(), server.why_failed()), (None, None));
    server.fail(ErrorCode::PROTOCOL_ERROR, "first");
    server.fail(ErrorCode::CANCEL, "second");
    assert_eq!((server.failed(), server.why_failed()), (Some(ErrorCode::PROTOCOL_ERROR), Some("first")));
    assert!(server.output().ends_with(b"first"));
}

#[test]
fn positions_in_the_output_continue_across_consumed_bytes() {
    let mut server = server();
    let before = server.output_front();
    assert!(before > 0, "the preface was consumed");
    assert_eq!((server.output(), server.output_end()), (&b""[..], before));
    server.receive(&frame(6, 0, 0, b"12345678"), 0);
    assert_eq!((server.output_front(), server.output_end()), (before, before + 17));
    server.take_output(9);
    assert_eq!((server.output(), server.output_front()), (&b"12345678"[..], before + 9));
    server.take_output(usize::MAX);
    assert_eq!((server.output_front(), server.output_end()), (before + 17, before + 17));
}

/// A connection may release its buffers at any moment: what is in progress continues.
#[test]
fn rest_takes_nothing_that_is_needed() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(0, 0, 1, b"part"), 0);
    server.receive(&frame(6, 0, 0, b"12345678"), 0);
    server.rest();
    assert_eq!((server.readable(1), server.output().len()), (&b"part"[..], 17));
    assert_eq!((events(&mut server).len(), server.streams()), (2, 1));
    server.receive(&frame(0, 1, 1, b"end"), 0);
    assert_eq!(server.readable(1), b"partend");
}

#[test]
fn codes_are_printed_by_name_and_unknown_ones_by_number() {
    assert_eq!(ErrorCode::HTTP_1_1_REQUIRED.to_string(), "HTTP_1_1_REQUIRED");
    assert_eq!(ErrorCode::NO_ERROR.name(), Some("NO_ERROR"));
    let unknown = ErrorCode(14);
    assert_eq!(
        (unknown.name(), format!("{unknown} {unknown:?}")),
        (None, "error code 14 error code 14".into())
    );
}
