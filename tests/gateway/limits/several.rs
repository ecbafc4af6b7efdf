//! Several limits at once: the headers describe the one that denies, no other is touched, their order has no
//! effect.

use crate::{
    limit_headers::LimitHeaders,
    support::{Config, Gateway, Upstream, assert_error, get, post},
};

#[test]
fn a_denial_names_its_limit_and_touches_none() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["50 per day", "4 per rolling hour", "9 in all"])
        .plan("life", &["50 per day", "40 per rolling hour", "4 in all"])
        .plan("rate", &["50 per day", "1 per hour, burst 4", "9 in all"]);
    let gateway = Gateway::start(&config);
    let cases = [
        ("free", "4 per rolling hour", "API_LIMIT_EXCEEDED"),
        ("life", "4 in all", "API_LIMIT_EXCEEDED"),
        ("rate", "1 per hour, burst 4", "RATE_EXCEEDED"),
    ];
    for (plan, limit, code) in cases {
        let key = gateway.key_with(&["--plan", plan]);
        for _ in 0..4 {
            assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
        }
        let before = gateway.limits(&key);
        for _ in 0..3 {
            let denied = gateway.send(&get("/a").key(&key));
            assert_error(&gateway, &denied, 429, code);
            let headers = LimitHeaders::of(&denied);
            assert_eq!(
                (headers.limit, headers.remaining, headers.member("day").remaining),
                (4, 0, 46),
                "{plan}"
            );
            assert_eq!(headers.reset.is_none(), plan == "life");
            assert_eq!(denied.header("Retry-After").is_none(), plan == "life");
            assert!(denied.text().contains(limit), "{}", denied.text());
        }
        gateway.limits(&key).assert_charged_since(&before, 0, plan);
    }
}

#[test]
fn the_order_of_limits_in_the_file_has_no_effect() {
    let upstream = Upstream::sample();
    let limits = ["5 per day", "7 in all", "6 per rolling hour", "9 at once", "3 per hour, burst 8"];
    let mut config =
        Config::of(&upstream).endpoint("POST", "/items", "cost = 2").endpoint("GET", "/items", "");
    let mut turned = limits;
    for turn in 0..limits.len() {
        turned.rotate_left(1);
        if turn % 2 == 0 {
            turned.swap(0, 1);
        }
        config = config.plan(&format!("turn{turn}"), &turned);
    }
    let gateway = Gateway::start(&config);
    let mut all = Vec::new();
    for turn in 0..limits.len() {
        let key = gateway.key_with(&["--plan", &format!("turn{turn}")]);
        let requests = [post("/items", "{}"), get("/items"), post("/items", "{}"), get("/items")];
        // On one connection, a request begins when the previous one has ended.
        let mut connection = gateway.connect();
        let responses = requests.map(|request| {
            let mut headers = LimitHeaders::of(&connection.send(&request.key(&key)));
            headers.members.sort_by(|one, other| one.name.cmp(&other.name));
            // Seconds pass between the plans.
            let remaining: Vec<_> =
                headers.members.iter().map(|one| (one.name.clone(), one.remaining)).collect();
            (headers.status, headers.limit, headers.remaining, headers.reset.is_some(), remaining)
        });
        all.push(responses);
    }
    let statuses: Vec<u16> = all[0].iter().map(|response| response.0).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    for responses in &all {
        assert_eq!(responses, &all[0]);
    }
}
