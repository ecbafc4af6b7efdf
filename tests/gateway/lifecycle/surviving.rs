//! What survives a restart and a kill: counters, keys, revocations, maintenance.

use crate::support::{Config, Gateway, Upstream, assert_error, eventually, gateway::Home, get};
use std::sync::Arc;

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).plan("free", &["100 per day", "1000 per month"]).store("flush_interval = \"50ms\"")
}

#[test]
fn counters_keys_and_revocations_are_there_after_a_restart() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let (key, revoked) = (gateway.key(), gateway.key());
    for _ in 0..7 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    for _ in 0..3 {
        assert_eq!(gateway.send(&get("/status/404").key(&key)).status, 404);
    }
    gateway.run(&["keys", "revoke", &revoked.id]);
    let before = gateway.limits(&key);

    let gateway = Gateway::start_in(&gateway.stop());
    gateway.limits(&key).assert_charged_since(&before, 0, "a restart");
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_eq!((answer.status, answer.number("X-Rate-Limit-Remaining")), (200, 92));
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&revoked)), 403, "KEY_REVOKED");
}

#[test]
fn maintenance_lasts_over_a_restart_and_can_be_ended_after_it() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let key = gateway.key();
    gateway.run(&["maintenance", "on", "--message", "We move house.", "--for", "30m"]);
    let gateway = Gateway::start_in(&gateway.stop());
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_error(&gateway, &answer, 503, "MAINTENANCE");
    assert!(answer.text().contains("We move house."), "{}", answer.text());
    gateway.run(&["maintenance", "off"]);
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn incidents_are_there_after_a_restart() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let answer = gateway.send(&get("/status/500").key(&gateway.key()));
    let id = answer.header("X-Request-Id").unwrap().to_owned();
    let home = gateway.stop();
    assert!(home.run_well(&["incidents", "show", &id, "--json"]).contains(&id));
    let gateway = Gateway::start_in(&home);
    gateway.incident(&id);
}

#[test]
fn after_a_kill_it_starts_again_with_its_keys_and_what_was_flushed() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let (key, revoked) = (gateway.key(), gateway.key());
    gateway.run(&["keys", "revoke", &revoked.id]);
    for _ in 0..5 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    let gateway = Gateway::start_in(&gateway.kill());
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&revoked)), 403, "KEY_REVOKED");
    // The last moments before a kill may be lost, but nothing may be charged that was not delivered.
    assert!(gateway.used(&key) <= 5);
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn ten_kills_in_a_row_do_no_harm() {
    let upstream = Upstream::sample();
    let home: Arc<Home> = Home::new(&config(&upstream));
    let key = home.create_key(&["--plan", "free", "--permission", "items:read"]);
    let mut before = 0;
    for round in 0..10 {
        let gateway = Gateway::start_in(&home);
        let used = gateway.used(&key);
        assert!(used >= before, "round {round}: {used} used after {before}");
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        before = used;
        gateway.kill();
    }
}

/// The test does not wait until the killed process has exited: the next one finds its store, its counters, its admin
/// socket and its port still held.
#[test]
fn a_start_in_the_very_moment_of_a_kill_succeeds_and_counts_on() {
    let upstream = Upstream::sample();
    // Not a port that the system may give to a connection meanwhile.
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = (first..first + 2000).map(|port| std::net::SocketAddr::from(([127, 0, 0, 1], port)));
    let address = ports.find(|address| std::net::TcpListener::bind(address).is_ok()).unwrap();
    // On one port, as in production; with one data thread and with several the port is held differently.
    let on_port =
        |threads: u8| config(&upstream).listen(&format!("address = \"{address}\"\nthreads = {threads}"));
    let home: Arc<Home> = Home::new(&on_port(1));
    let key = home.create_key(&["--plan", "free", "--permission", "items:read"]);
    let mut gateway = Gateway::start_in(&home);
    for round in 1..=20 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        home.configure(&on_port(1 + round % 2));
        gateway.strike();
        let next = Gateway::start_in(&home);
        assert_eq!(next.used(&key), u64::from(round), "after kill {round}");
        gateway = next;
    }
}

#[test]
fn what_was_flushed_before_a_kill_is_counted_after_it() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let key = gateway.key();
    for _ in 0..5 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    // Ten flush intervals; the end of one is not visible from outside.
    let start = std::time::Instant::now();
    eventually("ten flush intervals pass", || (start.elapsed().as_millis() > 500).then_some(()));
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(gateway.used(&key), 5);
}

#[test]
fn a_smaller_plan_after_a_restart_holds_at_once() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let key = gateway.key();
    for _ in 0..5 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    let home = gateway.stop();
    home.configure(&config(&upstream).plan("free", &["3 per day", "1000 per month"]));
    let gateway = Gateway::start_in(&home);
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 0);
}
