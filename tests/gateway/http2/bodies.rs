//! Large bodies in both directions, many at once: windows, back-pressure, and that a slow one blocks no other.

use crate::{
    gateway,
    peer::{
        CANCEL, DATA, END_HEADERS, END_STREAM, Expect, HEADERS, NO_ERROR, PING, PROTOCOL_ERROR, Peer,
        RST_STREAM, STREAM_CLOSED, WINDOW_UPDATE, request,
    },
    support::{
        Config, Gateway, Upstream, assert_error, eventually,
        sample::pattern,
        sockets::{held_by_peer, wait_until_nothing_moves},
    },
};

#[test]
fn large_answers_come_whole_on_many_streams_at_once() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for n in 0..10 {
        peer.ask(n * 2 + 1, "GET", "/bytes/300000", &[("x-api-key", &key.key)]);
    }
    for n in 0..10 {
        let answer = peer.answer(n * 2 + 1);
        assert!(answer.status == 200 && answer.body == pattern(300_000), "stream {}", n * 2 + 1);
    }
    assert_eq!(gateway.used(&key), 10);
}

#[test]
fn a_stream_that_is_not_read_does_not_stop_the_others() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    peer.is_generous = false;
    peer.open_window(0, 10_000_000);
    // Eight streams whose windows are never opened again.
    for n in 0..8 {
        peer.ask(n * 2 + 1, "GET", "/bytes/1000000", &[("x-api-key", &key.key)]);
    }
    for n in 10..40 {
        let answer = peer.get(n * 2 + 1, "/bytes/20000", &key);
        assert_eq!((answer.status, answer.body.len()), (200, 20_000));
    }
    // And these continue where they stopped.
    for n in 0..8 {
        peer.open_window(n * 2 + 1, 1_000_000);
    }
    for n in 0..8 {
        assert_eq!(peer.answer(n * 2 + 1).body, pattern(1_000_000));
    }
}

#[test]
fn a_large_upload_passes_within_the_windows_that_the_gateway_opens() {
    let upstream = Upstream::scripted(|exchange| {
        let length = exchange.read_body().map_or(0, |body| body.len());
        exchange.answer(200, &[], length.to_string().as_bytes())
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let body = pattern(3_000_000);
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/", &[("x-api-key", &key.key)]));
    let (mut room, mut of_connection) = (i64::from(peer.settings[&4]), 65_535_i64 + 983_041);
    let mut rest = body.as_slice();
    while !rest.is_empty() {
        let count = (room.min(of_connection).clamp(0, 16_384) as usize).min(rest.len());
        if count == 0 {
            let frame = peer.next().unwrap();
            if frame.kind == WINDOW_UPDATE {
                let by = i64::from(u32::from_be_bytes(frame.payload[..].try_into().unwrap()));
                if frame.stream == 0 { of_connection += by } else { room += by }
            }
            continue;
        }
        let (piece, behind) = rest.split_at(count);
        peer.send(DATA, if behind.is_empty() { END_STREAM } else { 0 }, 1, piece);
        (room, of_connection) = (room - count as i64, of_connection - count as i64);
        rest = behind;
    }
    assert_eq!(peer.answer(1).text(), "3000000");
    assert!(upstream.only().body == body);
}

#[test]
fn an_upload_that_nobody_reads_holds_up_neither_the_connection_nor_its_other_streams() {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/stuck" => exchange.stall(),
        _ => exchange.answer(200, &[], b"ok"),
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for n in 0..4 {
        peer.send(HEADERS, END_HEADERS, n * 2 + 1, &request("POST", "/stuck", &[("x-api-key", &key.key)]));
        for _ in 0..3 {
            peer.send(DATA, 0, n * 2 + 1, &[b'x'; 16_384]);
        }
    }
    for n in 10..20 {
        peer.send(HEADERS, END_HEADERS, n * 2 + 1, &request("POST", "/", &[("x-api-key", &key.key)]));
        peer.send(DATA, END_STREAM, n * 2 + 1, &[b'x'; 16_384]);
        assert_eq!(peer.answer(n * 2 + 1).text(), "ok");
    }
}

#[test]
fn an_answer_that_comes_before_the_end_of_the_request_takes_back_the_rest_of_it() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::open(gateway.address);
    // No key: answered from the head alone.
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
    assert_eq!(peer.answer(1).status, 403);
    // A little more of it is ignored; for much more, the client is asked to stop.
    for _ in 0..3 {
        peer.send(DATA, 0, 1, &[b'x'; 16_384]);
    }
    let reset = peer.next_of(1).unwrap();
    assert_eq!((reset.kind, reset.payload.as_slice()), (RST_STREAM, &NO_ERROR.to_be_bytes()[..]));
    // Frames in flight are not an error.
    peer.send(DATA, END_STREAM, 1, b"late");
    assert!(peer.ping());
}

#[test]
fn the_rest_of_an_answered_request_is_judged_like_any_other() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::open(gateway.address);
    let fields: &[(&str, &str)] = &[("content-length", "4")];
    for stream in [1, 3, 5, 7] {
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", fields));
        assert_eq!(peer.answer(stream).status, 403);
    }
    peer.send(DATA, END_STREAM, 1, b"four");
    peer.send(DATA, END_STREAM, 3, b"more than four");
    peer.expect(&Expect::Stream(3, &[PROTOCOL_ERROR])).unwrap();
    peer.open_window(5, 0);
    peer.expect(&Expect::Stream(5, &[PROTOCOL_ERROR])).unwrap();
    peer.reset(7, CANCEL);
    peer.send(DATA, END_STREAM, 7, b"four");
    peer.expect(&Expect::Stream(7, &[STREAM_CLOSED])).unwrap();
    // Streams that never end take no room from others.
    for n in 10..250 {
        peer.send(HEADERS, END_HEADERS, n * 2 + 1, &request("POST", "/items", fields));
        assert_eq!(peer.answer(n * 2 + 1).status, 403);
    }
}

