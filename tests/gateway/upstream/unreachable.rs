//! An unreachable upstream: nothing was sent, so clients are asked to retry soon. Once anything was sent, the outcome
//! is unknown, and it is an unexpected error.

use crate::support::{
    Config, Gateway, Next, Request, Upstream, assert_error, eventually, get, post, request, wire::PATIENCE,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

/// The response for an unreachable upstream.
#[track_caller]
fn assert_unavailable(gateway: &Gateway, request: Request, detail: &str) -> u64 {
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&request.key(&key));
    assert_error(gateway, &answer, 503, "UNAVAILABLE");
    let wait = answer.number("Retry-After");
    assert!((1..=3).contains(&wait), "{answer:?}");
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
    gateway.limits(&key).assert_charged_since(&before, 0, "nothing was sent");
    let id = answer.header("X-Request-Id").unwrap();
    let incident = gateway.incident(id);
    assert_eq!(incident["cause"], "the upstream cannot be reached", "{incident}");
    assert!(incident["detail"].as_str().unwrap().contains(detail), "{incident}");
    // The log is enough, without the incident.
    let line = gateway.logged(id);
    let cause = line["cause"].as_str().unwrap_or_else(|| panic!("no cause in {line}"));
    assert!(cause.starts_with("the upstream cannot be reached: ") && cause.contains(detail), "{cause}");
    wait
}

#[test]
fn every_failure_to_connect_is_a_503_with_retry_after() {
    let hangs_up = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = format!("https://{}", hangs_up.local_addr().unwrap());
    std::thread::spawn(move || hangs_up.incoming().for_each(drop));
    let refused = Upstream::unreachable().url();
    for (url, detail) in [
        (refused.as_str(), "refused"),
        ("http://nowhere.invalid:9000", "nowhere.invalid"),
        (no_tls.as_str(), "no TLS with"),
    ] {
        let gateway = Gateway::start(&Config::of_url(url));
        for request in [get("/a"), post("/a", "{}"), request("DELETE", "/a")] {
            assert_unavailable(&gateway, request, detail);
        }
    }
}

#[test]
fn clients_that_failed_together_do_not_all_come_back_together() {
    let gateway = Gateway::start(&Config::of(&Upstream::unreachable()));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let waits: BTreeSet<_> =
        (0..60).map(|_| connection.send(&get("/a").key(&key)).number("Retry-After")).collect();
    assert_eq!(waits, BTreeSet::from([1, 2, 3]));
}

#[test]
fn several_addresses_of_which_none_can_be_reached_are_a_503_also_once_all_but_one_are_out() {
    let (first, second) = (Upstream::unreachable(), Upstream::unreachable());
    let config = Config::of_addresses(&[(first.url(), 1), (second.url(), 1)]);
    let gateway = Gateway::start(
        &config.upstream("consecutive_failures = 1\nbase_ejection_time = \"1d\"\nmax_ejection_time = \"1d\""),
    );
    for _ in 0..5 {
        assert_unavailable(&gateway, post("/a", "{}"), "refused");
    }
}

#[test]
fn a_grpc_call_gets_the_status_unavailable() {
    let gateway = Gateway::start(&Config::of(&Upstream::unreachable()));
    let key = gateway.key();
    for media_type in ["application/grpc", "application/grpc-web+proto"] {
        let call = request("POST", "/shop.Items/Get").body(media_type, &[0; 5]);
        let answer = gateway.send(&call.key(&key));
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("14")), "{answer:?}");
        assert_eq!(answer.header("X-Error-Code"), Some("UNAVAILABLE"));
        assert!((1..=3).contains(&answer.number("Retry-After")), "{answer:?}");
    }
}

fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
}

#[test]
fn once_anything_was_sent_it_is_a_500_whatever_fails_after_that() {
    // The second request is read on a kept connection, then nothing is reachable.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        read_head(&mut stream);
        drop(listener);
    });
    let gateway = Gateway::start(&Config::of_url(&url).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/a").key(&key)).status, 200);
    let answer = connection.send(&get("/b").key(&key));
    server.join().unwrap();
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert!(!answer.headers.has("Retry-After"), "{answer:?}");
    assert_unavailable(&gateway, get("/c"), "refused");
}

#[test]
fn one_address_that_took_the_request_makes_it_a_500_in_whichever_order_they_are_asked() {
    let mute = Upstream::scripted(|exchange| {
        exchange.read_body();
        Next::Close
    });
    let config = Config::of_addresses(&[(mute.url(), 1), (Upstream::unreachable().url(), 1)]);
    let gateway = Gateway::start(
        &config.upstream("consecutive_failures = \"off\"\nretry_budget_min_per_second = 1000"),
    );
    let key = gateway.key();
    let mut first = BTreeSet::new();
    let mut connection = gateway.connect();
    for _ in 0..40 {
        let answer = connection.send(&get("/a").key(&key));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
        first.insert(incident["cause"].as_str().unwrap().to_owned());
        if first.len() == 2 {
            return;
        }
    }
    panic!("only one order was seen: {first:?}");
}

