//! Two connections that talk to each other, and one with an arbitrary peer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use http2::{Config, Connection, ErrorCode, Event, Fields, PREFACE, Role};
use proptest::prelude::*;
use std::collections::BTreeMap;

mod accessors;
mod judged;
mod released;

const REQUEST: [(&[u8], &[u8]); 4] =
    [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/items"), (b":authority", b"a")];

fn config(role: Role) -> Config {
    Config {
        role,
        max_concurrent_streams: 10,
        window: 65_535,
        connection_window: 100_000,
        max_header_list_size: 16_384,
    }
}

/// A server that has received a client's preface.
fn server() -> Connection {
    let mut server = Connection::new(config(Role::Server));
    server.receive(PREFACE, 0);
    server.receive(&frame(4, 0, 0, &[]), 0);
    server.take_output(server.output().len());
    while server.next_event().is_some() {}
    server
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A block of `GET / http`, with the authority `a`.
const BLOCK: &[u8] = &[0x82, 0x84, 0x86, 0x41, 0x01, b'a'];

fn events(connection: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| connection.next_event()).collect()
}

/// The code of the last pending RST_STREAM or GOAWAY.
fn last_code(connection: &Connection) -> Option<(u8, ErrorCode)> {
    let mut rest = connection.output();
    let mut found = None;
    while rest.len() >= 9 {
        let length = usize::from(rest[1]) << 8 | usize::from(rest[2]);
        let payload = &rest[9..9 + length];
        let code = |at: usize| ErrorCode(u32::from_be_bytes(payload[at..at + 4].try_into().unwrap()));
        match rest[3] {
            3 => found = Some((3, code(0))),
            7 => found = Some((7, code(4))),
            _ => {}
        }
        rest = &rest[9 + length..];
    }
    found
}

/// How many RST_STREAM are pending.
fn count_resets(connection: &Connection) -> usize {
    let (mut rest, mut count) = (connection.output(), 0);
    while rest.len() >= 9 {
        count += usize::from(rest[3] == 3);
        rest = &rest[9 + (usize::from(rest[1]) << 8 | usize::from(rest[2]))..];
    }
    count
}

#[test]
fn a_block_without_end_ends_the_connection() {
    for piece in [vec![0u8; 16_000], vec![]] {
        let mut server = server();
        server.receive(&frame(1, 0, 1, &[]), 0);
        let rounds = (0..1_000).take_while(|_| {
            server.receive(&frame(9, 0, 1, &piece), 0);
            server.failed().is_none()
        });
        assert!(rounds.count() <= 128);
        assert_eq!(server.failed(), Some(ErrorCode::ENHANCE_YOUR_CALM));
    }
}

#[test]
fn floods_of_frames_that_move_nothing_end_the_connection() {
    for (what, flood) in [
        ("SETTINGS", frame(4, 0, 0, &[])),
        ("PING", frame(6, 0, 0, &[0; 8])),
        ("acknowledged PING", frame(6, 1, 0, &[0; 8])),
        ("PRIORITY", frame(2, 0, 3, &[0; 5])),
        ("empty DATA", frame(0, 0, 1, &[])),
        ("tiny window updates", frame(8, 0, 1, &[0, 0, 0, 1])),
        ("unknown types", frame(99, 0, 0, &[])),
    ] {
        let mut server = server();
        server.receive(&frame(1, 4, 1, BLOCK), 0);
        let count = (0..10_000).take_while(|_| {
            server.receive(&flood, 0);
            events(&mut server);
            server.take_output(usize::MAX);
            server.failed().is_none()
        });
        assert!((1_000..5_000).contains(&count.count()), "{what}");
        assert_eq!(server.failed(), Some(ErrorCode::ENHANCE_YOUR_CALM), "{what}");
    }
}

#[test]
fn cancelled_streams_keep_their_slot_until_the_work_on_them_ends() {
    let mut server = server();
    for n in 0..10 {
        server.receive(&frame(1, 5, n * 2 + 1, BLOCK), 0);
        server.receive(&frame(3, 0, n * 2 + 1, &[0, 0, 0, 8]), 0);
    }
    server.receive(&frame(1, 5, 21, BLOCK), 0);
    assert_eq!(last_code(&server), Some((3, ErrorCode::REFUSED_STREAM)));
    server.release(1);
    server.receive(&frame(1, 5, 23, BLOCK), 0);
    assert_eq!(server.streams(), 10);
    // And a peer that continues gets a GOAWAY.
    for n in 12..1_000 {
        server.receive(&frame(1, 5, n * 2 + 1, BLOCK), 0);
    }
    assert_eq!(server.failed(), Some(ErrorCode::ENHANCE_YOUR_CALM));
}

#[test]
fn what_a_peer_sends_ahead_is_bounded_by_the_windows() {
    let mut server = server();
    let data = frame(0, 0, 1, &[0; 16_384]);
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    for _ in 0..4 {
        server.receive(&data, 0);
    }
    assert_eq!(last_code(&server), Some((3, ErrorCode::FLOW_CONTROL_ERROR)));
    // On another stream, the connection's window is what is exceeded.
    server.receive(&frame(1, 4, 3, BLOCK), 0);
    for _ in 0..4 {
        server.receive(&frame(0, 0, 3, &[0; 16_384]), 0);
    }
    assert_eq!(last_code(&server), Some((7, ErrorCode::FLOW_CONTROL_ERROR)));
}

#[test]
fn a_length_that_does_not_fit_breaks_the_message_once() {
    let with_length = [BLOCK, &[0x0f, 0x0d, 1, b'3']].concat();
    for (data, flags, fits) in [("abc", 1, true), ("ab", 1, false), ("abcd", 0, false), ("", 1, false)] {
        let mut server = server();
        server.receive(&frame(1, 4, 1, &with_length), 0);
        server.receive(&frame(0, flags, 1, data.as_bytes()), 0);
        server.receive(&frame(0, 0, 1, b"more"), 0);
        let broken = events(&mut server).iter().filter(|e| matches!(e, Event::Broken { .. })).count();
        assert_eq!(broken, usize::from(!fits), "{data}");
    }
}

/// Moves bytes from one side to the other, in pieces.
fn carry(from: &mut Connection, to: &mut Connection, pending: &mut Vec<u8>, piece: usize) -> bool {
    let count = from.output().len().min(piece);
    pending.extend_from_slice(&from.output()[..count]);
    from.take_output(count);
    let used = to.receive(pending, 0);
    pending.drain(..used);
    count > 0
}

/// What a side has received on a stream.
#[derive(Default, Debug, PartialEq)]
struct Got {
    body: Vec<u8>,
    ended: bool,
    trailers: Option<Fields>,
}

fn take(side: &mut Connection, got: &mut BTreeMap<u32, Got>) -> Vec<u32> {
    let mut heads = Vec::new();
    for event in events(side) {
        match event {
            Event::Head { stream, malformed, .. } => {
                assert_eq!(malformed, None);
                heads.push(stream);
                got.insert(stream, Got::default());
            }
            Event::Readable(_) | Event::Writable(_) => {}
            other @ (Event::Broken { .. } | Event::Reset { .. } | Event::GoAway { .. }) => {
                panic!("{other:?}")
            }
        }
    }
    for (stream, got) in got {
        let bytes = side.readable(*stream).to_vec();
        got.body.extend_from_slice(&bytes);
        side.consume(*stream, bytes.len());
        if !got.ended && side.has_ended(*stream) {
            got.ended = true;
            got.trailers = side.take_trailers(*stream);
        }
    }
    heads
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bodies_arrive_whole_on_every_stream_however_they_are_carried(
        bodies in proptest::collection::vec((0usize..150_000, any::<bool>()), 1..6),
        piece in 1usize..40_000,
    ) {
        let piece = piece.max(500);
        let (mut client, mut server) = (Connection::new(config(Role::Client)), Connection::new(config(Role::Server)));
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let (mut at_server, mut at_client) = (BTreeMap::new(), BTreeMap::new());
        let body = |length: usize| (0..length).map(|n| (n % 251) as u8).collect::<Vec<_>>();
        let mut sending: Vec<(u32, Vec<u8>, bool)> = bodies.iter().map(|(length, trailers)| {
            (client.open(REQUEST, false, false).unwrap(), body(*length), *trailers)
        }).collect();
        let expected: Vec<_> = sending.clone();
        let mut answering: Vec<(u32, Vec<u8>)> = Vec::new();
        for _ in 0..200_000 {
            for (stream, rest, trailers) in &mut sending {
                let count = client.send_data(*stream, rest, !*trailers);
                rest.drain(..count);
                if *trailers && rest.is_empty() {
                    client.send_head(*stream, [(&b"x-sum"[..], &b"1"[..])], true);
                }
            }
            sending.retain(|(_, rest, _)| !rest.is_empty());
            let mut has_moved = carry(&mut client, &mut server, &mut up, piece);
            take(&mut server, &mut at_server);
            for (stream, got) in &at_server {
                let is_new = !answering.iter().any(|(known, _)| known == stream);
                if got.ended && is_new {
                    server.send_head(*stream, [(&b":status"[..], &b"200"[..])], false);
                    answering.push((*stream, got.body.clone()));
                }
            }
            for (stream, rest) in &mut answering {
                let count = server.send_data(*stream, rest, true);
                rest.drain(..count);
            }
            has_moved |= carry(&mut server, &mut client, &mut down, piece);
            take(&mut client, &mut at_client);
            if !has_moved && sending.is_empty() {
                break;
            }
        }
        prop_assert_eq!((client.failed(), server.failed()), (None, None));
        for (stream, body, trailers) in expected {
            let length = bodies[(stream as usize - 1) / 2].0;
            prop_assert_eq!(body.len(), length);
            let got = &at_server[&stream];
            prop_assert!(got.ended && got.body == body && got.trailers.is_some() == trailers);
            let got = &at_client[&stream];
            prop_assert!(got.ended && got.body == body);
            client.release(stream);
            server.release(stream);
        }
        prop_assert_eq!((client.streams(), server.streams()), (0, 0));
    }

    #[test]
    fn any_frames_are_judged_without_panic_and_alike_however_they_are_cut(
        frames in proptest::collection::vec(
            (0u8..12, any::<u8>(), 0u32..8, prop_oneof![Just(BLOCK.to_vec()), proptest::collection::vec(any::<u8>(), 0..12)]), 0..40),
        piece in 1usize..30,
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        let (mut whole, mut cut) = (server(), server());
        whole.receive(&bytes, 0);
        let mut pending = Vec::new();
        for piece in bytes.chunks(piece) {
            pending.extend_from_slice(piece);
            let used = cut.receive(&pending, 0);
            pending.drain(..used);
        }
        prop_assert_eq!(whole.failed(), cut.failed());
        prop_assert_eq!(whole.output(), cut.output());
        prop_assert_eq!(events(&mut whole), events(&mut cut));
    }

    #[test]
    fn any_bytes_are_taken_without_panic(bytes: Vec<u8>) {
        let mut server = server();
        server.receive(&bytes, 0);
        let mut client = Connection::new(config(Role::Client));
        client.open(REQUEST, true, false);
        client.receive(&bytes, 0);
    }
}

#[test]
fn a_setting_that_makes_a_window_too_large_ends_the_connection() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(8, 0, 1, &0x7fff_0000_u32.to_be_bytes()), 0);
    server.receive(&frame(4, 0, 0, &[0, 4, 0x7f, 0xff, 0, 0]), 0);
    assert_eq!(server.failed(), Some(ErrorCode::FLOW_CONTROL_ERROR));
}

