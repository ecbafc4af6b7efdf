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
fn the_answer_says_why_and_counts_down_to_the_end() {
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
fn a_message_of_any_text_is_told_as_it_is() {
    let stage = stage();
    let message = "Back \"soon\" \\ at 5 \u{2192} \u{1f600} <b>";
    stage.gateway.run(&["maintenance", "on", "--message", message, "--for", "10m"]);
    let answer = stage.send(get("/items/7"));
    assert_error(&stage.gateway, &answer, 503, "MAINTENANCE");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains(message), "{}", answer.text());
}
