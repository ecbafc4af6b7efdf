//! What happens to a stream whose handler is done.

use crate::{BLOCK, asking, frame, last_code, server};
use http2::{Connection, ErrorCode as Code};

fn ask(server: &mut Connection) {
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.take_output(usize::MAX);
}

fn answer(server: &mut Connection, ended: bool) {
    server.send_head(1, [(&b":status"[..], &b"200"[..])], ended);
}

#[test]
fn what_is_not_answered_is_reset_and_what_is_answered_may_end_by_itself() {
    // Whether the head and the end of the answer were sent; how the stream is reset, or that it is left open.
    for (head, end, code, is_left) in [
        (false, false, Some(Code::INTERNAL_ERROR), false),
        (true, false, Some(Code::INTERNAL_ERROR), false),
        (true, true, None, true),
    ] {
        let mut server = server();
        ask(&mut server);
        if head {
            answer(&mut server, end);
        }
        server.release(1);
        assert_eq!(last_code(&server).map(|(_, code)| code), code, "{head} {end}");
        assert_eq!((server.has_left(), server.streams()), (is_left, 0), "{head} {end}");
    }
    let (mut client, stream) = asking();
    client.release(stream);
    assert_eq!(last_code(&client), Some((3, Code::CANCEL)));
}

#[test]
fn what_is_closed_already_is_neither_reset_nor_left() {
    let reset_by_peer = |server: &mut Connection| {
        server.receive(&frame(3, 0, 1, &[0, 0, 0, 8]), 0);
    };
    let reset_by_us = |server: &mut Connection| server.reset(1, Code::CANCEL);
    let ended = |server: &mut Connection| {
        server.receive(&frame(0, 1, 1, b""), 0);
    };
    let failed = |server: &mut Connection| server.fail(Code::PROTOCOL_ERROR, "");
    for (what, close) in [
        ("reset by its client", &reset_by_peer as &dyn Fn(&mut Connection)),
        ("reset", &reset_by_us),
        ("ended", &ended),
        ("of a connection that has failed", &failed),
    ] {
        let mut server = server();
        ask(&mut server);
        answer(&mut server, true);
        close(&mut server);
        server.take_output(usize::MAX);
        server.release(1);
        assert_eq!((server.output(), server.has_left(), server.streams()), (&b""[..], false, 0), "{what}");
        server.reset(1, Code::CANCEL);
        assert_eq!(server.output(), b"", "{what}: it no longer exists");
    }
    let mut server = server();
    ask(&mut server);
    server.fail(Code::PROTOCOL_ERROR, "");
    server.take_output(usize::MAX);
    server.reset(1, Code::CANCEL);
    assert_eq!(server.output(), b"", "GOAWAY was the last frame");
}

#[test]
fn a_malformed_request_that_was_answered_is_reset() {
    let mut server = server();
    ask(&mut server);
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    answer(&mut server, true);
    server.release(1);
    assert_eq!(last_code(&server), Some((3, Code::NO_ERROR)));
    assert!(!server.has_left());
}

#[test]
fn unread_data_does_not_keep_the_window_of_the_connection_closed() {
    // Half of a window of 100,000 bytes.
    let opened = frame(8, 0, 0, &50_000_u32.to_be_bytes());
    for is_answered in [false, true] {
        let mut server = server();
        for stream in [1, 3, 5] {
            server.receive(&frame(1, 4, stream, BLOCK), 0);
        }
        for (stream, length) in [(1, 16_000), (3, 16_000), (5, 16_000), (5, 2_000)] {
            server.receive(&frame(0, 0, stream, &vec![0; length]), 0);
        }
        for stream in [1, 3, 5] {
            assert!(!server.output().windows(opened.len()).any(|bytes| bytes == opened));
            if is_answered {
                server.send_head(stream, [(&b":status"[..], &b"403"[..])], true);
            }
            server.release(stream);
        }
        assert!(server.output().windows(opened.len()).any(|bytes| bytes == opened), "{is_answered}");
    }
}

/// Each counts toward its sender's limit of open streams: of ten, five.
#[test]
fn half_of_the_streams_may_be_left_and_then_the_oldest_is_reset() {
    let mut server = server();
    for stream in [1, 3, 5, 7, 9, 11] {
        assert_eq!(last_code(&server), None, "before {stream}");
        server.receive(&frame(1, 4, stream, BLOCK), 0);
        server.send_head(stream, [(&b":status"[..], &b"403"[..])], true);
        server.release(stream);
    }
    assert!(server.output().ends_with(&frame(3, 0, 1, &[0; 4])));
}