/// A client after the prefaces, with one stream on which it has sent a request.
fn asking() -> (Connection, u32) {
    let mut client = Connection::new(config(Role::Client));
    client.receive(&frame(4, 0, 0, &[]), 0);
    let stream = client.open(REQUEST, true, false).unwrap();
    client.take_output(client.output().len());
    events(&mut client);
    (client, stream)
}

#[test]
fn a_client_opens_as_many_streams_as_the_peer_takes() {
    let (mut client, _) = asking();
    client.receive(&frame(4, 0, 0, &[0, 3, 0, 0, 0, 3]), 0);
    assert_eq!(client.most_own_streams(), 3);
    let opened = std::iter::from_fn(|| client.open(REQUEST, true, false)).take(9).count();
    assert_eq!(opened, 2, "beside the one that is open");
}

#[test]
fn heads_are_looked_at_a_few_at_a_time() {
    let (mut client, stream) = asking();
    // `:status: 103`, again and again.
    let interims = frame(1, 4, stream, &[0x08, 0x03, b'1', b'0', b'3']).repeat(100);
    let (mut rest, mut seen) = (interims.as_slice(), 0);
    while !rest.is_empty() {
        let used = client.receive(rest, 0);
        let now = events(&mut client).len();
        assert!(used > 0 && now <= 16, "{now} heads at once");
        seen += now;
        rest = &rest[used..];
    }
    assert_eq!(seen, 100);
}

