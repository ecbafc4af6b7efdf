//! Windows that end: what was used is reset at their end, never before and never by errors.

use crate::support::{Config, Gateway, Upstream, eventually, get, limits::assert_limit_headers};
use std::time::{Duration, Instant};

#[test]
fn a_window_of_one_second_gives_its_units_anew_each_second_and_never_more() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["5 per second", "100000 per day"]));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let start = Instant::now();
    let mut admitted = 0;
    while start.elapsed() < Duration::from_millis(3_200) {
        let answer = connection.send(&get("/items/7").key(&key));
        match answer.status {
            200 => admitted += 1,
            429 => {
                assert_eq!(assert_limit_headers(&answer).0, 5);
                std::thread::park_timeout(Duration::from_millis(5));
            }
            other => panic!("{other}"),
        }
    }
    // 3.2 seconds touch four calendar seconds, or five where the first and last are cut.
    assert!((15..=25).contains(&admitted), "{admitted} were admitted in 3.2 seconds");
    assert_eq!(gateway.used(&key), admitted);
}

#[test]
fn a_reset_counts_down_with_the_time() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["100 per day"]));
    let key = gateway.key();
    let first = gateway.send(&get("/items/7").key(&key)).number("X-Rate-Limit-Reset");
    let second = eventually("a second passes", || {
        let reset = gateway.send(&get("/status/404").key(&key)).number("X-Rate-Limit-Reset");
        (reset != first).then_some(reset)
    });
    // A new day may begin in between.
    assert!(second < first || first <= 2, "from {first} to {second}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let to_midnight = 86_400 - now % 86_400;
    assert!(second.abs_diff(to_midnight) <= 2, "a reset in {second}, midnight in {to_midnight}");
}
