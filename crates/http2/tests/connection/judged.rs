//! Each frame against the rules of RFC 9113 sections 5 and 6, by the state of its stream.

use crate::{BLOCK, asking, config, events, frame, last_code, server};
use http2::{Connection, ErrorCode as Code, Event, PREFACE, Role};

/// How a frame is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Fine,
    Stream(Code),
    Connection(Code),
}
use Judged::{Connection as Fatal, Fine, Stream};

fn judge(connection: &mut Connection, bytes: &[u8]) -> Judged {
    connection.take_output(usize::MAX);
    connection.receive(bytes, 0);
    match (connection.failed(), last_code(connection)) {
        (Some(code), _) => Fatal(code),
        (None, Some((3, code))) => Stream(code),
        (None, None) => Fine,
        (None, other) => panic!("{other:?}"),
    }
}

/// A server with an open stream (1), one whose request has ended (3), and one that its client has reset (5).
fn busy() -> Connection {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(1, 5, 3, BLOCK), 0);
    server.receive(&frame(1, 4, 5, BLOCK), 0);
    server.receive(&frame(3, 0, 5, &[0, 0, 0, 8]), 0);
    events(&mut server);
    server
}

/// The priority fields of HEADERS: the stream dependency, and a weight.
fn prioritised(dependency: u32) -> Vec<u8> {
    [&dependency.to_be_bytes()[..], &[16], BLOCK].concat()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_server_judges_each_frame_by_its_stream_and_its_size() {
    for (what, bytes, judged) in [
        ("DATA", frame(0, 0, 1, b"a"), Fine),
        ("DATA on stream 0", frame(0, 0, 0, b"a"), Fatal(Code::PROTOCOL_ERROR)),
        ("DATA on an idle stream", frame(0, 0, 7, b"a"), Fatal(Code::PROTOCOL_ERROR)),
        ("DATA on an even stream", frame(0, 0, 2, b"a"), Fatal(Code::PROTOCOL_ERROR)),
        ("DATA after the end", frame(0, 0, 3, b"a"), Stream(Code::STREAM_CLOSED)),
        ("DATA after a reset", frame(0, 0, 5, b"a"), Stream(Code::STREAM_CLOSED)),
        ("DATA with padding", frame(0, 8, 1, &[1, b'a', 0]), Fine),
        ("DATA that is all padding", frame(0, 8, 1, &[2, 0, 0]), Fine),
        ("DATA with more padding than payload", frame(0, 8, 1, &[3, 0, 0]), Fatal(Code::PROTOCOL_ERROR)),
        ("HEADERS on stream 0", frame(1, 4, 0, BLOCK), Fatal(Code::PROTOCOL_ERROR)),
        ("HEADERS on an even stream", frame(1, 4, 8, BLOCK), Fatal(Code::PROTOCOL_ERROR)),
        ("HEADERS after the end", frame(1, 5, 3, BLOCK), Stream(Code::STREAM_CLOSED)),
        ("HEADERS after a reset", frame(1, 5, 5, BLOCK), Stream(Code::STREAM_CLOSED)),
        ("HEADERS with padding", frame(1, 0x0d, 7, &[&[1][..], BLOCK, &[0]].concat()), Fine),
        ("HEADERS with more padding than payload", frame(1, 0x0d, 7, &[9, 0]), Fatal(Code::PROTOCOL_ERROR)),
        ("HEADERS with a priority", frame(1, 0x25, 7, &prioritised(1)), Fine),
        (
            "HEADERS that depend on themselves",
            frame(1, 0x25, 7, &prioritised(7)),
            Stream(Code::PROTOCOL_ERROR),
        ),
        ("the same, exclusively", frame(1, 0x25, 7, &prioritised(0x8000_0007)), Stream(Code::PROTOCOL_ERROR)),
        (
            "trailers that depend on themselves",
            frame(1, 0x25, 1, &prioritised(1)),
            Stream(Code::PROTOCOL_ERROR),
        ),
        ("HEADERS without their priority", frame(1, 0x25, 7, &[0; 4]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("HEADERS that are not HPACK", frame(1, 5, 7, &[0xff; 9]), Fatal(Code::COMPRESSION_ERROR)),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 0]), Fine),
        ("PRIORITY on an idle stream", frame(2, 0, 9, &[0, 0, 0, 3, 0]), Fine),
        ("PRIORITY on stream 0", frame(2, 0, 0, &[0, 0, 0, 3, 0]), Fatal(Code::PROTOCOL_ERROR)),
        ("a short PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3]), Stream(Code::FRAME_SIZE_ERROR)),
        ("a long PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 0, 0]), Stream(Code::FRAME_SIZE_ERROR)),
        ("a short PRIORITY on an idle stream", frame(2, 0, 9, &[0; 4]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("a stream that depends on itself", frame(2, 0, 1, &[0, 0, 0, 1, 0]), Stream(Code::PROTOCOL_ERROR)),
        ("the same, exclusively", frame(2, 0, 1, &[0x80, 0, 0, 1, 0]), Stream(Code::PROTOCOL_ERROR)),
        ("an idle one that does", frame(2, 0, 9, &[0, 0, 0, 9, 0]), Fatal(Code::PROTOCOL_ERROR)),
        ("RST_STREAM", frame(3, 0, 1, &[0, 0, 0, 8]), Fine),
        ("RST_STREAM on an idle stream", frame(3, 0, 7, &[0, 0, 0, 8]), Fatal(Code::PROTOCOL_ERROR)),
        ("RST_STREAM on stream 0", frame(3, 0, 0, &[0, 0, 0, 8]), Fatal(Code::PROTOCOL_ERROR)),
        ("a short RST_STREAM", frame(3, 0, 1, &[0; 3]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("a long RST_STREAM", frame(3, 0, 1, &[0; 5]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("SETTINGS", frame(4, 0, 0, &[0, 1, 0, 0, 0, 0]), Fine),
        ("an acknowledgement", frame(4, 1, 0, &[]), Fine),
        ("an acknowledgement with a payload", frame(4, 1, 0, &[0; 6]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("SETTINGS on a stream", frame(4, 0, 1, &[]), Fatal(Code::PROTOCOL_ERROR)),
        ("half a setting", frame(4, 0, 0, &[0; 5]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("PUSH_PROMISE", frame(5, 4, 1, &[0, 0, 0, 2]), Fatal(Code::PROTOCOL_ERROR)),
        ("PING", frame(6, 0, 0, &[0; 8]), Fine),
        ("PING on a stream", frame(6, 0, 1, &[0; 8]), Fatal(Code::PROTOCOL_ERROR)),
        ("a short PING", frame(6, 0, 0, &[0; 7]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("a long PING", frame(6, 0, 0, &[0; 9]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("GOAWAY", frame(7, 0, 0, &[0; 8]), Fine),
        ("GOAWAY with a text", frame(7, 0, 0, &[0; 30]), Fine),
        ("GOAWAY on a stream", frame(7, 0, 1, &[0; 8]), Fatal(Code::PROTOCOL_ERROR)),
        ("a short GOAWAY", frame(7, 0, 0, &[0; 7]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("WINDOW_UPDATE", frame(8, 0, 1, &[0, 0, 0, 9]), Fine),
        ("WINDOW_UPDATE of the connection", frame(8, 0, 0, &[0, 0, 0, 9]), Fine),
        ("WINDOW_UPDATE after a reset", frame(8, 0, 5, &[0, 0, 0, 9]), Fine),
        ("WINDOW_UPDATE on an idle stream", frame(8, 0, 7, &[0, 0, 0, 9]), Fatal(Code::PROTOCOL_ERROR)),
        ("a short WINDOW_UPDATE", frame(8, 0, 0, &[0; 3]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("a long WINDOW_UPDATE", frame(8, 0, 1, &[0; 5]), Fatal(Code::FRAME_SIZE_ERROR)),
        ("WINDOW_UPDATE of nothing", frame(8, 0, 1, &[0; 4]), Stream(Code::PROTOCOL_ERROR)),
        ("the same of the connection", frame(8, 0, 0, &[0; 4]), Fatal(Code::PROTOCOL_ERROR)),
        (
            "WINDOW_UPDATE of too much",
            frame(8, 0, 1, &[0x7f, 0xff, 0xff, 0xff]),
            Stream(Code::FLOW_CONTROL_ERROR),
        ),
        (
            "the same of the connection",
            frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            Fatal(Code::FLOW_CONTROL_ERROR),
        ),
        ("CONTINUATION of nothing", frame(9, 4, 1, &[]), Fatal(Code::PROTOCOL_ERROR)),
        ("an unknown type", frame(99, 0xff, 1, b"whatever"), Fine),
        ("a frame of the maximum size", frame(99, 0, 0, &[0; 16_384]), Fine),
        ("a larger one", frame(99, 0, 0, &[0; 16_385]), Fatal(Code::FRAME_SIZE_ERROR)),
    ] {
        assert_eq!(judge(&mut busy(), &bytes), judged, "{what}");
    }
}

#[test]
fn nothing_interrupts_a_header_block_and_nothing_comes_before_settings() {
    for (what, bytes) in [
        ("CONTINUATION of another stream", frame(9, 4, 3, &[])),
        ("HEADERS", frame(1, 4, 1, BLOCK)),
        ("PING", frame(6, 0, 0, &[0; 8])),
        ("an unknown type", frame(99, 0, 1, &[])),
    ] {
        let mut server = server();
        assert_eq!(judge(&mut server, &frame(1, 1, 1, BLOCK)), Fine);
        assert_eq!(judge(&mut server, &bytes), Fatal(Code::PROTOCOL_ERROR), "{what}");
    }
    for (what, bytes, judged) in [
        ("SETTINGS", frame(4, 0, 0, &[]), Fine),
        ("an acknowledgement", frame(4, 1, 0, &[]), Fatal(Code::PROTOCOL_ERROR)),
        ("PING", frame(6, 0, 0, &[0; 8]), Fatal(Code::PROTOCOL_ERROR)),
        ("HEADERS", frame(1, 5, 1, BLOCK), Fatal(Code::PROTOCOL_ERROR)),
    ] {
        let mut server = Connection::new(config(Role::Server));
        server.receive(PREFACE, 0);
        assert_eq!(judge(&mut server, &bytes), judged, "{what}");
        let mut client = Connection::new(config(Role::Client));
        assert_eq!(judge(&mut client, &bytes), judged, "{what}, to a client");
    }
    let mut server = Connection::new(config(Role::Server));
    assert_eq!(server.receive(&PREFACE[..10], 0), 0);
    assert_eq!(server.receive(PREFACE, 0), PREFACE.len());
    let mut server = Connection::new(config(Role::Server));
    assert_eq!(judge(&mut server, b"GET / HTTP/1.1\r\n"), Fatal(Code::PROTOCOL_ERROR));
}

#[test]
fn requests_for_an_acknowledgement_get_one_and_acknowledgements_get_none() {
    for (what, bytes, answer) in [
        ("PING", frame(6, 0, 0, b"12345678"), frame(6, 1, 0, b"12345678")),
        ("an answer to a PING", frame(6, 1, 0, b"12345678"), vec![]),
        ("SETTINGS", frame(4, 0, 0, &[]), frame(4, 1, 0, &[])),
        ("an acknowledgement", frame(4, 1, 0, &[]), vec![]),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 0]), vec![]),
    ] {
        let mut server = busy();
        assert_eq!(judge(&mut server, &bytes), Fine, "{what}");
        assert_eq!(server.output(), answer, "{what}");
    }
}

#[test]
fn a_client_takes_answers_to_what_it_has_asked_and_nothing_else() {
    let ok = &[0x88][..];
    for (what, bytes, judged) in [
        ("an answer", frame(1, 5, 1, ok), Fine),
        ("an unsolicited response", frame(1, 5, 3, ok), Fatal(Code::PROTOCOL_ERROR)),
        ("a stream of the server's", frame(1, 5, 2, ok), Fatal(Code::PROTOCOL_ERROR)),
        ("a push", frame(5, 4, 1, &[0, 0, 0, 2]), Fatal(Code::PROTOCOL_ERROR)),
        ("a body before the head", frame(0, 0, 1, b"a"), Stream(Code::PROTOCOL_ERROR)),
        ("an answer without a status", frame(1, 5, 1, &[]), Stream(Code::PROTOCOL_ERROR)),
        (
            "an interim answer that ends",
            frame(1, 5, 1, &[0x08, 0x03, b'1', b'0', b'3']),
            Stream(Code::PROTOCOL_ERROR),
        ),
        ("a length and no body", frame(1, 5, 1, b"\x88\x0f\x0d\x015"), Stream(Code::PROTOCOL_ERROR)),
        // `:status: 304` and `:status: 204` have no body, whatever their length.
        ("a length and 304", frame(1, 5, 1, b"\x8b\x0f\x0d\x015"), Fine),
        ("a length and 204", frame(1, 5, 1, b"\x89\x0f\x0d\x015"), Fine),
    ] {
        let (mut client, stream) = asking();
        assert_eq!(stream, 1);
        assert_eq!(judge(&mut client, &bytes), judged, "{what}");
    }
    // The rest of a malformed one is dropped.
    let (mut client, _) = asking();
    assert_eq!(judge(&mut client, &frame(1, 4, 1, &[])), Stream(Code::PROTOCOL_ERROR));
    assert_eq!(judge(&mut client, &frame(0, 1, 1, b"rest")), Fine);
    assert_eq!(client.readable(1), b"");
}

#[test]
fn a_request_that_turns_out_malformed_is_reported_and_its_rest_is_dropped() {
    let with_length = [BLOCK, &[0x0f, 0x0d, 1, b'3']].concat();
    for (what, later) in [
        ("a second head", frame(1, 4, 1, BLOCK)),
        ("trailers with a path", frame(1, 5, 1, BLOCK)),
        ("a body that is too long", frame(0, 0, 1, b"four")),
        ("a body that is too short", frame(0, 1, 1, b"ab")),
        ("trailers after a body that is too short", frame(1, 5, 1, &[0x00, 1, b'a', 1, b'b'])),
    ] {
        let mut server = server();
        server.receive(&frame(1, 4, 1, &with_length), 0);
        events(&mut server);
        assert_eq!(judge(&mut server, &later), Fine, "{what}: it is answered before it is reset");
        let reported = events(&mut server);
        assert!(matches!(reported[..], [Event::Broken { stream: 1, .. }]), "{what}: {reported:?}");
        assert!(!server.has_ended(1), "{what}");
        // If it was answered already, it is reset.
        let mut server = self::server();
        server.receive(&frame(1, 4, 1, &with_length), 0);
        server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
        assert_eq!(judge(&mut server, &later), Stream(Code::PROTOCOL_ERROR), "{what}");
    }
}

#[test]
fn trailers_end_a_message_and_come_once_its_body_was_read() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(0, 0, 1, b"body"), 0);
    assert_eq!(judge(&mut server, &frame(1, 5, 1, &[0x00, 1, b'a', 1, b'b'])), Fine);
    assert!(!server.has_ended(1));
    server.consume(1, 4);
    assert!(server.has_ended(1));
    let trailers = server.take_trailers(1).unwrap();
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [(&b"a"[..], &b"b"[..])]);
    assert_eq!(server.take_trailers(1), None);
}

#[test]
fn a_header_block_may_have_so_many_pieces_and_bytes_and_no_more() {
    const PIECES: usize = 128;
    // Twice the largest list, and a frame.
    const BYTES: usize = 3 * 16_384;
    let open = |piece: &[u8]| {
        let mut server = server();
        server.receive(&frame(1, 1, 1, piece), 0);
        server
    };
    let mut many = open(b"");
    many.receive(&frame(9, 0, 1, &[]).repeat(PIECES - 1), 0);
    assert_eq!(many.failed(), None);
    many.receive(&frame(9, 0, 1, &[]), 0);
    assert_eq!(many.failed(), Some(Code::ENHANCE_YOUR_CALM));
    for (last, error) in [(16_384, None), (1, Some(Code::ENHANCE_YOUR_CALM))] {
        let mut large = open(&[0; 16_384]);
        large.receive(&frame(9, 0, 1, &[0; 16_384]), 0);
        if error.is_some() {
            large.receive(&frame(9, 0, 1, &[0; BYTES - 2 * 16_384]), 0);
            assert_eq!(large.failed(), None);
        }
        large.receive(&frame(9, 0, 1, &vec![0; last]), 0);
        assert_eq!(large.failed(), error);
    }
}

#[test]
fn what_follows_a_malformed_request_on_its_stream_is_not_reported_again() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    events(&mut server);
    for later in [frame(0, 0, 1, b"data"), frame(1, 5, 1, BLOCK)] {
        assert_eq!(judge(&mut server, &later), Fine);
        assert!(events(&mut server).iter().all(|event| !matches!(event, Event::Broken { .. })));
    }
    assert_eq!(server.readable(1), b"");
    // Its sender has ended it, and may not continue.
    assert_eq!(judge(&mut server, &frame(0, 0, 1, b"more")), Stream(Code::STREAM_CLOSED));
}

/// Frames that carry data are not a flood, however many there are.
#[test]
fn a_body_may_come_in_any_number_of_pieces() {
    let mut server = server();
    for stream in (1..9_000).step_by(2) {
        server.receive(&frame(1, 4, stream, BLOCK), 0);
        server.receive(&frame(0, 0, stream, b"x"), 0);
        server.receive(&frame(0, 1, stream, b""), 0);
        server.send_head(stream, [(&b":status"[..], &b"200"[..])], true);
        server.consume(stream, 1);
        server.release(stream);
        events(&mut server);
        server.take_output(usize::MAX);
    }
    assert_eq!((server.failed(), server.streams()), (None, 0));
}

#[test]
fn a_request_that_ends_with_its_head_has_no_length_or_none_at_all() {
    for (length, is_malformed) in [(None, false), (Some(b'0'), false), (Some(b'3'), true)] {
        let mut server = server();
        let head = length.map_or(BLOCK.to_vec(), |digit| [BLOCK, &[0x0f, 0x0d, 1, digit]].concat());
        server.receive(&frame(1, 5, 1, &head), 0);
        let reported = events(&mut server);
        let [Event::Head { malformed, ended: true, .. }] = &reported[..] else { panic!("{reported:?}") };
        assert_eq!(malformed.is_some(), is_malformed, "{length:?}");
    }
}

/// Padding is consumed at once, and counts in the windows like a body.
#[test]
fn windows_are_opened_again_for_padding_unless_nothing_more_can_come() {
    // 256 bytes of half of a window of 65,535.
    let padding = [&[255][..], &[0; 255]].concat();
    for (what, last, is_answered, opened) in
        [("open", 0, false, true), ("ended", 1, false, false), ("answered and left", 0, true, false)]
    {
        let mut server = server();
        server.receive(&frame(1, 4, 1, BLOCK), 0);
        if is_answered {
            server.send_head(1, [(&b":status"[..], &b"403"[..])], true);
            server.release(1);
        }
        server.receive(&frame(0, 8, 1, &padding).repeat(127), 0);
        server.take_output(usize::MAX);
        server.receive(&frame(0, 8 | last, 1, &padding), 0);
        let update = frame(8, 0, 1, &32_768_u32.to_be_bytes());
        assert_eq!(server.output(), if opened { update } else { vec![] }, "{what}");
        assert_eq!(server.failed(), None, "{what}");
    }
}

#[test]
fn a_stream_is_over_once_both_sides_have_ended_it() {
    for (what, end) in
        [("DATA", frame(0, 1, 1, b"")), ("trailers", frame(1, 5, 1, &[0x00, 1, b'a', 1, b'b']))]
    {
        for answers_first in [true, false] {
            let mut server = server();
            server.receive(&frame(1, 4, 1, BLOCK), 0);
            if answers_first {
                server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
            }
            assert_eq!(judge(&mut server, &end), Fine);
            if !answers_first {
                server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
            }
            let again = judge(&mut server, &frame(1, 5, 1, BLOCK));
            assert_eq!(again, Fatal(Code::STREAM_CLOSED), "{what}, answered first: {answers_first}");
        }
    }
}

#[test]
fn a_peer_that_cancels_work_in_progress_is_counted_and_one_that_stops_an_upload_is_not() {
    // Cancelled requests: a burst passes, and no more.
    let reset = |stream| frame(3, 0, stream, &[0, 0, 0, 8]);
    let many = |is_answered: bool| {
        let mut server = server();
        for stream in (1..2_000).step_by(2) {
            server.receive(&frame(1, 4, stream, BLOCK), 0);
            if is_answered {
                server.send_head(stream, [(&b":status"[..], &b"200"[..])], true);
            }
            server.receive(&reset(stream), 0);
            server.release(stream);
            events(&mut server);
            server.take_output(usize::MAX);
        }
        server.failed()
    };
    assert_eq!(many(false), Some(Code::ENHANCE_YOUR_CALM));
    assert_eq!(many(true), None);
    // A server resets what it refuses, and a client tolerates it.
    let mut client = Connection::new(config(Role::Client));
    client.receive(&frame(4, 0, 0, &[]), 0);
    for _ in 0..1_000 {
        let stream = client.open(crate::REQUEST, true, false).unwrap();
        client.receive(&reset(stream), 0);
        client.release(stream);
        events(&mut client);
        client.take_output(usize::MAX);
    }
    assert_eq!(client.failed(), None);
}

#[test]
fn a_reset_that_crosses_ours_is_expected_once() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.reset(1, Code::CANCEL);
    server.release(1);
    let reset = frame(3, 0, 1, &[0, 0, 0, 8]);
    assert_eq!(judge(&mut server, &reset), Fine);
    // From here on its sender knows that the stream is closed.
    assert_eq!(judge(&mut server, &frame(0, 0, 1, b"late")), Stream(Code::STREAM_CLOSED));
    // Resets that cross an end have no effect, and too many of them are a flood.
    let mut server = self::server();
    server.receive(&frame(1, 5, 1, BLOCK), 0);
    server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
    server.release(1);
    server.receive(&reset.repeat(3_000), 0);
    assert_eq!(server.failed(), None);
    server.receive(&reset, 0);
    assert_eq!(server.failed(), Some(Code::ENHANCE_YOUR_CALM));
}

#[test]
fn a_stream_is_held_by_its_own_window_or_by_that_of_the_connection() {
    let mut server = Connection::new(config(Role::Server));
    server.receive(PREFACE, 0);
    server.receive(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 10]), 0);
    server.receive(&frame(1, 5, 1, BLOCK), 0);
    server.send_head(1, [(&b":status"[..], &b"200"[..])], false);
    assert!(!server.is_held_by_stream(1) && server.room(1) == 10);
    assert_eq!(server.send_data(1, &[0; 30], true), 10);
    assert!(server.is_held_by_stream(1) && server.room(1) == 0 && server.can_send(1));
    // The stream has room, and the connection has none.
    server.receive(&frame(8, 0, 1, &[0, 2, 0, 0]), 0);
    assert_eq!(server.send_data(1, &[0; 100_000], false), 65_525);
    assert!(!server.is_held_by_stream(1) && server.room(1) == 0);
    server.receive(&frame(8, 0, 0, &[0, 0, 0, 20]), 0);
    assert_eq!(server.send_data(1, &[0; 20], true), 20);
    assert!(!server.can_send(1) && server.room(1) == 0);
    assert!(!server.is_held_by_stream(3), "an unknown stream");
}

#[test]
fn a_stream_can_be_written_to_until_it_ends_or_is_reset_by_either_side() {
    let ended = |server: &mut Connection| server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
    let reset = |server: &mut Connection| server.reset(1, Code::CANCEL);
    let left = |server: &mut Connection| {
        server.receive(&frame(3, 0, 1, &[0, 0, 0, 8]), 0);
    };
    let failed = |server: &mut Connection| server.fail(Code::PROTOCOL_ERROR, "");
    for (what, close) in [
        ("ended", &ended as &dyn Fn(&mut Connection)),
        ("reset", &reset),
        ("reset by its client", &left),
        ("failed", &failed),
    ] {
        let mut server = server();
        server.receive(&frame(1, 4, 1, BLOCK), 0);
        assert!(server.can_send(1) && !server.can_send(3));
        close(&mut server);
        assert!(!server.can_send(1), "{what}");
        server.take_output(usize::MAX);
        assert_eq!((server.send_data(1, b"more", true), server.output()), (0, &b""[..]), "{what}");
    }
}

#[test]
fn an_ended_stream_may_still_be_sent_its_error_once() {
    for (code, is_sent) in [(Code::NO_ERROR, false), (Code::PROTOCOL_ERROR, true)] {
        let mut server = server();
        server.receive(&frame(1, 5, 1, BLOCK), 0);
        server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
        server.take_output(usize::MAX);
        server.reset(1, code);
        assert_eq!(last_code(&server), is_sent.then_some((3, code)));
        server.take_output(usize::MAX);
        server.reset(1, Code::CANCEL);
        assert_eq!(last_code(&server).is_some(), !is_sent, "once");
    }
}
