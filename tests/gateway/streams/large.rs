//! Bodies of any size in constant memory, however fast or slow either side is.

use crate::{
    bench::Bench,
    support::{Answer, Config, Exchange, Gate, Next, Upstream, get, request, wire::Wire},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

/// Bytes that pass: much more than the process may grow by, and little enough for a debug build.
const LARGE: usize = 256 << 20;
/// What the process may grow by. It is a debug build, and its allocator keeps some of the freed memory.
const GROWTH: u64 = 24 << 20;
const PIECE: usize = 64 << 10;

fn bench(script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Bench {
    let bench = Bench::of(Upstream::scripted(script), |config: Config| {
        config.section("[sizes]\nmax_body_size = \"1GiB\"")
    });
    // Everything that a first request allocates exists already when measuring begins.
    assert_eq!(bench.gateway.send(&get("/warm").key(&bench.key)).status, 200);
    bench
}

/// Writes so many bytes whose values encode their offset.
fn write_pattern(mut to: &TcpStream, length: usize) -> bool {
    let piece: Vec<u8> = (0..PIECE).map(|at| (at % 251) as u8).collect();
    (0..length / PIECE).all(|_| to.write_all(&piece).is_ok())
}

/// Reads so many bytes and returns whether each is the one written at its offset.
fn read_pattern(mut from: impl Read, length: usize) -> bool {
    let wanted: Vec<u8> = (0..PIECE).map(|at| (at % 251) as u8).collect();
    let mut piece = vec![0; PIECE];
    (0..length / PIECE).all(|_| from.read_exact(&mut piece).is_ok() && piece == wanted)
}

/// Sends a response with its length.
fn send_large(exchange: &mut Exchange<'_>) {
    exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
    write_pattern(&exchange.wire.stream, LARGE);
}

/// Reads a body without keeping it.
fn take_large(exchange: &mut Exchange<'_>) -> bool {
    let came = exchange.wire.ahead().len();
    // What was read with the head belongs to the body.
    let (first, _) = exchange.wire.exactly(came);
    let is_right = read_pattern(first.chain(&exchange.wire.stream), LARGE);
    exchange.body_read = true;
    exchange.seen.whole = true;
    is_right
}

fn serve(exchange: &mut Exchange<'_>) -> Next {
    match exchange.target() {
        "/download" => send_large(exchange),
        "/upload" => {
            let is_right = take_large(exchange);
            return exchange.json(if is_right { 200 } else { 500 }, "{}");
        }
        "/both" => {
            let sending = exchange.wire.stream.try_clone().unwrap();
            exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
            let sender = thread::spawn(move || write_pattern(&sending, LARGE));
            let is_right = take_large(exchange);
            assert!(sender.join().unwrap() && is_right);
        }
        _ => return exchange.json(200, "{}"),
    }
    Next::Keep
}

#[test]
fn a_large_download_passes_in_constant_memory() {
    let bench = bench(serve);
    let before = bench.gateway.resident();
    let (connection, answer) = bench.shake(&get("/download").key(&bench.key));
    assert_eq!(answer.header("Content-Length"), Some(LARGE.to_string().as_str()));
    assert_whole(connection.wire);
    assert_small(&bench, before);
}

#[test]
fn a_large_upload_passes_in_constant_memory() {
    let bench = bench(serve);
    let before = bench.gateway.resident();
    let mut connection = bench.gateway.connect();
    let head = request("PUT", "/upload").key(&bench.key).header("Content-Length", &LARGE.to_string());
    connection.write(&head.head());
    assert!(write_pattern(&connection.wire.stream, LARGE));
    assert_eq!(connection.answer().status, 200);
    assert_small(&bench, before);
}

#[test]
fn a_large_upload_and_a_large_download_pass_at_once_in_constant_memory() {
    let bench = bench(serve);
    let before = bench.gateway.resident();
    let mut connection = bench.gateway.connect();
    let head = request("PUT", "/both").key(&bench.key).header("Content-Length", &LARGE.to_string());
    connection.write(&head.head());
    let sending = connection.wire.stream.try_clone().unwrap();
    let sender = thread::spawn(move || write_pattern(&sending, LARGE));
    let answer = Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.status, 200);
    assert_whole(connection.wire);
    assert!(sender.join().unwrap());
    assert_small(&bench, before);
}

/// Reads a large body without keeping it.
#[track_caller]
fn assert_whole(mut wire: Wire) {
    let came = wire.ahead().len();
    let (first, _) = wire.exactly(came);
    assert!(read_pattern(first.chain(&wire.stream), LARGE), "the body arrived changed");
}

#[track_caller]
fn assert_small(bench: &Bench, before: u64) {
    let grown = bench.gateway.resident().saturating_sub(before);
    assert!(grown < GROWTH, "it grew by {grown} bytes");
}

#[test]
fn a_client_that_reads_slowly_holds_the_upstream_up_and_not_in_memory() {
    let written = Gate::default();
    let done = written.clone();
    let bench = bench(move |exchange| {
        if exchange.target() != "/download" {
            return serve(exchange);
        }
        socket2::SockRef::from(&exchange.wire.stream).set_send_buffer_size(64 << 10).unwrap();
        exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
        exchange.wire.stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let piece: Vec<u8> = (0..PIECE).map(|at| (at % 251) as u8).collect();
        let mut taken = 0;
        while let Ok(count) = (&exchange.wire.stream).write(&piece[taken % PIECE..]) {
            taken += count;
        }
        assert!(taken < 64 << 20, "{taken} bytes were read though the other side reads nothing");
        done.open();
        exchange.wire.stream.set_write_timeout(None).unwrap();
        (&exchange.wire.stream).write_all(&piece[taken % PIECE..]).unwrap();
        let rest = LARGE - taken - (PIECE - taken % PIECE);
        write_pattern(&exchange.wire.stream, rest);
        Next::Keep
    });
    let before = bench.gateway.resident();
    let (connection, _) = bench.shake(&get("/download").key(&bench.key));
    assert!(written.wait(), "the upstream was never held up");
    assert_small(&bench, before);
    assert_whole(connection.wire);
}

#[test]
fn an_upstream_that_reads_slowly_holds_the_client_up_and_not_in_memory() {
    let may_read = Gate::default();
    let wait = may_read.clone();
    let bench = bench(move |exchange| {
        if exchange.target() == "/upload" {
            wait.wait();
        }
        serve(exchange)
    });
    let before = bench.gateway.resident();
    let mut connection = bench.gateway.connect();
    let head = request("PUT", "/upload").key(&bench.key).header("Content-Length", &LARGE.to_string());
    connection.write(&head.head());
    let stream = connection.wire.stream.try_clone().unwrap();
    socket2::SockRef::from(&stream).set_send_buffer_size(64 << 10).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let piece: Vec<u8> = (0..PIECE).map(|at| (at % 251) as u8).collect();
    let mut taken = 0;
    while let Ok(count) = (&stream).write(&piece[taken % PIECE..]) {
        taken += count;
    }
    assert!(taken < 64 << 20, "{taken} bytes were read though the other side reads nothing");
    assert_small(&bench, before);
    may_read.open();
    stream.set_write_timeout(None).unwrap();
    (&stream).write_all(&piece[taken % PIECE..]).unwrap();
    assert!(write_pattern(&stream, LARGE - taken - (PIECE - taken % PIECE)));
    assert_eq!(connection.answer().status, 200);
}

#[test]
fn a_body_without_a_length_is_held_to_the_largest_all_the_same() {
    let bench =
        Bench::of(Upstream::scripted(serve), |config| config.section("[sizes]\nmax_body_size = \"1MiB\""));
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.gateway.connect();
    let head = request("PUT", "/chunked").key(&bench.key).header("Transfer-Encoding", "chunked");
    connection.write(&head.head());
    for _ in 0..64 {
        connection.write(b"10000\r\n");
        connection.write(&[b'a'; 0x10000]);
        connection.write(b"\r\n");
    }
    let answer = connection.answer();
    crate::support::assert_error(&bench.gateway, &answer, 400, "BODY_TOO_LARGE");
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 0, "a body that is too large");
}