#[test]
fn a_client_that_reads_nothing_for_a_while_is_heard_all_the_same() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::with_settings(gateway.address, &[(4, 0x7fff_ffff)]);
    peer.open_window(0, 0x7fff_ffff - 65_535);
    // More than the kernel buffers of both sides hold.
    for n in 0..4 {
        peer.ask(n * 2 + 1, "GET", "/bytes/16000000", &[("x-api-key", &key.key)]);
    }
    wait_until_nothing_moves(&peer.wire.stream);
    peer.send(PING, 0, 0, b"8 bytes!");
    eventually("it is read", || (held_by_peer(&peer.wire.stream).0 == 0).then_some(()));
    peer.ask(9, "GET", "/while-it-does-not-read", &[("x-api-key", &key.key)]);
    eventually("the next request reaches the upstream", || {
        (upstream.count_of("/while-it-does-not-read") == 1).then_some(())
    });
}

#[test]
fn bodies_of_streams_count_among_those_that_are_held_to_be_checked() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("POST", "/checked", "").parameter("body", "name", "");
    let config =
        config.endpoint("GET", "/items/{id}", "").section("[overload]\nmax_buffered_bytes = \"1MiB\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let fields = [("x-api-key", key.key.as_str()), ("content-type", "application/json")];
    let mut peers: Vec<Peer> = (0..24).map(|_| Peer::open(gateway.address)).collect();
    for peer in &mut peers {
        peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/checked", &fields));
        for _ in 0..6 {
            peer.send(DATA, 0, 1, &[b' '; 10_000]);
        }
        assert!(peer.ping());
    }
    // Together, the earlier ones hold more than allowed.
    let answer = peers.pop().unwrap().answer(1);
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert!(answer.number("retry-after") >= 1);
    drop(peers);
    eventually("the memory is released", || {
        let mut peer = Peer::open(gateway.address);
        peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/checked", &fields));
        for _ in 0..6 {
            peer.send(DATA, 0, 1, &[b' '; 10_000]);
        }
        peer.send(DATA, END_STREAM, 1, b"{\"name\":\"a\"}");
        (peer.answer(1).status != 503).then_some(())
    });
}