#[test]
fn an_answer_that_lacks_only_its_end_is_not_reset_until_its_place_is_needed() {
    let (mut client, stream) = asking();
    // `:status: 200`, `content-length: 5`
    client.receive(&frame(1, 4, stream, b"\x88\x0f\x0d\x015"), 0);
    client.receive(&frame(0, 0, stream, b"whole"), 0);
    client.consume(stream, 5);
    client.release(stream);
    assert_eq!(last_code(&client), None);
    assert_eq!(client.streams(), 0);
    // The upstream takes one stream at once.
    client.receive(&frame(4, 0, 0, &[0, 3, 0, 0, 0, 1]), 0);
    assert!(!client.can_open());
    assert!(client.open(REQUEST, true, false).is_some());
    assert_eq!(last_code(&client), Some((3, ErrorCode::NO_ERROR)));
    // Its end, which arrives all the same, is not a fault.
    client.receive(&frame(0, 1, stream, b""), 0);
    assert_eq!(client.failed(), None);

    let (mut client, stream) = asking();
    client.receive(&frame(1, 4, stream, b"\x88\x0f\x0d\x015"), 0);
    client.release(stream);
    assert_eq!(last_code(&client), Some((3, ErrorCode::CANCEL)), "the rest of half a response is not needed");
}

