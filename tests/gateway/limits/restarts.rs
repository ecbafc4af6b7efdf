//! Counters of every kind across an orderly exit and a kill.

use crate::support::{
    Config, Gateway, Key, Upstream, eventually, get, limits::Limits, post, sample::pattern,
};
use std::time::Duration;

/// Every persistent kind, as many as a plan can have.
const KINDS: [&str; 8] = [
    "100 per hour",
    "100 per day",
    "100 per month",
    "100 per day in Asia/Kolkata",
    "100 per rolling day",
    "60 per hour, burst 100",
    "100 in all",
    "100 per day for search",
];

fn used(limits: &Limits) -> Vec<u64> {
    limits.all.iter().map(|one| one.used).collect()
}

/// A bucket refills by one a minute, and an hour may end; everything else must be the same.
#[track_caller]
fn assert_same(before: &Limits, after: &Limits) {
    for (then, now) in before.all.iter().zip(&after.all) {
        let refilled = u64::from(now.limit.contains("burst"));
        let is_new = now.reset > then.reset;
        assert!(is_new || (then.used - refilled..=then.used).contains(&now.used), "{then:?} became {now:?}");
    }
}

fn spend(gateway: &Gateway, key: &Key) {
    for _ in 0..3 {
        assert_eq!(gateway.send(&get("/items/7").key(key)).status, 200);
        assert_eq!(gateway.send(&post("/search", "{}").key(key)).status, 200);
        assert_eq!(gateway.send(&get("/status/404").key(key)).status, 404);
    }
}

#[test]
fn an_end_in_order_and_a_kill_keep_every_counter() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &KINDS)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("GET", "/status/{status}", "")
        .endpoint("POST", "/search", "group = \"search\"\ncost = 4");
    let mut gateway = Gateway::start(&config);
    let (key, other) = (gateway.key(), gateway.key());
    assert_eq!(gateway.send(&get("/items/7").key(&other)).status, 200);
    for turn in 1..=2 {
        spend(&gateway, &key);
        let before = gateway.limits(&key);
        let sum = 15 * turn;
        assert_eq!(used(&before), [sum, sum, sum, sum, sum, sum, sum, 12 * turn]);
        gateway = Gateway::start_in(&if turn == 1 { gateway.stop() } else { gateway.kill() });
        assert_same(&before, &gateway.limits(&key));
        assert_eq!(used(&gateway.limits(&other)), [1, 1, 1, 1, 1, 1, 1, 0]);
    }
}

#[test]
fn requests_at_once_begin_anew_with_the_process() {
    let upstream = Upstream::scripted(|exchange| exchange.stall());
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["2 at once"]));
    let key = gateway.key();
    let connections: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = gateway.connect();
            connection.write(&get("/a").key(&key).bytes());
            connection
        })
        .collect();
    eventually("both are in flight", || (gateway.used(&key) == 2).then_some(()));
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(gateway.used(&key), 0);
    drop(connections);
}

/// A client that reads late leaves so little room in the sockets that the last bytes of some responses are sent in two
/// pieces.
#[test]
fn answers_that_leave_in_pieces_are_charged_for_good() {
    const ANSWERS: usize = 400;
    let upstream = Upstream::scripted(|exchange| exchange.answer(200, &[], &pattern(30_011)));
    let config = Config::of(&upstream).plan("free", &["1000 per month"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut client = gateway.connect();
    assert!(client.write(&get("/a").key(&key).bytes().repeat(ANSWERS)));
    let mut before = 0;
    eventually("the sockets are full", || {
        std::thread::park_timeout(Duration::from_millis(100));
        let count = upstream.count();
        let is_stuck = count > 0 && count == std::mem::replace(&mut before, count);
        is_stuck.then_some(())
    });
    assert!(before < ANSWERS, "the sockets hold all of it");
    for _ in 0..ANSWERS {
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.len()), (200, 30_011));
    }
    assert_eq!(gateway.used(&key), ANSWERS as u64);
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(gateway.used(&key), ANSWERS as u64, "some charges were forgotten");
}
