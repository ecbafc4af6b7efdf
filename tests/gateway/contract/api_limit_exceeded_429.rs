//! 429 `API_LIMIT_EXCEEDED`: everything that the plan grants for a minute, hour, day or month is used.

use crate::support::{
    Config, Gateway, Shown, Stage, Upstream, assert_error, get, limits::assert_limit_headers, post,
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["10 per day", "100 per month"])
        .endpoint("GET", "/items/{id}", "")
        .endpoint("POST", "/items", "cost = 3");
    // One unit remains: too few for a cost of 3, enough for the success after it.
    Stage::new(&config, upstream, (429, "API_LIMIT_EXCEEDED"), |stage| {
        for _ in 0..3 {
            assert_eq!(stage.send(post("/items", "{}")).status, 200);
        }
        Shown { answer: stage.send(post("/items", "{}")), charged: 9 }
    })
}

#[test]
fn a_denial_names_its_limit_and_when_to_retry() {
    let shown = stage().provoke();
    assert_eq!(assert_limit_headers(&shown.answer), (10, 1));
    let reset = shown.answer.number("X-Rate-Limit-Reset");
    assert!(reset <= 86_400, "a day resets within a day: {reset}");
    let retry = shown.answer.number("Retry-After");
    assert!(retry.abs_diff(reset) <= 1, "Retry-After {retry} against a reset in {reset}");
    let message = shown.answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("10 per day"), "{message}");
}

#[test]
fn the_headers_describe_the_limit_that_denied() {
    let upstream = Upstream::sample();
    for (limits, word, amount) in [
        (["2 per hour", "3 per day"], "2 per hour", 2),
        (["3 per hour", "2 per day"], "2 per day", 2),
        (["50 per day", "2 per month"], "2 per month", 2),
    ] {
        let gateway = Gateway::start(&Config::of(&upstream).plan("free", &limits));
        let key = gateway.key();
        for _ in 0..2 {
            assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        }
        let answer = gateway.send(&get("/items/7").key(&key));
        assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
        assert_eq!(assert_limit_headers(&answer), (amount, 0));
        assert!(answer.text().contains(word), "{}", answer.text());
    }
}

#[test]
fn a_denied_request_touches_none_of_the_limits_and_never_reaches_the_upstream() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["2 per day", "100 per month"]));
    let key = gateway.key();
    for _ in 0..2 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    let before = gateway.limits(&key);
    for _ in 0..20 {
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 429, "API_LIMIT_EXCEEDED");
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "twenty denials");
    assert_eq!(upstream.count(), 2);
}

#[test]
fn each_key_has_limits_of_its_own() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["1 per day"]));
    let (one, two) = (gateway.key(), gateway.key());
    assert_eq!(gateway.send(&get("/a").key(&one)).status, 200);
    let answer = gateway.send(&get("/a").key(&one));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert!(answer.text().contains("the only request of the limit"), "{}", answer.text());
    assert_eq!(gateway.send(&get("/a").key(&two)).status, 200);
}

#[test]
fn limits_are_checked_last_so_that_other_errors_are_reported_first() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["1 per day"])
        .endpoint("GET", "/a", "")
        .endpoint("GET", "/b", "permission = \"admin\"")
        .endpoint("GET", "/c", "")
        .parameter("query", "q", "required = true");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    assert_error(&gateway, &gateway.send(&get("/a").key(&key)), 429, "API_LIMIT_EXCEEDED");
    assert_error(&gateway, &gateway.send(&get("/b").key(&key)), 401, "PERMISSION_DENIED");
    assert_error(&gateway, &gateway.send(&get("/c").key(&key)), 400, "PARAMETER_MISSING");
    assert_error(&gateway, &gateway.send(&get("/nothing").key(&key)), 404, "ENDPOINT_NOT_FOUND");
}
