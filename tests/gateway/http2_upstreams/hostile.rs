//! Upstreams that attack: each ends its own connection, in bounded memory, and the next request is served by a new one.

use crate::{
    config,
    frames::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, OK, PING, PUSH_PROMISE, Peer,
        RST_STREAM, SETTINGS, WINDOW_UPDATE, frame,
    },
    support::{Gateway, assert_error, get, post},
};
use std::time::{Duration, Instant};

/// What the process may grow by under attack.
const GROWTH: u64 = 40 << 20;

type Attack = fn(&mut Peer, u32) -> Option<()>;

/// Writes these bytes until the gateway closes the connection.
fn flood(peer: &mut Peer, bytes: &[u8]) -> Option<()> {
    let many = bytes.repeat(16_384 / bytes.len() + 1);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        peer.write(&many)?;
    }
    None
}

fn settings(peer: &mut Peer, _: u32) -> Option<()> {
    flood(peer, &frame(SETTINGS, 0, 0, &[]))
}

fn pings(peer: &mut Peer, _: u32) -> Option<()> {
    flood(peer, &frame(PING, 0, 0, b"flooding"))
}

fn empty_data(peer: &mut Peer, stream: u32) -> Option<()> {
    peer.send(HEADERS, END_HEADERS, stream, OK)?;
    flood(peer, &frame(DATA, 0, stream, &[]))
}

fn tiny_window_updates(peer: &mut Peer, _: u32) -> Option<()> {
    flood(peer, &frame(WINDOW_UPDATE, 0, 0, &1u32.to_be_bytes()))
}

fn resets(peer: &mut Peer, stream: u32) -> Option<()> {
    flood(peer, &frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()))
}

fn endless_head(peer: &mut Peer, stream: u32) -> Option<()> {
    peer.send(HEADERS, 0, stream, OK)?;
    flood(peer, &frame(CONTINUATION, 0, stream, &[0x88; 1000]))
}

fn empty_continuations(peer: &mut Peer, stream: u32) -> Option<()> {
    peer.send(HEADERS, 0, stream, OK)?;
    flood(peer, &frame(CONTINUATION, 0, stream, &[]))
}

/// A field of 4,000 bytes that enters the table, and is then repeated by one byte.
fn bomb(peer: &mut Peer, stream: u32, interim: bool) -> Option<()> {
    let mut block = if interim { vec![0x08, 0x03, b'1', b'0', b'3'] } else { OK.to_vec() };
    block.extend(*b"\x40\x01a\x7f\xa1\x1e");
    block.extend(vec![b'b'; 4000]);
    block.extend(vec![0xbe; if interim { 14 } else { 10_000 }]);
    peer.send(HEADERS, END_HEADERS, stream, &block)?;
    let again = if interim {
        [&[0x08, 0x03, b'1', b'0', b'3'][..], &[0xbe; 15]].concat()
    } else {
        [OK, &[0xbe; 10_000]].concat()
    };
    flood(peer, &frame(HEADERS, END_HEADERS, stream, &again))
}

fn header_bomb(peer: &mut Peer, stream: u32) -> Option<()> {
    bomb(peer, stream, false)
}

/// Interim answers of 60 KB each, by 20 bytes.
fn interim_bombs(peer: &mut Peer, stream: u32) -> Option<()> {
    bomb(peer, stream, true)
}

fn interims(peer: &mut Peer, stream: u32) -> Option<()> {
    flood(peer, &frame(HEADERS, END_HEADERS, stream, &[0x08, 0x03, b'1', b'0', b'3']))
}

fn pushes(peer: &mut Peer, stream: u32) -> Option<()> {
    let promise = [&2u32.to_be_bytes()[..], &[0x82, 0x84, 0x86]].concat();
    flood(peer, &frame(PUSH_PROMISE, END_HEADERS, stream, &promise))
}

fn more_than_the_window(peer: &mut Peer, stream: u32) -> Option<()> {
    peer.send(HEADERS, END_HEADERS, stream, OK)?;
    flood(peer, &frame(DATA, 0, stream, &[0; 16_000]))
}

fn more_than_its_length(peer: &mut Peer, stream: u32) -> Option<()> {
    peer.send(HEADERS, END_HEADERS, stream, &[OK, b"\x0f\x0d\x015"].concat())?;
    flood(peer, &frame(DATA, 0, stream, &[0; 100]))
}

fn unknown_frames(peer: &mut Peer, _: u32) -> Option<()> {
    flood(peer, &frame(0x42, 0, 0, b"unknown"))
}

fn no_frames(peer: &mut Peer, _: u32) -> Option<()> {
    flood(peer, &[0xff; 1000])
}

fn a_window_beyond_all_bounds(peer: &mut Peer, stream: u32) -> Option<()> {
    flood(peer, &frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffffu32.to_be_bytes()))
}

