//! The members of log events have the types that a log collector expects.

use crate::support::{Config, Gateway, Upstream, eventually, get};
use serde_json::Value;

/// Members that are strings whatever they look like.
const TEXTS: [&str; 2] = ["request_id", "version"];

fn lines(gateway: &Gateway) -> Vec<Value> {
    gateway.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn numbers_in_log_events_are_numbers() {
    let (dead, mute) = (Upstream::unreachable(), Upstream::scripted(|exchange| exchange.stall()));
    let document = "openapi: 3.1.0\ninfo: { title: Items, version: \"1.0\" }\npaths:\n  /items:\n    \
                    get: { operationId: list, responses: { '200': { description: Items. } } }\n";
    let config = Config::of_addresses(&[(dead.url(), 1), (mute.url(), 1)])
        .upstream("consecutive_failures = 1\nbase_ejection_time = \"1500ms\"\nmax_ejection_time = \"1d\"")
        .section("[timeouts]\ndrain = \"100ms\"")
        .document(document);
    let mut gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/nowhere").key(&key)).status, 404);
    let mut cut_off: Vec<_> = (0..2).map(|_| gateway.connect()).collect();
    for connection in &mut cut_off {
        connection.write(&get("/items").key(&key).bytes());
    }
    eventually("the dead address is out", || gateway.has_event("an upstream address is out").then_some(()));
    eventually("both wait for the silent one", || (mute.count() == 2).then_some(()));
    gateway.terminate();
    gateway.ended();
    eventually("the log is read to its end", || gateway.has_event("ended").then_some(()));

    for (event, members) in [
        ("listening", &["threads", "keys"][..]),
        ("document read", &["operations", "milliseconds"]),
        ("an upstream address is out", &["seconds"]),
        ("responses were cut off at the end of the drain", &["count"]),
        ("request", &["status", "charged"]),
    ] {
        let line = gateway.event(event);
        for member in members {
            assert!(line[member].is_number(), "{member} of {line}");
        }
    }
    for line in lines(&gateway) {
        for (name, value) in line.as_object().unwrap() {
            let is_number = value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
            assert!(!is_number || TEXTS.contains(&name.as_str()), "{name} is a number in a string: {line}");
        }
    }
}
