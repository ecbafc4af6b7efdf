//! Requests that are retried at another address: which, how many, and what they cost.

use crate::{
    addresses::named,
    support::{Config, Gateway, Next, Upstream, assert_error, get, post, request},
};
use std::time::{Duration, Instant};

/// Reads requests and closes without a response.
fn mute() -> Upstream {
    Upstream::scripted(|exchange| {
        exchange.read_body();
        Next::Close
    })
}

/// A gateway that prefers `first`: only when it failed, requests go to `second`.
fn first_and_second(first: &Upstream, second: &Upstream, lines: &str) -> Gateway {
    let config = Config::of_addresses(&[(first.url(), 1000), (second.url(), 1)]);
    Gateway::start(&config.upstream("consecutive_failures = \"off\"").upstream(lines))
}

#[test]
fn a_get_that_was_not_answered_goes_to_another_address_and_is_charged_once() {
    let (first, second) = (mute(), named("second"));
    let gateway = first_and_second(&first, &second, "retry_budget_min_per_second = 1000");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for _ in 0..10 {
        let answer = connection.send(&get("/a").key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "second"));
    }
    assert!(first.count() >= 8, "the other address got the first requests: {}", first.count());
    assert_eq!(second.count(), 10);
    gateway.limits(&key).assert_charged_since(&before, 10, "ten requests, nearly all sent twice");
}

#[test]
fn what_might_be_carried_out_twice_is_sent_once() {
    let (first, second) = (mute(), named("second"));
    let gateway = first_and_second(&first, &second, "retry_budget_min_per_second = 1000");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let with_body = request("OPTIONS", "/a").body("text/plain", b"x");
    let mut failed = 0;
    for request in [post("/a", "{}"), with_body, post("/a", "{}"), post("/b", "{}")] {
        let seen = first.count() + second.count();
        let answer = gateway.send(&request.key(&key));
        failed += u64::from(answer.status == 500);
        assert_eq!(first.count() + second.count(), seen + 1, "it was sent twice");
    }
    assert!(failed >= 3);
    gateway.limits(&key).assert_charged_since(&before, 4 - failed, "errors are free");
}

#[test]
fn an_answer_that_has_begun_is_not_asked_for_again() {
    let begins: [&[u8]; 3] =
        [b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n", b"garbage\r\n\r\n"];
    for begin in begins {
        let first = Upstream::scripted(move |exchange| exchange.send_raw(begin, Next::Close));
        let second = named("second");
        let gateway = first_and_second(&first, &second, "retry_budget_min_per_second = 1000");
        let key = gateway.key();
        for _ in 0..3 {
            let seen = first.count();
            let answer = gateway.send(&get("/a").key(&key));
            if first.count() > seen {
                assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
            }
        }
        assert!(second.count() <= 1, "{:?} was requested again", String::from_utf8_lossy(begin));
    }
}

#[test]
fn no_more_than_the_budget_is_sent_again() {
    let (first, second) = (mute(), mute());
    let gateway =
        first_and_second(&first, &second, "retry_budget_percent = 20\nretry_budget_min_per_second = 0");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for _ in 0..100 {
        let answer = connection.send(&get("/a").key(&key));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    }
    let sent = first.count() + second.count();
    // A fifth of the requests, no more; the last one may not be earned yet.
    assert!((115..=120).contains(&sent), "{sent} for 100 requests");
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
}

#[test]
fn retries_can_be_turned_off() {
    let (first, second) = (mute(), named("second"));
    let gateway = first_and_second(&first, &second, "retries = 0");
    let key = gateway.key();
    for _ in 0..10 {
        gateway.send(&get("/a").key(&key));
    }
    assert_eq!(first.count() + second.count(), 10);
}

#[test]
fn the_incident_names_the_first_cause_and_the_addresses() {
    let (first, second) = (mute(), Upstream::unreachable());
    let gateway = first_and_second(&first, &second, "retry_budget_min_per_second = 1000");
    let key = gateway.key();
    let mut found = None;
    for _ in 0..20 {
        let seen = first.count();
        let answer = gateway.send(&get("/a").key(&key));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        // Hosts and ports of the upstream must not leak to clients.
        assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
        let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
        if first.count() > seen && incident["cause"] != "the upstream cannot be reached" {
            found = Some(incident);
            break;
        }
    }
    let found = found.expect("the first address got a request first");
    assert_eq!(found["cause"], "the upstream closed the connection without a response");
    let detail = found["detail"].as_str().unwrap();
    let (at_first, then) = detail.split_once("\nThen, ").unwrap_or_else(|| panic!("{detail}"));
    assert!(at_first.contains(&first.address.to_string()), "{detail}");
    assert!(then.contains(&second.address.to_string()) && then.contains("refused"), "{detail}");
}

#[test]
fn when_the_clients_time_is_up_nothing_is_sent_again() {
    let first = Upstream::scripted(|exchange| exchange.stall());
    let second = named("second");
    let lines = "retry_budget_min_per_second = 1000\nfirst_byte_timeout = \"10s\"\ntotal_timeout = \"300ms\"";
    let gateway = first_and_second(&first, &second, lines);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let begun = Instant::now();
    let answer = gateway.send(&get("/a").key(&key));
    if first.count() == 1 {
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        assert!((Duration::from_millis(290)..Duration::from_secs(5)).contains(&begun.elapsed()));
        assert_eq!(second.count(), 0);
        gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
    }
}

#[test]
fn a_silent_address_is_replaced_by_another_one_where_there_is_time() {
    let first = Upstream::scripted(|exchange| exchange.stall());
    let second = named("second");
    let lines = "retry_budget_min_per_second = 1000\nfirst_byte_timeout = \"200ms\"";
    let gateway = first_and_second(&first, &second, lines);
    let key = gateway.key();
    let before = gateway.limits(&key);
    for _ in 0..3 {
        assert_eq!(gateway.send(&get("/a").key(&key)).text(), "second");
    }
    assert!(first.count() >= 2);
    gateway.limits(&key).assert_charged_since(&before, 3, "each is charged once");
}

#[test]
fn a_query_that_was_not_answered_goes_to_another_address_with_its_body() {
    let (first, second) = (mute(), named("second"));
    let gateway = first_and_second(&first, &second, "retry_budget_min_per_second = 1000");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for _ in 0..10 {
        let query = request("QUERY", "/a").key(&key).body("application/sql", b"select 1");
        let answer = connection.send(&query);
        assert_eq!((answer.status, answer.text().as_str()), (200, "second"));
        let seen = second.last();
        assert_eq!((seen.method.as_str(), seen.body.as_slice()), ("QUERY", &b"select 1"[..]));
    }
    assert!(first.count() >= 8, "the other address got the first requests: {}", first.count());
    gateway.limits(&key).assert_charged_since(&before, 10, "ten requests, nearly all sent twice");
}