/// Requests whose bodies never end, each answered in full and left.
fn answer_early(server: &mut Connection, streams: impl IntoIterator<Item = u32>) {
    for stream in streams {
        server.receive(&frame(1, 4, stream, BLOCK), 0);
        server.receive(&frame(0, 0, stream, b"part"), 0);
        server.send_head(stream, [(&b":status"[..], &b"403"[..])], true);
        server.release(stream);
        events(server);
    }
}

#[test]
fn a_request_that_is_answered_early_may_end_for_a_while_and_is_reset_then() {
    let mut server = server();
    answer_early(&mut server, [1, 3]);
    assert!(server.has_left());
    server.reset_stale();
    assert_eq!(last_code(&server), None);
    // One ends by itself.
    server.receive(&frame(0, 1, 1, b"end"), 0);
    server.reset_stale();
    assert_eq!(last_code(&server), Some((3, ErrorCode::NO_ERROR)));
    assert!(!server.has_left());
    // Frames in flight are not an error, and return the connection's window.
    for _ in 0..20 {
        server.receive(&frame(0, 0, 3, &[b'x'; 16_000]), 0);
    }
    assert_eq!(server.failed(), None);
}

#[test]
fn requests_that_are_answered_early_take_no_room_from_others() {
    let mut server = server();
    answer_early(&mut server, (0..1_000).map(|n| n * 2 + 1));
    assert_eq!(server.failed(), None);
    server.reset_left();
    assert!(!server.has_left());
    // Each is reset once, and that is not a flood by the peer.
    assert_eq!(count_resets(&server), 1_000);
    // A peer that answers each reset with one of its own is not flooding either.
    for n in 0..1_000 {
        server.receive(&frame(3, 0, n * 2 + 1, &[0, 0, 0, 8]), 0);
    }
    assert_eq!(server.failed(), None);
}

