//! Addresses with health checks.

use crate::{
    addresses::{listed, named, state_of},
    support::{Config, Gateway, Upstream, assert_error, eventually, get},
};
use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

const CHECK: &str = "[upstream.health_check]\npath = \"/health?deep=1\"\ninterval = \"20ms\"\ntimeout = \"5s\"\nhealthy_threshold = 2\nunhealthy_threshold = 2\n";

/// An upstream whose health checks get a status that can be changed.
fn checked(name: &'static str) -> (Arc<AtomicU16>, Upstream) {
    let status = Arc::new(AtomicU16::new(200));
    let current = Arc::clone(&status);
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/health?deep=1" {
            return exchange.answer(current.load(Ordering::SeqCst), &[], b"");
        }
        exchange.answer(200, &[], name.as_bytes())
    });
    (status, upstream)
}

#[test]
fn an_address_whose_checks_fail_gets_no_requests_until_they_succeed() {
    let (status, unhealthy) = checked("unhealthy");
    let healthy = named("healthy");
    let config = Config::of_addresses(&[(unhealthy.url(), 1000), (healthy.url(), 1)]);
    let gateway = Gateway::start(&config.upstream("slow_start = \"0s\"").section(CHECK));
    let key = gateway.key();
    let state = || state_of(&gateway, &unhealthy.address.to_string());
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    status.store(503, Ordering::SeqCst);
    eventually("it is unhealthy", || (state() == "not well").then_some(()));
    let mut connection = gateway.connect();
    for _ in 0..30 {
        assert_eq!(connection.send(&get("/a").key(&key)).text(), "healthy");
    }
    status.store(204, Ordering::SeqCst);
    eventually("it is healthy again", || (state() == "in").then_some(()));
    eventually("it gets requests again", || {
        (connection.send(&get("/a").key(&key)).text() == "unhealthy").then_some(())
    });
    let log = gateway.log();
    assert!(log.contains("is unhealthy") && log.contains("the health check got status 503"), "{log}");
    assert!(log.contains("is healthy again"), "{log}");
    let check = unhealthy.seen().into_iter().find(|seen| seen.target == "/health?deep=1").unwrap();
    assert_eq!(check.headers.get("host"), Some(unhealthy.address.to_string().as_str()));
}

#[test]
fn if_all_health_checks_fail_the_response_is_a_free_503_with_retry_after() {
    let (status, upstream) = checked("a");
    let gateway = Gateway::start(&Config::of(&upstream).section(CHECK));
    let key = gateway.key();
    status.store(500, Ordering::SeqCst);
    let address = upstream.address.to_string();
    eventually("it is unhealthy", || (state_of(&gateway, &address) == "not well").then_some(()));
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert!(answer.number("Retry-After") >= 1);
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
    gateway.limits(&key).assert_charged_since(&before, 0, "a 503 is free");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert_eq!(incident["cause"], "no healthy upstream address");
    assert_eq!(upstream.count_of("/a"), 0);
    status.store(200, Ordering::SeqCst);
    eventually("it gets requests again", || (gateway.send(&get("/a").key(&key)).status == 200).then_some(()));
}

#[test]
fn an_address_that_cannot_be_reached_is_found_by_its_checks_before_any_request() {
    let (dead, healthy) = (Upstream::unreachable(), named("healthy"));
    let config = Config::of_addresses(&[(dead.url(), 1), (healthy.url(), 1)]);
    let gateway = Gateway::start(&config.section(CHECK));
    let address = dead.address.to_string();
    eventually("it is unhealthy", || (state_of(&gateway, &address) == "not well").then_some(()));
    let found = listed(&gateway).into_iter().find(|one| one["address"] == address.as_str()).unwrap();
    assert_eq!((found["sent"].as_u64(), found["failures"].as_u64()), (Some(0), Some(0)), "{found}");
}
