//! Calendar windows at their very ends, with the headers on the wire before and after.

use crate::{
    fake_time::{FakeTime, second},
    support::{Answer, Config, Gateway, Upstream, assert_error, eventually, get},
};
use std::time::Duration;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Uses up a limit before `end`, where the next window begins, which is `next` seconds long.
#[track_caller]
fn turns_over(limit: &str, end: &str, next: u64) {
    let upstream = Upstream::sample();
    let time = FakeTime::at(&before(end, 60));
    let home = time.home(&Config::of(&upstream).plan("free", &[&format!("3 {limit}")]));
    let key = home.create_key(&["--plan", "free"]);
    let gateway = Gateway::start_in(&home);
    let mut connection = gateway.connect();
    let get = get("/items/7").key(&key);
    let check_reset = |answer: &Answer, left: f64| {
        let reset = answer.number("X-Rate-Limit-Reset") as f64;
        assert!(reset >= left && reset < left + 2.0, "{limit}: the reset is {reset}, and {left} s remain");
    };
    for remaining in [2, 1, 0] {
        let answer = connection.send(&get);
        assert_eq!((answer.status, answer.number("X-Rate-Limit-Remaining")), (200, remaining), "{limit}");
        assert_eq!(answer.number("X-Rate-Limit-Limit"), 3);
        check_reset(&answer, second(end) as f64 - time.now());
    }
    let denied = connection.send(&get);
    assert_error(&gateway, &denied, 429, "API_LIMIT_EXCEEDED");
    assert!(denied.json()["error"]["message"].as_str().unwrap().contains(end), "{}", denied.text());
    assert_eq!(denied.number("Retry-After"), denied.number("X-Rate-Limit-Reset"));

    // Steps of less than a second are followed at once, so no test waits for a minute.
    while time.now() < second(end) as f64 - 3.0 {
        time.set_by(0.8);
        std::thread::park_timeout(Duration::from_millis(150));
    }
    let first = eventually("the next window grants", || {
        let answer = connection.send(&get);
        // The gateway's time is never ahead of this clock, so what it grants now must have begun.
        let has_begun = time.now() >= second(end) as f64;
        assert!(has_begun || answer.status == 429, "{limit}: granted before its window");
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(first.number("X-Rate-Limit-Remaining"), 2);
    // On a busy machine the gateway may see several steps as one, which it follows later only. So it may be behind, but
    // it has come to the window that it grants in.
    let (reset, left) = (first.number("X-Rate-Limit-Reset"), second(end) as f64 + next as f64 - time.now());
    assert!(reset as f64 >= left && reset <= next, "{limit}: the reset is {reset}, and {left} s remain");
    for remaining in [1, 0] {
        let answer = connection.send(&get);
        assert_eq!((answer.status, answer.number("X-Rate-Limit-Remaining")), (200, remaining), "{limit}");
    }
    assert_error(&gateway, &connection.send(&get), 429, "API_LIMIT_EXCEEDED");
    assert_eq!(upstream.count(), 6);
}

fn before(time: &str, seconds: u64) -> String {
    let at = i64::try_from(second(time) - seconds).unwrap();
    jiff::Timestamp::from_second(at).unwrap().to_string()
}

#[test]
fn midnight_utc() {
    turns_over("per day", "2026-11-23T00:00:00Z", DAY);
}

#[test]
fn the_end_of_a_month_of_31_days() {
    turns_over("per month", "2027-02-01T00:00:00Z", 28 * DAY);
}

#[test]
fn the_end_of_a_year() {
    turns_over("per month", "2027-01-01T00:00:00Z", 31 * DAY);
}

#[test]
fn a_leap_day_begins() {
    turns_over("per day", "2028-02-29T00:00:00Z", DAY);
}

#[test]
fn a_month_with_a_leap_day_ends() {
    turns_over("per month", "2028-03-01T00:00:00Z", 31 * DAY);
}

#[test]
fn a_month_with_a_leap_day_begins() {
    turns_over("per month", "2028-02-01T00:00:00Z", 29 * DAY);
}

#[test]
fn a_day_of_23_hours_begins() {
    turns_over("per day in Europe/Berlin", "2027-03-27T23:00:00Z", 23 * HOUR);
}

#[test]
fn a_day_of_23_hours_ends() {
    turns_over("per day in Europe/Berlin", "2027-03-28T22:00:00Z", DAY);
}

#[test]
fn a_day_of_25_hours_begins() {
    turns_over("per day in Europe/Berlin", "2027-10-30T22:00:00Z", 25 * HOUR);
}

#[test]
fn a_day_of_25_hours_ends() {
    turns_over("per day in Europe/Berlin", "2027-10-31T23:00:00Z", DAY);
}

#[test]
fn a_month_in_which_clocks_are_put_forward_begins() {
    turns_over("per month in Europe/Berlin", "2027-02-28T23:00:00Z", 31 * DAY - HOUR);
}

#[test]
fn midnight_in_a_zone_with_45_minutes() {
    turns_over("per day in Asia/Kathmandu", "2026-12-31T18:15:00Z", DAY);
}
