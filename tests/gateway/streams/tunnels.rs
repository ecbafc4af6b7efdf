//! Tunnels: every byte in both directions, orderly ends and resets passed on, charged once and at the start.

use crate::{
    bench::{Bench, SWITCHED, echo_or_sample, handshake},
    support::{
        Config, Connection, Exchange, Gate, Next, Upstream, assert_error, eventually, get, sample::pattern,
        wire::Ended,
    },
};
use std::{
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

fn bench_of(script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Bench {
    Bench::of(Upstream::scripted(script), |config| config)
}

#[test]
fn bytes_pass_in_both_directions_at_once_and_none_is_changed() {
    let bench = bench_of(echo_or_sample);
    let connection = bench.tunnel("/echo", "both");
    let body = pattern(8 << 20);
    let mut writer = connection.wire.stream.try_clone().unwrap();
    let sent = body.clone();
    let sending = thread::spawn(move || writer.write_all(&sent).unwrap());
    let mut connection = connection;
    let (back, ended) = connection.wire.exactly(body.len());
    sending.join().unwrap();
    assert!(ended.is_none() && back == body);
    connection.wire.finish_writing();
    assert!(connection.is_closed());
    let line = bench.gateway.logged("both");
    assert_eq!((line["status"].as_u64(), line["charged"].as_u64()), (Some(101), Some(1)), "{line}");
}

#[test]
fn bytes_that_come_right_behind_either_head_are_not_lost() {
    let bench = bench_of(|exchange| {
        exchange.write(&[SWITCHED, b"early"].concat());
        let (came, _) = exchange.wire.exactly(7);
        assert_eq!(came, b"too eag");
        exchange.write(b"bye");
        Next::Close
    });
    let mut connection = bench.gateway.connect();
    connection.write(&[handshake("/a").key(&bench.key).bytes(), b"too eag".to_vec()].concat());
    let answer = crate::support::Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(connection.wire.rest(), (b"earlybye".to_vec(), Ended::Closed));
}

#[test]
fn a_side_that_has_finished_sending_still_receives() {
    // The client first.
    let bench = bench_of(|exchange| {
        exchange.write(SWITCHED);
        assert_eq!(exchange.wire.rest(), (b"question".to_vec(), Ended::Closed));
        exchange.write(b"answer");
        Next::Close
    });
    let mut connection = bench.tunnel("/a", "client-first");
    connection.write(b"question");
    connection.wire.finish_writing();
    assert_eq!(connection.wire.rest(), (b"answer".to_vec(), Ended::Closed));
    assert_eq!(bench.charged("client-first"), 1);

    // The upstream first.
    let heard = Gate::default();
    let signal = heard.clone();
    let bench = bench_of(move |exchange| {
        exchange.write(SWITCHED);
        exchange.write(b"all");
        exchange.wire.finish_writing();
        assert_eq!(exchange.wire.rest(), (b"thanks".to_vec(), Ended::Closed));
        signal.open();
        Next::Close
    });
    let mut connection = bench.tunnel("/a", "upstream-first");
    assert_eq!(connection.wire.rest(), (b"all".to_vec(), Ended::Closed));
    connection.write(b"thanks");
    connection.wire.finish_writing();
    assert!(heard.wait(), "what the client sent after the upstream's end was lost");
    assert_eq!(bench.charged("upstream-first"), 1);
}

#[test]
fn a_side_that_breaks_off_breaks_the_other_off() {
    let broken = Gate::default();
    let signal = broken.clone();
    let bench = bench_of(move |exchange| {
        exchange.write(SWITCHED);
        if exchange.target() == "/upstream" {
            exchange.wire.some().unwrap();
            socket2::SockRef::from(&exchange.wire.stream).set_linger(Some(Duration::ZERO)).unwrap();
            return Next::Close;
        }
        let (_, ended) = exchange.wire.rest();
        assert_eq!(ended, Ended::Reset, "the client's reset came as an orderly end");
        signal.open();
        Next::Close
    });
    let mut connection = bench.tunnel("/upstream", "upstream");
    connection.write(b"x");
    assert_eq!(connection.wire.rest(), (Vec::new(), Ended::Reset));
    assert_eq!(bench.charged("upstream"), 1);

    let connection = bench.tunnel("/client", "client");
    socket2::SockRef::from(&connection.wire.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(connection);
    assert!(broken.wait());
    assert_eq!(bench.charged("client"), 1);
}

#[test]
fn a_side_that_does_not_read_makes_the_other_wait() {
    // A side that writes into a tunnel whose other end does not read blocks after a bounded number of bytes.
    let may_read = Gate::default();
    let wait = may_read.clone();
    let bench = bench_of(move |exchange| {
        exchange.write(SWITCHED);
        wait.wait();
        let (bytes, ended) = exchange.wire.rest();
        assert_eq!(ended, Ended::Closed);
        exchange.write(bytes.len().to_string().as_bytes());
        Next::Close
    });
    let mut connection = bench.tunnel("/a", "slow");
    let stream = connection.wire.stream.try_clone().unwrap();
    socket2::SockRef::from(&stream).set_send_buffer_size(64 << 10).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let chunk = pattern(64 << 10);
    let mut taken = 0;
    let stuck = loop {
        match (&stream).write(&chunk) {
            Ok(count) => taken += count,
            Err(_) => break true,
        }
        if taken > 64 << 20 {
            break false;
        }
    };
    assert!(stuck, "{taken} bytes were read though the other side reads nothing");
    may_read.open();
    connection.wire.finish_writing();
    let (received, ended) = connection.wire.rest();
    assert_eq!(
        (String::from_utf8_lossy(&received).as_ref(), ended),
        (taken.to_string().as_str(), Ended::Closed)
    );
}

#[test]
fn the_charge_leaves_with_the_101_and_is_made_once() {
    let bench = bench_of(echo_or_sample);
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.tunnel("/echo", "once");
    // It is charged while the tunnel is open.
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "an open tunnel");
    for _ in 0..3 {
        connection.write(b"hello");
        assert_eq!(connection.wire.exactly(5).0, b"hello");
    }
    drop(connection);
    assert_eq!(bench.charged("once"), 1);
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "a tunnel that has ended");
    // Also over a crash: the charge was recorded with the last byte of the 101.
    let connection = bench.tunnel("/echo", "crash");
    let Bench { gateway, key, upstream: _upstream } = bench;
    let home = gateway.kill();
    drop(connection);
    let gateway = crate::support::Gateway::start_in(&home);
    gateway.limits(&key).assert_charged_since(&before, 2, "a tunnel that was open at a kill -9");
}

#[test]
fn a_handshake_costs_the_endpoints_cost_or_what_the_upstream_reported() {
    let upstream = Upstream::scripted(|exchange| {
        let cost = if exchange.target() == "/reported" { "X-Cost: 2\r\n" } else { "" };
        let head = String::from_utf8(SWITCHED.to_vec()).unwrap();
        exchange.write(head.replace("\r\n\r\n", &format!("\r\n{cost}\r\n")).as_bytes());
        Next::Close
    });
    let bench = Bench::of(upstream, |config| {
        config.endpoint("GET", "/fixed", "cost = 5").endpoint(
            "GET",
            "/reported",
            "cost = 5\ncost_header = \"X-Cost\"",
        )
    });
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.tunnel("/fixed", "fixed");
    assert!(connection.is_closed());
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 5, "a handshake that costs 5");
    let (mut connection, answer) = bench.shake(&handshake("/reported").key(&bench.key));
    assert!(!answer.headers.has("X-Cost"), "{answer:?}");
    assert!(connection.is_closed());
    bench.gateway.limits(&bench.key).assert_charged_since(
        &before,
        7,
        "a handshake with a reported cost of 2",
    );
}

