//! Upstreams that answer an upload and read no more of it: the response is passed on at once.

use crate::{
    config,
    frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, Peer, WINDOW_UPDATE, frame},
    support::{Answer, Connection, Gate, Gateway, Key, assert_error, eventually, get, sockets::held_by_peer},
};
use std::io::Write;

/// `:status: 400` of the static table.
const BAD_REQUEST: &[u8] = &[0x8c];
/// More than the kernel buffers for a connection.
const BODY: usize = 64 << 20;

/// Windows that never block an upload.
fn open_windows(peer: &mut Peer) -> Option<()> {
    peer.send(WINDOW_UPDATE, 0, 0, &(0x7fff_ffff_u32 - 65_535).to_be_bytes())
}

/// Waits until the upload is stuck, because this side reads nothing of it.
fn wait_until_it_is_stuck(peer: &Peer) {
    let (mut before, mut looks) = ((0, 0), 0);
    eventually("the upload is stuck", || {
        let held = held_by_peer(&peer.stream);
        looks = if held == before && held.1 > 0 { looks + 1 } else { 0 };
        before = held;
        (looks > 30).then_some(())
    });
}

/// Begins an upload of which the upstream reads only the beginning.
fn begin_upload(gateway: &Gateway, key: &Key) -> Connection {
    let mut connection = gateway.connect();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: api.example.com\r\nX-API-Key: {}\r\nContent-Length: {BODY}\r\n\r\n",
        key.key
    );
    connection.write(head.as_bytes());
    let mut writing = connection.wire.stream.try_clone().unwrap();
    // It ends when the gateway closes the connection.
    std::thread::spawn(move || {
        let piece = vec![b'x'; 1 << 16];
        while writing.write_all(&piece).is_ok() {}
    });
    connection
}

fn start(upstream: &Frames) -> Gateway {
    let one = "address = \"127.0.0.1:0\"\nthreads = 1";
    Gateway::start(&config(&upstream.url()).listen(one).section("[sizes]\nmax_body_size = \"1GiB\""))
}

/// The answer, in two frames.
fn bad_request(stream: u32) -> Vec<u8> {
    let body = b"{\"message\":\"Too many words.\"}";
    [frame(HEADERS, END_HEADERS, stream, BAD_REQUEST), frame(DATA, END_STREAM, stream, body)].concat()
}

#[track_caller]
fn assert_bad_request(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text().contains("Too many words."), "{answer:?}");
}

#[test]
fn an_upstream_that_takes_no_more_of_a_body_is_heard_at_once() {
    let (is_full, is_answered) = (Gate::default(), Gate::default());
    let (fills, waits) = (is_full.clone(), is_answered.clone());
    let upstream = Frames::serve(&[(4, 0x7fff_ffff)], move |peer| {
        open_windows(peer)?;
        let stream = peer.request()?;
        wait_until_it_is_stuck(peer);
        // Everything that the gateway may buffer for the connection waits to be written.
        fills.wait();
        // Something else arrives before the response.
        for _ in 0..3 {
            peer.send(PING, 0, 0, b"8 bytes!")?;
            eventually("the gateway reads", || (held_by_peer(&peer.stream).0 == 0).then_some(()));
        }
        peer.write(&bad_request(stream))?;
        // It neither reads nor closes.
        waits.wait();
        Some(())
    });
    let gateway = start(&upstream);
    let key = gateway.key();
    let mut uploading = begin_upload(&gateway, &key);
    let large = "x".repeat(20_000);
    let others: Vec<Connection> = (0..8)
        .map(|_| {
            let mut connection = gateway.connect();
            connection.write(&get("/a").key(&key).header("X-Large", &large).bytes());
            connection
        })
        .collect();
    eventually("all are on their way", || {
        let listed: serde_json::Value =
            serde_json::from_str(&gateway.run(&["upstreams", "list", "--json"])).unwrap();
        listed.to_string().contains("\"in_flight\":9").then_some(())
    });
    is_full.open();
    assert_bad_request(&uploading.answer_to("POST"));
    is_answered.open();
    drop(others);
}

#[test]
fn an_upstream_that_answers_and_closes_without_reading_is_heard() {
    for _ in 0..5 {
        let upstream = Frames::serve(&[(4, 0x7fff_ffff)], move |peer| {
            open_windows(peer)?;
            let stream = peer.request()?;
            wait_until_it_is_stuck(peer);
            // Closed with unread bytes: the peer gets a reset right after the response.
            peer.write(&bad_request(stream))
        });
        let gateway = start(&upstream);
        assert_bad_request(&begin_upload(&gateway, &gateway.key()).answer_to("POST"));
    }
}

#[test]
fn an_upstream_that_closes_without_an_answer_is_an_error_all_the_same() {
    let upstream = Frames::serve(&[(4, 0x7fff_ffff)], move |peer| {
        open_windows(peer)?;
        peer.request()?;
        wait_until_it_is_stuck(peer);
        None
    });
    let gateway = start(&upstream);
    let answer = begin_upload(&gateway, &gateway.key()).answer_to("POST");
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
}
