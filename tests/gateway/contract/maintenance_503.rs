//! 503 `MAINTENANCE`: a planned pause, with its message and its end.

use crate::support::{
    Config, Stage, Upstream, assert_error, get, head, limits::assert_no_limit_headers, post,
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (503, "MAINTENANCE"), |stage| {
        stage.gateway.run(&["maintenance", "on", "--message", "We move house.", "--for", "30m"]);
        stage.send(get("/items/7"))
    })
    .restore_by(|stage| {
        stage.gateway.run(&["maintenance", "off"]);
    })
}

#[test]
fn the_response_gives_the_reason_and_counts_down_to_the_end() {
    let stage = stage();
    let answer = stage.provoke().answer;
    assert!(answer.text().contains("We move house."), "{}", answer.text());
    let retry = answer.number("Retry-After");
    assert!((1700..=1800).contains(&retry), "{retry} seconds of thirty minutes");
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn an_end_by_date_is_counted_down_to_as_well() {
    let stage = stage();
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(600);
    stage.gateway.run(&["maintenance", "on", "--message", "We move house.", "--until", &end.to_string()]);
    let answer = stage.send(get("/items/7"));
    assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
    let retry = answer.number("Retry-After");
    assert!((540..=600).contains(&retry), "{retry} seconds of ten minutes");
}

#[test]
fn it_begins_and_ends_at_once_on_open_connections() {
    let stage = stage();
    let mut connections: Vec<_> = (0..4).map(|_| stage.gateway.connect()).collect();
    for round in 0..2 {
        for connection in &mut connections {
            assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200, "round {round}");
        }
        stage.gateway.run(&["maintenance", "on", "--message", "We move house.", "--for", "30m"]);
        for connection in &mut connections {
            assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 503, "round {round}");
        }
        stage.restore();
    }
}

#[test]
fn it_ends_by_itself() {
    let stage = stage();
    stage.gateway.run(&["maintenance", "on", "--message", "A moment.", "--for", "1s"]);
    crate::support::eventually("the maintenance is over", || {
        (stage.send(get("/items/7")).status == 200).then_some(())
    });
}

#[test]
fn it_comes_before_redirects_endpoints_and_keys_but_not_before_framing() {
    let stage = stage();
    stage.provoke();
    for request in
        [get("/items/7"), get("/items/7/"), post("/nothing", "{}"), get("/a").header("X-API-Key", "x")]
    {
        let answer = stage.gateway.send(&request);
        assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
        assert_no_limit_headers(&answer);
    }
    let answer = stage.gateway.send_bytes(b"GET / HTTP/1.1\r\n\r\n");
    assert_error(&stage.gateway, &answer, 400, "REQUEST_MALFORMED");
    let answer = stage.gateway.send(&head("/items/7"));
    assert_eq!((answer.status, answer.body.len()), (503, 0));
}

#[test]
fn the_pages_that_check_leads_to_stay_open() {
    let stage = stage();
    stage.provoke();
    assert_eq!(stage.gateway.send(&get("/_docs/errors/MAINTENANCE")).status, 200);
}

#[test]
fn a_message_of_any_text_is_sent_unchanged() {
    let stage = stage();
    let message = "Back \"soon\" \\ at 5 \u{2192} \u{1f600} <b>";
    stage.gateway.run(&["maintenance", "on", "--message", message, "--for", "10m"]);
    let answer = stage.send(get("/items/7"));
    assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains(message), "{}", answer.text());
}

#[test]
fn windows_that_follow_one_another_end_with_the_last() {
    let stage = stage();
    let now = jiff::Timestamp::now();
    let at = |minutes: i64| (now + jiff::SignedDuration::from_mins(minutes)).to_string();
    let (five, ten, eleven) = (at(5), at(10), at(11));
    for (windows, retry) in [
        // One begins before the other ends, or just then.
        (vec![vec!["--until", &ten], vec!["--from", &five, "--for", "20m"]], 1500),
        (vec![vec!["--until", &ten], vec!["--from", &ten, "--for", "20m"]], 1800),
        (vec![vec!["--from", &ten, "--for", "20m"], vec!["--until", &ten]], 1800),
        (vec![vec!["--until", &ten], vec!["--from", &eleven, "--for", "20m"]], 600),
        // Of the endpoint alone.
        (
            vec![vec!["--until", &ten], vec!["--from", &ten, "--for", "20m", "--endpoint", "GET /items/7"]],
            1800,
        ),
        (vec![vec!["--until", &ten], vec!["--from", &ten, "--for", "20m", "--endpoint", "GET /other"]], 600),
        (
            vec![vec!["--until", &ten, "--endpoint", "GET /items/7"], vec!["--from", &five, "--for", "20m"]],
            1500,
        ),
        (vec![vec!["--until", &five], vec!["--until", &ten, "--endpoint", "GET /items/7"]], 600),
        // No end is known.
        (vec![vec!["--until", &ten], vec!["--from", &five]], 120),
    ] {
        for words in &windows {
            begin(&stage, words);
        }
        let answer = stage.send(get("/items/7"));
        assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
        let found = answer.number("Retry-After");
        assert!((retry - 60..=retry + 1).contains(&found), "{found} of {retry} with {windows:?}");
        stage.gateway.run(&["maintenance", "off"]);
    }
}

