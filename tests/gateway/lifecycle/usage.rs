//! Usage: requests over real sockets are reported exactly, over restarts and after a kill.

use crate::support::{
    Config, Gateway, Upstream, eventually,
    gateway::{Home, Key},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("POST", "/items", "cost = 5\n")
        .endpoint("GET", "/status/{number}", "")
        .endpoint("GET", "/bytes/{count}", "public = true\n")
}

/// Sends one request on a new connection, and returns how many bytes came back.
fn exchange(gateway: &Gateway, line: &str, fields: &str, body: &str) -> u64 {
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    let request =
        format!("{line} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n{fields}\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
    answer.len() as u64
}

fn usage(home: &Home, arguments: &[&str]) -> Value {
    let out = home.run_well(&[&["usage", "--json", "--since", "1h"], arguments].concat());
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// The totals, once they include all these requests: data threads hand over about once a second.
#[track_caller]
fn total(home: &Home, arguments: &[&str], requests: u64) -> Value {
    eventually("the requests are in usage", || {
        let report = usage(home, arguments);
        (report["total"]["requests"].as_u64() >= Some(requests)).then(|| report["total"].clone())
    })
}

/// Thirteen requests with the key: nine successes of 7 + 2 * 5 units, four errors. Returns the bytes that came back.
fn thirteen(gateway: &Gateway, key: &Key) -> u64 {
    let key = format!("X-API-Key: {}\r\n", key.key);
    let mut sent = 0;
    for _ in 0..6 {
        sent += exchange(gateway, "GET /items/7", &key, "");
    }
    sent += exchange(gateway, "HEAD /items/7", &key, "");
    let json = format!("{key}Content-Type: application/json\r\n");
    sent += exchange(
        gateway,
        "POST /items",
        &format!("{json}Content-Length: 9\r\n"),
        "{\"id\": 12}".split_at(9).0,
    );
    let chunked = "4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n";
    sent += exchange(gateway, "POST /items", &format!("{json}Transfer-Encoding: chunked\r\n"), chunked);
    sent += exchange(gateway, "GET /status/404", &key, "");
    sent += exchange(gateway, "GET /status/404", &key, "");
    sent += exchange(gateway, "GET /status/500", &key, "");
    sent + exchange(gateway, "GET /nothing/here", &key, "")
}

#[test]
fn figures_are_exact_over_a_restart_and_the_same_in_steps_of_every_length() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    let key = gateway.key();
    let mut sent = thirteen(&gateway, &key);
    let mut sent_without_key = exchange(&gateway, "GET /items/7", "", "");
    sent_without_key += exchange(&gateway, "GET /bytes/20000", "", "");
    let home = gateway.stop();
    assert_eq!(usage(&home, &["--key", &key.id])["total"]["requests"], 13, "all is written when it ends");
    let gateway = Gateway::start_in(&home);
    sent += thirteen(&gateway, &key);

    let of_key = total(&home, &["--key", &key.id], 26);
    assert_eq!(of_key["requests"], 26);
    assert_eq!(of_key["errors"], 8);
    assert_eq!(
        of_key["errors_by_code"],
        json!({ "ENDPOINT_NOT_FOUND": 2, "RESOURCE_NOT_FOUND": 4, "UNEXPECTED_ERROR": 2 })
    );
    assert_eq!(of_key["charged"], 34);
    assert_eq!(of_key["charged"], gateway.used(&key), "usage and limits count the same");
    assert_eq!(of_key["bytes_in"], 2 * (9 + 7));
    assert_eq!(of_key["bytes_out"], sent);
    let latency = |name: &str| of_key["latency_ms"][name].as_f64().unwrap();
    assert!(0.0 < latency("p50") && latency("p50") <= latency("p95") && latency("p99") <= latency("max"));

    // Reading the limits is a request, too: of the key, and free.
    let without = usage(&home, &["--key", "none"])["total"].clone();
    assert_eq!((&without["requests"], &without["bytes_out"]), (&json!(2), &json!(sent_without_key)));
    assert_eq!((&without["errors_by_code"], &without["charged"]), (&json!({ "KEY_NOT_SET": 1 }), &json!(0)));
    steps_add_up(&home, &key);
}

fn steps_add_up(home: &Arc<Home>, key: &Key) {
    // Nothing may come in between: usage includes the request for the limits, too.
    let all = total(home, &["--key", &key.id], 27);
    for by in ["minute", "hour", "day"] {
        let report = usage(home, &["--key", &key.id, "--by", by]);
        assert_eq!(report["total"], all, "by {by}");
        for figure in ["requests", "errors", "charged", "bytes_in", "bytes_out"] {
            for list in ["steps", "endpoints"] {
                let sum: u64 =
                    report[list].as_array().unwrap().iter().map(|part| part[figure].as_u64().unwrap()).sum();
                assert_eq!(all[figure], sum, "{figure} of the {list} by {by}");
            }
        }
    }
    let report = usage(home, &["--key", &key.id]);
    let of = |endpoint: Value| {
        let endpoints = report["endpoints"].as_array().unwrap();
        let found = endpoints.iter().find(|one| one["endpoint"] == endpoint);
        found.unwrap_or_else(|| panic!("no {endpoint} in {report}"))["requests"].clone()
    };
    assert_eq!(of(json!("GET /items/{id}")), 14, "HEAD is answered by GET's endpoint");
    assert_eq!((of(json!("POST /items")), of(json!("GET /status/{number}"))), (json!(4), json!(6)));
    assert_eq!(of(Value::Null), 3, "no path that a client made up is kept");
    let one = usage(home, &["--endpoint", "POST /items"]);
    assert_eq!((&one["total"]["requests"], &one["total"]["charged"]), (&json!(4), &json!(20)));
}

#[test]
fn what_was_written_is_there_after_a_kill() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream).section("[usage]\nflush_interval = \"100ms\"\n"));
    let key = gateway.key();
    thirteen(&gateway, &key);
    let before = total(gateway.home(), &["--key", &key.id], 13);
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(usage(gateway.home(), &["--key", &key.id])["total"], before);
}

#[test]
fn usage_that_is_switched_off_is_not_counted_and_reported_as_such() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream).section("[usage]\nenabled = false\n"));
    thirteen(&gateway, &gateway.key());
    let home = gateway.stop();
    assert_eq!(usage(&home, &[])["total"]["requests"], 0);
    assert!(home.run_well(&["usage"]).contains("enabled = false"));
    assert!(!home.path("data/usage.redb").exists());
}

#[test]
fn damaged_usage_is_reported_and_requests_go_on() {
    let upstream = Upstream::sample();
    let home = Home::new(&config(&upstream).section("[usage]\nflush_interval = \"100ms\"\n"));
    let key = home.create_key(&["--plan", "free"]);
    std::fs::write(home.path("data/usage.redb"), b"nothing that could be read").unwrap();
    let gateway = Gateway::start_in(&home);
    thirteen(&gateway, &key);
    eventually("the damage is logged", || gateway.log().contains("usage cannot be written").then_some(()));
    let output = home.run(&["usage"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("usage.redb is damaged"), "{output:?}");
    // Once the file is out of the way, what waited in memory is written.
    std::fs::remove_file(home.path("data/usage.redb")).unwrap();
    assert_eq!(total(&home, &["--key", &key.id], 13)["charged"], 17);
    gateway.stop();
}