#[test]
fn requests_that_are_answered_early_make_room_for_the_one_that_needs_it() {
    let mut server = server();
    answer_early(&mut server, [1, 3, 5, 7, 9]);
    for stream in [11, 13, 15, 17, 19] {
        server.receive(&frame(1, 5, stream, BLOCK), 0);
    }
    assert_eq!((server.streams(), last_code(&server)), (5, None));
    server.receive(&frame(1, 5, 21, BLOCK), 0);
    assert_eq!((server.streams(), last_code(&server)), (6, Some((3, ErrorCode::NO_ERROR))));
}

#[test]
fn a_stream_that_ended_makes_room_before_the_work_on_it_ends() {
    let mut server = server();
    for n in 0..10 {
        server.receive(&frame(1, 5, n * 2 + 1, BLOCK), 0);
    }
    server.receive(&frame(1, 5, 21, BLOCK), 0);
    assert_eq!(last_code(&server), Some((3, ErrorCode::REFUSED_STREAM)));
    server.take_output(usize::MAX);
    // The last frame of a response was made; it has yet to be written and settled.
    server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
    server.receive(&frame(1, 5, 23, BLOCK), 0);
    assert_eq!(last_code(&server), None);
    assert_eq!(server.streams(), 11);
    server.receive(&frame(1, 5, 25, BLOCK), 0);
    assert_eq!(last_code(&server), Some((3, ErrorCode::REFUSED_STREAM)));
}

#[test]
fn a_draining_connection_sends_one_goaway_and_refuses_only_new_streams() {
    let mut server = server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.drain();
    assert!(server.is_draining());
    assert_eq!(last_code(&server), Some((7, ErrorCode::NO_ERROR)));
    server.take_output(usize::MAX);
    server.drain();
    assert_eq!(server.output(), b"", "it was sent already");
    server.receive(&frame(1, 5, 3, BLOCK), 0);
    assert_eq!(last_code(&server), Some((3, ErrorCode::REFUSED_STREAM)));
    server.receive(&frame(0, 1, 1, b"rest"), 0);
    assert_eq!((server.readable(1), server.failed()), (&b"rest"[..], None));
    // A connection that ended by an error sends nothing more.
    let mut server = self::server();
    server.fail(ErrorCode::PROTOCOL_ERROR, "a reason");
    server.take_output(usize::MAX);
    server.drain();
    assert_eq!((server.is_draining(), server.output()), (false, &b""[..]));
}

#[test]
fn what_comes_on_a_closed_stream_is_judged_by_how_it_was_closed() {
    let late = frame(0, 1, 1, b"late");
    // By us, after the peer sent it.
    let mut server = server();
    for stream in [1, 3] {
        server.receive(&frame(1, 4, stream, BLOCK), 0);
        server.reset(stream, ErrorCode::CANCEL);
        server.release(stream);
    }
    server.take_output(usize::MAX);
    server.receive(&late, 0);
    assert_eq!((last_code(&server), server.failed()), (None, None));
    // By the peer, which may send no more.
    let mut server = self::server();
    server.receive(&frame(1, 4, 1, BLOCK), 0);
    server.receive(&frame(3, 0, 1, &[0, 0, 0, 8]), 0);
    server.release(1);
    server.receive(&late, 0);
    assert_eq!(last_code(&server), Some((3, ErrorCode::STREAM_CLOSED)));
    // By both, so that a head opens nothing.
    let mut server = self::server();
    server.receive(&frame(1, 5, 1, BLOCK), 0);
    server.send_head(1, [(&b":status"[..], &b"200"[..])], true);
    server.release(1);
    server.receive(&frame(1, 5, 1, BLOCK), 0);
    assert_eq!(server.failed(), Some(ErrorCode::STREAM_CLOSED));
}