#[test]
fn a_window_that_lets_a_key_through_does_not_count_for_it() {
    let stage = stage();
    let id = stage.key.id.clone();
    begin(&stage, &["--for", "10m"]);
    begin(&stage, &["--for", "30m", "--pass", &id]);
    let retry = stage.send(get("/items/7")).number("Retry-After");
    assert!((540..=600).contains(&retry), "{retry} seconds of ten minutes");
}

/// Begins maintenance with these arguments, and returns the id of the window.
fn begin(stage: &Stage, words: &[&str]) -> String {
    let out = stage.gateway.run(&[&["maintenance", "on", "--json"], words].concat());
    let window: serde_json::Value = serde_json::from_str(&out).unwrap();
    window["id"].as_str().unwrap().to_owned()
}

#[test]
fn of_windows_that_overlap_a_key_has_to_pass_all() {
    let stage = stage();
    let id = stage.key.id.clone();
    let one = begin(&stage, &["--for", "1h", "--pass", &id]);
    assert_eq!(stage.send(get("/items/7")).status, 200);
    let other = begin(&stage, &["--for", "2h"]);
    let answer = stage.send(get("/items/7"));
    assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
    // Until the last of them ends.
    assert!(answer.number("Retry-After") > 3600, "{answer:?}");
    stage.gateway.run(&["maintenance", "off", &other]);
    assert_eq!(stage.send(get("/items/7")).status, 200);
    stage.gateway.run(&["maintenance", "off", &one]);
}

#[test]
fn a_window_is_over_with_the_second_of_its_end() {
    let stage = stage();
    let now = || jiff::Timestamp::now().as_second();
    let until = now() + 2;
    let text = jiff::Timestamp::from_second(until).unwrap().to_string();
    begin(&stage, &["--until", &text]);
    crate::support::eventually("the maintenance is over", || {
        let before = now();
        let answer = stage.send(get("/items/7"));
        let after = now();
        if answer.status == 503 {
            assert!(before < until, "it continues into the second of its end");
            assert!(answer.number("Retry-After") >= 1);
            return None;
        }
        assert!(after >= until, "it was over before its end");
        Some(())
    });
}

#[test]
fn some_endpoints_are_under_maintenance_and_the_others_go_on() {
    for declared in [true, false] {
        let upstream = Upstream::sample();
        let mut config = Config::of(&upstream);
        if declared {
            for (method, path) in [
                ("GET", "/items/{id}"),
                ("POST", "/items/{id}"),
                ("GET", "/items/special"),
                ("GET", "/reports/{a}"),
            ] {
                config = config.endpoint(method, path, "");
            }
        }
        let gateway = crate::support::Gateway::start(&config);
        let key = gateway.key();
        let status = |request: crate::support::Request| gateway.send(&request.key(&key)).status;
        gateway.run(&[
            "maintenance",
            "on",
            "--endpoint",
            "GET /items/{id}",
            "--message",
            "We move",
            "--for",
            "1h",
        ]);
        let answer = gateway.send(&get("/items/7").key(&key));
        assert_error(&gateway, &answer, 503, "MAINTENANCE");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("We move. It ends at ") && message.contains("Other endpoints"),
            "{message}"
        );
        assert!((3500..=3600).contains(&answer.number("Retry-After")));
        assert_eq!(gateway.send(&head("/items/7").key(&key)).status, 503);
        assert_eq!(status(post("/items/7", "{}")), 200, "another method");
        // A declared endpoint must match exactly; without any, a matching path is enough.
        assert_eq!(status(get("/items/special")), if declared { 200 } else { 503 });
        assert_eq!(status(get("/reports/a")), 200);
        assert_eq!(gateway.send(&get("/_limits").key(&key)).status, 200);
        let page = gateway.send(&get("/_docs/maintenance.md")).text();
        assert!(page.contains("GET /items/{id}"), "{page}");
        gateway.run(&["maintenance", "on", "--endpoint", "/reports/*", "--pass", &key.id]);
        assert_eq!(status(get("/reports/a")), 200, "this key passes");
        let other = gateway.key();
        assert_eq!(gateway.send(&get("/reports/a").key(&other)).status, 503);
        gateway.run(&["maintenance", "off"]);
        assert_eq!((status(get("/items/7")), status(get("/reports/a"))), (200, 200));
        let output = gateway.home().run(&["maintenance", "on", "--endpoint", "/itmes/{id}"]);
        assert_eq!(output.code, Some(i32::from(declared)), "{output:?}");
        assert!(!declared || output.err.contains("no endpoint that fits"), "{output:?}");
    }
}
