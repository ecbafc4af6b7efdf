//! A cost that the upstream reports: the maximum is reserved, the reported cost settled, in the same response.

use crate::{
    limit_headers::LimitHeaders,
    support::{Config, Gate, Gateway, Key, Upstream, assert_error, eventually, get, sample::sample},
};

/// The maximum cost of a response.
const MOST: u64 = 5;

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

/// `/reported/2` is answered with a cost of 2, whatever the value; `/reported/none` without the header.
fn place(limits: &[&str]) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let target = exchange.target().to_owned();
        let mut parts = target.trim_start_matches('/').splitn(2, '/');
        match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            ("reported", "none") => exchange.answer(200, &[], b"whole"),
            ("reported", "slow") => {
                exchange.read_body();
                wait.wait();
                exchange.answer(200, &[("X-Cost", "1")], b"whole")
            }
            ("reported", "error") => exchange.answer(404, &[("X-Cost", "2")], b"none"),
            ("reported", "broken") => exchange.send_raw(
                b"HTTP/1.1 200 OK\r\nX-Cost: 2\r\nContent-Length: 99999\r\n\r\nhalf",
                crate::support::Next::Close,
            ),
            ("reported", "stream") => exchange.send_raw(
                b"HTTP/1.1 200 OK\r\nx-cost: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
                crate::support::Next::Keep,
            ),
            ("reported", cost) => {
                let cost = cost.replace('_', " ");
                exchange.answer(200, &[("X-Cost", &cost)], b"whole")
            }
            _ => sample(exchange),
        }
    });
    let config = Config::of(&upstream)
        .plan("free", limits)
        .endpoint("GET", "/reported/{cost}", "cost = 5\ncost_header = \"X-Cost\"")
        .endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

#[test]
fn a_reported_cost_is_settled_within_the_reserved_one_and_seen_in_the_same_response() {
    let place = place(&["1000 per day", "1000 per rolling hour", "1000 in all"]);
    let mut used = 0;
    let costs = [
        ("0", 0),
        ("1", 1),
        ("4", 4),
        ("5", 5),
        ("6", MOST),
        ("4294967296", MOST),
        ("99999999999999999999999", MOST),
        ("none", MOST),
        ("many", MOST),
        ("-1", MOST),
        ("+2", MOST),
        ("1.5", MOST),
        ("2_units", MOST),
        ("stream", 3),
    ];
    for (reported, cost) in costs {
        let answer = place.gateway.send(&get(&format!("/reported/{reported}")).key(&place.key));
        assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "whole", None), "{reported}");
        assert_eq!(answer.header("X-Cost"), None, "the header is for the gateway alone");
        used += cost;
        assert_eq!(LimitHeaders::of(&answer).remaining, 1000 - used, "a reported cost of {reported:?}");
        let limits = place.gateway.limits(&place.key);
        assert_eq!(limits.all.iter().map(|one| one.used).collect::<Vec<_>>(), [used; 3], "{reported}");
    }
    // After a restart the settled cost counts, not the reserved one.
    let gateway = Gateway::start_in(&place.gateway.kill());
    assert_eq!(gateway.limits(&place.key).all.iter().map(|one| one.used).collect::<Vec<_>>(), [used; 3]);
}

#[test]
fn an_error_is_free_whatever_cost_it_reports() {
    let place = place(&["1000 per day"]);
    let answer = place.gateway.send(&get("/reported/error").key(&place.key));
    assert_error(&place.gateway, &answer, 404, "RESOURCE_NOT_FOUND");
    assert_eq!((LimitHeaders::of(&answer).remaining, answer.header("X-Cost")), (1000, None));
    let answer = place.gateway.send(&get("/reported/broken").key(&place.key));
    assert!(answer.cut.is_some() || answer.status == 500, "{answer:?}");
    eventually("the broken one is released", || (place.gateway.used(&place.key) == 0).then_some(()));
}

#[test]
fn the_maximum_is_reserved_until_the_cost_is_reported() {
    let place = place(&["9 per day"]);
    let mut slow = place.gateway.connect();
    slow.write(&get("/reported/slow").key(&place.key).bytes());
    eventually("it is at the upstream", || (place.upstream.count() == 1).then_some(()));
    assert_eq!(place.gateway.used(&place.key), MOST);
    // Fewer units are left than another one may cost, though it would cost 1.
    let denied = place.gateway.send(&get("/reported/1").key(&place.key));
    assert_error(&place.gateway, &denied, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(LimitHeaders::of(&denied).remaining, 9 - MOST);
    assert_eq!(place.gateway.send(&get("/items/7").key(&place.key)).status, 200);
    place.may_answer.open();
    assert_eq!(LimitHeaders::of(&slow.answer()).remaining, 9 - 1 - 1);
    assert_eq!(place.gateway.send(&get("/reported/1").key(&place.key)).status, 200);
}

#[test]
fn an_upstream_header_of_another_endpoint_is_passed_on() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nX-Cost: 7\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/a", ""));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).header("X-Cost"), Some("7"));
    assert_eq!(gateway.used(&key), 1);
}