#[test]
fn a_tunnel_counts_among_the_requests_at_once_until_it_ends() {
    let bench = Bench::of(Upstream::scripted(echo_or_sample), |config: Config| {
        config.plan("free", &["2 at once", "1000 per day"])
    });
    let first = bench.tunnel("/echo", "first");
    let second = bench.tunnel("/echo", "second");
    let answer = bench.gateway.send(&handshake("/echo").key(&bench.key));
    assert_error(&bench.gateway, &answer, 429, "RATE_EXCEEDED");
    assert_eq!(bench.gateway.limits(&bench.key).of("2 at once").used, 2);
    drop(first);
    eventually("the slot of a tunnel that has ended is free", || {
        (bench.gateway.limits(&bench.key).of("2 at once").used == 1).then_some(())
    });
    assert_eq!(bench.gateway.send(&get("/items/7").key(&bench.key)).status, 200);
    drop(second);
    eventually("no slot stays taken", || {
        (bench.gateway.limits(&bench.key).of("2 at once").used == 0).then_some(())
    });
    assert_eq!(bench.gateway.limits(&bench.key).of("1000 per day").used, 3);
}

#[test]
fn of_many_handshakes_at_once_exactly_as_many_are_accepted_as_units_are_left() {
    let bench = Bench::of(Upstream::scripted(echo_or_sample), |config: Config| {
        config.plan("free", &["10 per day", "7 at once"])
    });
    let shake = || {
        let (connection, answer) = bench.shake(&handshake("/echo").key(&bench.key));
        (answer.status, connection)
    };
    let round = || -> Vec<_> {
        thread::scope(|scope| {
            let all: Vec<_> = (0..30).map(|_| scope.spawn(shake)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let accepted = |round: &[(u16, Connection)]| round.iter().filter(|(status, _)| *status == 101).count();
    let first = round();
    assert_eq!(accepted(&first), 7);
    drop(first);
    eventually("the slots are free", || {
        (bench.gateway.limits(&bench.key).of("7 at once").used == 0).then_some(())
    });
    let second = round();
    assert_eq!(accepted(&second), 3);
    assert_eq!(bench.gateway.used(&bench.key), 10);
}

#[test]
fn a_client_that_is_gone_before_the_101_came_is_charged_as_for_every_success() {
    let (asked, may_answer) = (Gate::default(), Gate::default());
    let (signal, wait) = (asked.clone(), may_answer.clone());
    let bench = bench_of(move |exchange| {
        signal.open();
        wait.wait();
        exchange.write(SWITCHED);
        exchange.wire.rest();
        Next::Close
    });
    let mut connection = bench.gateway.connect();
    connection.write(&handshake("/a").key(&bench.key).header("X-Request-Id", "gone").bytes());
    assert!(asked.wait());
    drop(connection);
    may_answer.open();
    assert_eq!(bench.charged("gone"), 1);
}

#[test]
fn a_silent_tunnel_ends_after_its_own_time_and_one_that_is_used_does_not() {
    let bench = Bench::of(Upstream::scripted(echo_or_sample), |config| {
        // Shorter than what other requests may take, and longer than the pauses below.
        config.section(
            "[timeouts]\nstream_idle = \"600ms\"\nstall = \"100ms\"\nkeep_alive = \"100ms\"\ntotal = \"500ms\"",
        )
    });
    let begun = Instant::now();
    let mut connection = bench.tunnel("/echo", "silent");
    while begun.elapsed() < Duration::from_millis(1500) {
        connection.write(b"x");
        assert_eq!(connection.wire.exactly(1).0, b"x", "a tunnel ended that was in use");
        thread::park_timeout(Duration::from_millis(200));
    }
    assert_eq!(connection.wire.rest(), (Vec::new(), Ended::Closed));
    assert_eq!(bench.charged("silent"), 1);
}

#[test]
fn a_drain_lets_tunnels_go_on_until_its_bound_and_their_end_is_recorded() {
    let mut bench =
        Bench::of(Upstream::scripted(echo_or_sample), |config| config.section("[timeouts]\ndrain = \"1s\""));
    let mut connection = bench.tunnel("/echo", "drained");
    bench.gateway.terminate();
    eventually("the drain begins", || {
        std::net::TcpStream::connect(bench.gateway.address).is_err().then_some(())
    });
    connection.write(b"still");
    assert_eq!(connection.wire.exactly(5).0, b"still");
    assert_eq!(connection.wire.rest(), (Vec::new(), Ended::Closed));
    assert_eq!(bench.gateway.ended().code(), Some(0));
    assert_eq!(bench.charged("drained"), 1);
}

#[test]
fn not_one_byte_more_goes_through_for_a_key_that_was_revoked() {
    let bench = bench_of(echo_or_sample);
    let mut connection = bench.tunnel("/echo", "revoked");
    connection.write(b"hello");
    assert_eq!(connection.wire.exactly(5).0, b"hello");
    bench.gateway.run(&["keys", "revoke", &bench.key.id]);
    connection.write(b"hello");
    assert_eq!(connection.wire.rest().0, b"");
    assert_eq!(bench.charged("revoked"), 1);
}

#[test]
fn hundreds_of_tunnels_are_open_at_once_and_hold_little_memory() {
    let bench = bench_of(echo_or_sample);
    let before = bench.gateway.resident();
    let mut tunnels: Vec<_> = (0..300).map(|number| bench.tunnel("/echo", &format!("t-{number}"))).collect();
    let each = bench.gateway.resident().saturating_sub(before) / 300;
    // Two buffers alone would be as much; a debug build's tasks are large.
    assert!(each < 32 << 10, "{each} bytes a tunnel");
    for connection in &mut tunnels {
        connection.write(b"hello");
    }
    for connection in &mut tunnels {
        let mut back = [0; 5];
        connection.wire.stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello");
    }
}
