//! A start with a wall clock behind the last time in the journal.

use crate::{
    fake_time::FakeTime,
    support::{Config, Connection, Gateway, Upstream, assert_error, gateway::Home, get},
};
use std::sync::Arc;

const NOON: &str = "2026-11-23T12:00:00Z";

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).plan("free", &["2 per day", "100 in all"])
}

/// Uses up the day, and waits until it is on disk.
fn use_up(home: &Arc<Home>) -> crate::support::Key {
    let key = home.create_key(&["--plan", "free"]);
    let gateway = Gateway::start_in(home);
    let mut connection = gateway.connect();
    for _ in 0..2 {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    }
    let _ = gateway.stop();
    key
}

#[test]
fn a_clock_that_is_an_hour_behind_grants_no_day_again() {
    let upstream = Upstream::sample();
    let time = FakeTime::at("2026-11-23T00:30:00Z");
    let home = time.home(&config(&upstream));
    let key = use_up(&home);
    time.set_by(-3_600.0);
    let gateway = Gateway::start_in(&home);
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    let left = answer.number("X-Rate-Limit-Reset");
    assert!((84_500..=84_600).contains(&left), "{left}");
}

#[test]
fn a_clock_that_is_days_behind_is_refused_until_it_is_trusted() {
    let upstream = Upstream::sample();
    let time = FakeTime::at(NOON);
    let home = time.home(&config(&upstream));
    let key = use_up(&home);
    time.set_by(-3.0 * 86_400.0);
    for _ in 0..2 {
        let output = home.run(&["serve"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        for part in ["2026-11-20T12:00:", "2026-11-23T12:00:", "--trust-clock", "Correct the clock"] {
            assert!(output.err.contains(part), "{}", output.err);
        }
    }
    let check = |mut connection: Connection, grants: usize| {
        for _ in 0..grants {
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
        }
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 429);
    };
    // The 20th is granted, once; what was used in all is kept.
    let gateway = Gateway::start_with(&home, &["serve", "--trust-clock"]);
    check(gateway.connect(), 2);
    let in_all = gateway.limits(&key).all.into_iter().find(|limit| limit.limit == "100 in all").unwrap();
    assert_eq!(in_all.used, 4);
    let home = gateway.stop();
    // Once is enough, and later starts keep what was counted since.
    let gateway = Gateway::start_in(&home);
    check(gateway.connect(), 0);
    let _ = gateway.kill();
}