#[test]
fn an_unreachable_upstream_is_logged_at_the_start_and_a_reachable_one_is_not_disturbed() {
    let dead = Upstream::unreachable();
    let gateway = Gateway::start(&Config::of(&dead));
    let event = gateway.event("an upstream address cannot be reached");
    assert_eq!((event["level"].as_str(), event["service"].as_str()), (Some("warn"), Some("upstream")));
    assert_eq!(event["address"].as_str(), Some(dead.address.to_string().as_str()));
    assert!(event["reason"].as_str().unwrap().contains("nothing listens"), "{event}");
    let nowhere = Gateway::start(&Config::of_url("http://nowhere.invalid:9000"));
    nowhere.event("an upstream address cannot be reached");

    let there = Upstream::sample();
    let config = Config::of_addresses(&[(there.url(), 1), (dead.url(), 1)]);
    let gateway = Gateway::start(&config);
    eventually("the dead one is logged", || {
        gateway.has_event("an upstream address cannot be reached").then_some(())
    });
    let (log, there_too) = (gateway.log(), there.address.to_string());
    let mut warned = log.lines().filter(|line| line.contains("cannot be reached"));
    assert!(!warned.any(|line| line.contains(&there_too)), "{log}");
    assert_eq!(there.connections(), 0);
}

#[test]
fn the_log_names_the_cause_of_each_500_and_503_and_nothing_that_the_upstream_sent() {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/502" => exchange.answer(502, &[], b"a secret"),
        "/504" => exchange.answer(504, &[], b""),
        "/503" => exchange.answer(503, &[], b"a secret"),
        "/429" => exchange.answer(429, &[], b"a secret"),
        "/garbage" => exchange.send_raw(b"\x16\x03\x01 a secret\r\n\r\n", Next::Close),
        "/cut" => exchange
            .send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Next::Close),
        "/404" => exchange.answer(404, &[], b"a secret"),
        _ => exchange.answer(200, &[], b"fine"),
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let address = upstream.address.to_string();
    for (path, cause) in [
        ("/502", Some(format!("the upstream answered with an error: {address}: The upstream answered 502."))),
        (
            "/504",
            Some(format!(
                "the upstream answered with an error: {address}: The upstream answered 504, without a body."
            )),
        ),
        ("/503", Some(format!("the upstream answered: {address}: 503"))),
        ("/429", Some(format!("the upstream answered: {address}: 429"))),
        (
            "/garbage",
            Some(format!("the upstream's response is malformed: {address}: the response is not HTTP/1.1")),
        ),
        (
            "/cut",
            Some(format!(
                "the upstream's response was cut off: {address}: the connection was closed in the middle of the body"
            )),
        ),
        ("/404", None),
        ("/200", None),
    ] {
        let id = format!("cause-{}", &path[1..]);
        let _ = gateway.send(&get(path).key(&key).header("X-Request-Id", &id));
        let line = gateway.logged(&id);
        assert_eq!(line["cause"].as_str(), cause.as_deref(), "{line}");
    }
    gateway.run(&["maintenance", "on", "--for", "10m"]);
    let _ = gateway.send(&get("/200").key(&key).header("X-Request-Id", "closed"));
    let line = gateway.logged("closed");
    assert!(line["cause"].as_str().unwrap().contains("aintenance"), "{line}");
    assert!(!gateway.log().contains("a secret"), "{}", gateway.log());
}

#[test]
fn twelve_thousand_failures_of_one_address_push_nobody_elses_incidents_out() {
    // The maximum that the store keeps of one cause and client.
    const KEPT_OF_ONE: usize = 100;
    const FLOOD: u64 = 12_000;
    let config = Config::of(&Upstream::unreachable()).endpoint("GET", "/open", "public = true");
    let gateway = Gateway::start(&config.endpoint("GET", "/closed", ""));
    let others: Vec<String> = (0..2)
        .map(|_| {
            let answer = gateway.send(&get("/closed").key(&gateway.key()));
            assert_error(&gateway, &answer, 503, "UNAVAILABLE");
            answer.header("X-Request-Id").unwrap().to_owned()
        })
        .collect();
    // Pipelined, to save the time of 12,000 round trips.
    let batch = get("/open").bytes().repeat(100);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = gateway.connect();
                for _ in 0..FLOOD / 400 {
                    connection.write(&batch);
                    assert!((0..100).all(|_| connection.answer().status == 503));
                }
            });
        }
    });
    let counted = eventually("all are counted", || {
        let groups: Value = serde_json::from_str(&gateway.run(&["incidents", "list", "--json"])).unwrap();
        assert_eq!(groups.as_array().unwrap().len(), 1, "{groups}");
        let group = groups[0].clone();
        (group["count"] == FLOOD + 2).then_some(group)
    });
    assert_eq!(counted["cause"], "the upstream cannot be reached");
    assert_eq!(counted["kept"], KEPT_OF_ONE + 2, "{counted}");
    for id in &others {
        assert_eq!(gateway.incident(id)["path"], "/closed");
    }
    assert!(!gateway.log().contains("incidents were lost"), "the queue to the store was full");
}
