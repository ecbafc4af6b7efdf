//! Limits by address, for endpoints that are open to everyone.

use crate::{
    limit_headers::LimitHeaders,
    support::{Answer, Config, Gateway, Upstream, assert_error, get, limits::assert_no_limit_headers},
};

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream)
        .top("trusted_proxies = [\"127.0.0.1\"]")
        .endpoint("GET", "/open", "public = true")
        .endpoint("GET", "/status/{status}", "public = true")
        .endpoint("GET", "/items/{id}", "")
}

/// Six units a day, for each address.
fn limited(upstream: &Upstream) -> Config {
    let address = "[address]\nlimits = [\"6 per day\"]";
    config(upstream).endpoint("GET", "/dear", "public = true\ncost = 2").section(address)
}

fn of(gateway: &Gateway, target: &str, address: &str) -> Answer {
    gateway.send(&get(target).header("X-Forwarded-For", address))
}

#[test]
fn an_address_may_use_all_public_endpoints_together_so_much_and_errors_are_free() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&limited(&upstream));
    let mut seen = Vec::new();
    for target in ["/open", "/status/404", "/dear", "/status/500", "/status/200", "/dear", "/open", "/open"] {
        let answer = of(&gateway, target, "192.0.2.1");
        seen.push((answer.status, LimitHeaders::of(&answer).remaining));
        if answer.status == 429 {
            assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
        }
    }
    let expected = [(200, 5), (404, 5), (200, 3), (500, 3), (200, 2), (200, 0), (429, 0), (429, 0)];
    assert_eq!(seen, expected);
    // Another address, and this one with a key, are not affected.
    assert_eq!(LimitHeaders::of(&of(&gateway, "/open", "192.0.2.2")).remaining, 5);
    let key = gateway.key();
    let answer = gateway.send(&get("/items/7").key(&key).header("X-Forwarded-For", "192.0.2.1"));
    assert_eq!((answer.status, LimitHeaders::of(&answer).limit), (200, 1_000_000));
}

#[test]
fn of_ipv6_a_64_is_one_address() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&limited(&upstream));
    let remaining = |address| LimitHeaders::of(&of(&gateway, "/open", address)).remaining;
    assert_eq!(remaining("2001:db8:0:1::1"), 5);
    assert_eq!(remaining("2001:db8:0:1:ffff::2"), 4);
    assert_eq!(remaining("2001:db8:0:2::1"), 5);
    // An IPv4 address is the same in either form.
    assert_eq!(remaining("192.0.2.1"), 5);
    assert_eq!(remaining("::ffff:192.0.2.1"), 4);
}

#[test]
fn what_an_address_has_used_outlives_the_process() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&limited(&upstream));
    let remaining = |gateway: &Gateway| LimitHeaders::of(&of(gateway, "/open", "192.0.2.1")).remaining;
    assert_eq!(remaining(&gateway), 5);
    let gateway = Gateway::start_in(&gateway.stop());
    assert_eq!(remaining(&gateway), 4);
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(remaining(&gateway), 3);
}

#[test]
fn without_limits_by_address_public_endpoints_have_none() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream));
    for _ in 0..20 {
        let answer = of(&gateway, "/open", "192.0.2.1");
        assert_eq!(answer.status, 200);
        assert_no_limit_headers(&answer);
    }
}
