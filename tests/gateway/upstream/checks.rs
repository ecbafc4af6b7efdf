//! Addresses that are asked whether they are well.

use crate::{
    addresses::{listed, named, state_of},
    support::{Config, Gateway, Upstream, assert_error, eventually, get},
};
use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

const CHECK: &str = "[upstream.health_check]\npath = \"/health?deep=1\"\ninterval = \"20ms\"\ntimeout = \"5s\"\nhealthy_threshold = 2\nunhealthy_threshold = 2\n";

/// An upstream whose checks are answered by a status that can be changed.
fn checked(name: &'static str) -> (Arc<AtomicU16>, Upstream) {
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/health?deep=1" {
            return exchange.answer(told.load(Ordering::SeqCst), &[], b"");
        }
        exchange.answer(200, &[], name.as_bytes())
    });
    (status, upstream)
}

#[test]
fn an_address_whose_checks_fail_gets_no_requests_until_they_succeed() {
    let (status, ill) = checked("ill");
    let well = named("well");
    let config = Config::of_addresses(&[(ill.url(), 1000), (well.url(), 1)]);
    let gateway = Gateway::start(&config.upstream("slow_start = \"0s\"").section(CHECK));
    let key = gateway.key();
    let state = || state_of(&gateway, &ill.address.to_string());
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    status.store(503, Ordering::SeqCst);
    eventually("it is not well", || (state() == "not well").then_some(()));
    let mut connection = gateway.connect();
    for _ in 0..30 {
        assert_eq!(connection.send(&get("/a").key(&key)).text(), "well");
    }
    status.store(204, Ordering::SeqCst);
    eventually("it is well again", || (state() == "in").then_some(()));
    eventually("it is asked again", || (connection.send(&get("/a").key(&key)).text() == "ill").then_some(()));
    let log = gateway.log();
    assert!(log.contains("is unhealthy") && log.contains("the health check got status 503"), "{log}");
    assert!(log.contains("is healthy again"), "{log}");
    let check = ill.seen().into_iter().find(|seen| seen.target == "/health?deep=1").unwrap();
    assert_eq!(check.headers.get("host"), Some(ill.address.to_string().as_str()));
}

#[test]
fn if_the_checks_of_all_fail_the_answer_is_a_free_503_that_says_when_to_come_back() {
    let (status, upstream) = checked("a");
    let gateway = Gateway::start(&Config::of(&upstream).section(CHECK));
    let key = gateway.key();
    status.store(500, Ordering::SeqCst);
    let address = upstream.address.to_string();
    eventually("it is not well", || (state_of(&gateway, &address) == "not well").then_some(()));
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
    eventually("it is asked again", || (gateway.send(&get("/a").key(&key)).status == 200).then_some(()));
}

#[test]
fn an_address_that_cannot_be_reached_is_found_by_its_checks_before_any_request() {
    let (dead, well) = (Upstream::unreachable(), named("well"));
    let config = Config::of_addresses(&[(dead.url(), 1), (well.url(), 1)]);
    let gateway = Gateway::start(&config.section(CHECK));
    let address = dead.address.to_string();
    eventually("it is not well", || (state_of(&gateway, &address) == "not well").then_some(()));
    let found = listed(&gateway).into_iter().find(|one| one["address"] == address.as_str()).unwrap();
    assert_eq!((found["sent"].as_u64(), found["failures"].as_u64()), (Some(0), Some(0)), "{found}");
}