fn streams_that_nobody_opened(peer: &mut Peer, _: u32) -> Option<()> {
    peer.send(HEADERS, END_HEADERS | END_STREAM, 99, OK)?;
    peer.end().map(|_| ())
}

const ATTACKS: &[(&str, Attack)] = &[
    ("settings", settings),
    ("pings", pings),
    ("empty data", empty_data),
    ("tiny window updates", tiny_window_updates),
    ("resets", resets),
    ("an endless head", endless_head),
    ("empty continuations", empty_continuations),
    ("a header bomb", header_bomb),
    ("interim bombs", interim_bombs),
    ("interims", interims),
    ("pushes", pushes),
    ("more than the window", more_than_the_window),
    ("more than its length", more_than_its_length),
    ("unknown frames", unknown_frames),
    ("no frames", no_frames),
    ("a window beyond all bounds", a_window_beyond_all_bounds),
    ("streams that nobody opened", streams_that_nobody_opened),
];

#[test]
fn an_attack_ends_its_connection_in_bounded_memory_and_is_free() {
    for (name, attack) in ATTACKS {
        let upstream = Frames::serve(&[], move |peer| {
            let stream = peer.request()?;
            if peer.number > 0 {
                return peer.answer(stream, b"peace").and_then(|()| peer.request()).map(|_| ());
            }
            // A peer that does not read fills the other side's buffers with acknowledgements; this one reads.
            let mut reading = peer.stream.try_clone().unwrap();
            std::thread::spawn(move || std::io::copy(&mut reading, &mut std::io::sink()));
            attack(peer, stream)
        });
        let one = "address = \"127.0.0.1:0\"\nthreads = 1";
        let gateway =
            Gateway::start(&config(&upstream.url()).listen(one).upstream("first_byte_timeout = \"3s\""));
        let key = gateway.key();
        let before = gateway.limits(&key);
        let resident = gateway.resident();
        let begun = Instant::now();
        let mut connection = gateway.connect();
        connection.write(&post("/a", "{}").key(&key).bytes());
        let answer = connection.answer_to("POST");
        if answer.status == 200 {
            assert!(answer.cut.is_some(), "{name}: {answer:?}");
        } else {
            assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{name} took {:?}", begun.elapsed());
        gateway.limits(&key).assert_charged_since(&before, 0, name);
        let grown = gateway.resident().saturating_sub(resident);
        assert!(grown < GROWTH, "{name}: grown by {} MiB", grown >> 20);
        // The attacked request may be answered before its connection has ended, and another one be sent there.
        let calm = Instant::now() + Duration::from_secs(10);
        loop {
            let answer = gateway.send(&get("/a").key(&key));
            if (answer.status, answer.text().as_str()) == (200, "peace") {
                break;
            }
            assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
            assert!(Instant::now() < calm, "{name}: {answer:?}");
        }
    }
}

#[test]
fn an_upstream_that_floods_and_does_not_read_is_left_in_bounded_memory() {
    let upstream = Frames::serve(&[], |peer| {
        peer.request()?;
        pings(peer, 0)
    });
    let gateway = Gateway::start(&config(&upstream.url()).upstream("first_byte_timeout = \"2s\""));
    let key = gateway.key();
    let resident = gateway.resident();
    let answer = gateway.send(&post("/a", "{}").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert!(gateway.resident().saturating_sub(resident) < GROWTH);
}

#[test]
fn an_upstream_that_opens_no_window_stalls_only_its_own_request() {
    // Windows of streams are closed from the beginning; only /open gets one.
    let upstream = Frames::serve(&[(4, 0)], |peer| {
        loop {
            let asked = peer.wait_for(HEADERS)?;
            if asked.flags & END_STREAM != 0 {
                peer.answer(asked.stream, b"no body")?;
            }
        }
    });
    let one = "address = \"127.0.0.1:0\"\nthreads = 1";
    let times = "stall_timeout = \"700ms\"\nfirst_byte_timeout = \"700ms\"";
    let gateway = Gateway::start(&config(&upstream.url()).listen(one).upstream(times));
    let key = gateway.key();
    let mut stalled = gateway.connect();
    stalled.write(&post("/stalled", &format!("{{\"a\":\"{}\"}}", "x".repeat(100_000))).key(&key).bytes());
    for _ in 0..5 {
        assert_eq!(gateway.send(&get("/a").key(&key)).text(), "no body");
    }
    assert_error(&gateway, &stalled.answer_to("POST"), 500, "UNEXPECTED_ERROR");
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn an_upstream_that_sends_only_an_ack_has_not_sent_its_preface() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut peer = Peer { stream, number: 0 };
            let _ = peer.send(SETTINGS, ACK, 0, &[]);
            std::thread::spawn(move || peer.end());
        }
    });
    let gateway = Gateway::start(&config(&url));
    let key = gateway.key();
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert!(incident["detail"].as_str().unwrap().contains("the first frame must be SETTINGS"), "{incident}");
}
