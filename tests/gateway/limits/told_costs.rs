//! A cost that the upstream tells: reserved at its most, settled as told, in the same answer.

use crate::{
    support::{Config, Gate, Gateway, Key, Upstream, assert_error, eventually, get, sample::sample},
    telling::Telling,
};

/// The most that an answer can cost.
const MOST: u64 = 5;

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

/// `/told/2` is answered with a cost of 2, whatever stands there; `/told/none` without the header.
fn place(limits: &[&str]) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let target = exchange.target().to_owned();
        let mut parts = target.trim_start_matches('/').splitn(2, '/');
        match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            ("told", "none") => exchange.answer(200, &[], b"whole"),
            ("told", "slow") => {
                exchange.read_body();
                wait.wait();
                exchange.answer(200, &[("X-Cost", "1")], b"whole")
            }
            ("told", "error") => exchange.answer(404, &[("X-Cost", "2")], b"none"),
            ("told", "broken") => exchange.say(
                b"HTTP/1.1 200 OK\r\nX-Cost: 2\r\nContent-Length: 99999\r\n\r\nhalf",
                crate::support::Next::Close,
            ),
            ("told", "stream") => exchange.say(
                b"HTTP/1.1 200 OK\r\nx-cost: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
                crate::support::Next::Keep,
            ),
            ("told", cost) => {
                let cost = cost.replace('_', " ");
                exchange.answer(200, &[("X-Cost", &cost)], b"whole")
            }
            _ => sample(exchange),
        }
    });
    let config = Config::of(&upstream)
        .plan("free", limits)
        .endpoint("GET", "/told/{cost}", "cost = 5\ncost_header = \"X-Cost\"")
        .endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

#[test]
fn the_told_cost_is_settled_within_the_reserved_one_and_seen_in_the_same_answer() {
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
    for (told, cost) in costs {
        let answer = place.gateway.send(&get(&format!("/told/{told}")).key(&place.key));
        assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "whole", None), "{told}");
        assert_eq!(answer.header("X-Cost"), None, "the header is the gateway's alone");
        used += cost;
        assert_eq!(Telling::of(&answer).remaining, 1000 - used, "a told cost of {told:?}");
        let limits = place.gateway.limits(&place.key);
        assert_eq!(limits.all.iter().map(|one| one.used).collect::<Vec<_>>(), [used; 3], "{told}");
    }
    // After a restart it is what was settled, not what was reserved.
    let gateway = Gateway::start_in(&place.gateway.kill());
    assert_eq!(gateway.limits(&place.key).all.iter().map(|one| one.used).collect::<Vec<_>>(), [used; 3]);
}

#[test]
fn an_error_is_free_whatever_it_tells() {
    let place = place(&["1000 per day"]);
    let answer = place.gateway.send(&get("/told/error").key(&place.key));
    assert_error(&place.gateway, &answer, 404, "RESOURCE_NOT_FOUND");
    assert_eq!((Telling::of(&answer).remaining, answer.header("X-Cost")), (1000, None));
    let answer = place.gateway.send(&get("/told/broken").key(&place.key));
    assert!(answer.cut.is_some() || answer.status == 500, "{answer:?}");
    eventually("the broken one is given back", || (place.gateway.used(&place.key) == 0).then_some(()));
}

#[test]
fn until_it_is_told_the_most_is_reserved() {
    let place = place(&["9 per day"]);
    let mut slow = place.gateway.connect();
    slow.write(&get("/told/slow").key(&place.key).bytes());
    eventually("it is at the upstream", || (place.upstream.count() == 1).then_some(()));
    assert_eq!(place.gateway.used(&place.key), MOST);
    // Fewer units are left than another one may cost, though it would cost 1.
    let denied = place.gateway.send(&get("/told/1").key(&place.key));
    assert_error(&place.gateway, &denied, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(Telling::of(&denied).remaining, 9 - MOST);
    assert_eq!(place.gateway.send(&get("/items/7").key(&place.key)).status, 200);
    place.may_answer.open();
    assert_eq!(Telling::of(&slow.answer()).remaining, 9 - 1 - 1);
    assert_eq!(place.gateway.send(&get("/told/1").key(&place.key)).status, 200);
}

#[test]
fn an_upstream_header_of_another_endpoint_is_passed_on() {
    let upstream = Upstream::saying("HTTP/1.1 200 OK\r\nX-Cost: 7\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/a", ""));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).header("X-Cost"), Some("7"));
    assert_eq!(gateway.used(&key), 1);
}
