//! What TLS must not change: errors are free, limits exact, and a charge comes with the last byte.

use crate::support::{Config, Gateway, Next, Upstream, eventually, get};
use std::io::Read;

/// More than the kernel buffers of both sides hold.
const LARGE: usize = 24 << 20;

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| match exchange.target() {
        "/large" => exchange.answer(200, &[], &vec![b'x'; LARGE]),
        "/fails" => exchange.json(500, "{}"),
        "/broken" => {
            exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\nhalf").as_bytes());
            Next::Close
        }
        _ => exchange.json(200, "{}"),
    })
}

#[test]
fn errors_are_free_and_successes_cost_one() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().plan("free", &["10 per day"]));
    let key = gateway.key();
    for (target, remaining) in [("/items", 9), ("/fails", 9), ("/items", 8), ("/broken", 7), ("/items", 7)] {
        let mut connection = gateway.connect();
        let answer = connection.send(&get(target).key(&key));
        // The head of a response that breaks later still counts the unit that is released.
        assert_eq!(answer.number("X-Rate-Limit-Remaining"), remaining, "{target}");
    }
}

#[test]
fn of_many_at_once_exactly_as_many_succeed_as_are_left() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().plan("free", &["10 per day"]));
    let key = gateway.key();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || gateway.send(&get("/items").key(&key)).status;
        let clients: Vec<_> = (0..40).map(|_| scope.spawn(send)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 429).count(), 30, "{statuses:?}");
}

/// The largest response takes many partial writes, so that its last records are written by a separate call.
#[test]
fn a_charge_outlives_a_kill_once_the_last_byte_has_come_and_not_before() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().plan("free", &["10 per day"]));
    let key = gateway.key();
    // Half of an answer was read when the gateway dies.
    let mut half = gateway.connect();
    half.write(&get("/large").key(&key).bytes());
    assert_eq!(half.wire.exactly(1 << 20).0.len(), 1 << 20);
    let home = gateway.kill();
    let gateway = Gateway::start_in(&home);
    let used = |gateway: &Gateway| gateway.used(&key);
    assert_eq!(used(&gateway), 0);
    // And a whole one.
    let answer = gateway.send(&get("/large").key(&key));
    assert_eq!((answer.is_whole(), answer.body.len()), (true, LARGE));
    let home = gateway.kill();
    let gateway = Gateway::start_in(&home);
    assert_eq!(used(&gateway), 1);
}

#[test]
fn a_client_that_hangs_up_on_a_success_is_charged() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().plan("free", &["10 per day"]));
    let key = gateway.key();
    let mut connection = gateway.connect();
    connection.write(&get("/large").key(&key).bytes());
    assert_eq!(connection.wire.exactly(100_000).1, None);
    drop(connection);
    eventually("the answer is charged", || (gateway.used(&key) == 1).then_some(()));
}

/// A client that stops reading gets the rest once it continues, in order.
#[test]
fn a_slow_reader_gets_every_byte() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    let key = gateway.key();
    let mut slow = gateway.connect();
    slow.write(&get("/large").key(&key).bytes());
    slow.wire.wait_unread().unwrap();
    // Another client does not wait for it.
    assert_eq!(gateway.send(&get("/items").key(&key)).status, 200);
    let answer = slow.answer_to("GET");
    assert_eq!((answer.is_whole(), answer.body.len()), (true, LARGE));
    assert!(answer.body.iter().all(|&byte| byte == b'x'));
    let _ = slow.wire.stream.read(&mut [0; 0]);
}
