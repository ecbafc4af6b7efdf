//! 429 `TOO_MANY_ERRORS`: the ceiling on errors, per address and per key. It never touches a limit.

use crate::support::{
    Answer, Config, Gateway, Request, Stage, Upstream, assert_error, eventually, get,
    limits::assert_limit_headers,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// An address that only this test's errors come from.
const HAMMERER: &str = "203.0.113.9";

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&by_address(&upstream, 3), upstream, (429, "TOO_MANY_ERRORS"), |stage| {
        let request = get("/status/404").key(&stage.key).header("X-Forwarded-For", HAMMERER);
        refused(&stage.gateway, &request)
    })
}

fn by_address(upstream: &Upstream, ceiling: u32) -> Config {
    Config::of(upstream)
        .top("trusted_proxies = [\"127.0.0.1\"]")
        .abuse(&format!("errors_per_key = \"off\"\nerrors_per_address = {ceiling}"))
}

fn by_key(upstream: &Upstream, ceiling: u32) -> Config {
    Config::of(upstream).abuse(&format!("errors_per_key = {ceiling}\nerrors_per_address = \"off\""))
}

/// Repeats a failing request until one is too many. A minute may end meanwhile.
fn refused(gateway: &Gateway, request: &Request) -> Answer {
    eventually("the ceiling is reached", || {
        let answer = gateway.send(request);
        (answer.status == 429).then_some(answer)
    })
}

/// How often a failing request gets its own error before it is refused, within one minute. `request`: one of another
/// client in each turn, because a minute that ends meanwhile restarts the count.
fn answered(gateway: &Gateway, request: impl Fn(u32) -> Request) -> u32 {
    let since = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut turn = 0;
    eventually("the ceiling is reached within a minute", || {
        turn += 1;
        let (begin, request) = (since(), request(turn));
        let answered = (0..).take_while(|_| gateway.send(&request).status != 429).count();
        // The gateway's clock may be a moment behind.
        let is_within = begin % 60 != 0 && begin / 60 == since() / 60;
        is_within.then(|| u32::try_from(answered).unwrap())
    })
}

#[test]
fn the_ceiling_is_the_number_of_errors_that_are_answered_as_they_are() {
    let upstream = Upstream::sample();
    for ceiling in [1, 5] {
        let gateway = Gateway::start(&by_address(&upstream, ceiling));
        let from = |turn| get("/items/7").header("X-Forwarded-For", &format!("203.0.113.{turn}"));
        assert_eq!(answered(&gateway, from), ceiling, "by address");
        let gateway = Gateway::start(&by_key(&upstream, ceiling));
        let of = |_| get("/status/422").key(&gateway.key());
        assert_eq!(answered(&gateway, of), ceiling, "by key");
    }
}

#[test]
fn a_refused_address_learns_until_when_and_others_are_unaffected() {
    let stage = stage();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    eventually("a second is long enough for an answer", || {
        let (begun, answer) = (now(), stage.provoke().answer);
        // The gateway's clock may be a moment behind.
        let is_within = begun.subsec_millis() > 300 && begun.as_secs() == now().as_secs();
        let to_the_minute = 60 - begun.as_secs() % 60;
        is_within.then(|| assert_eq!(answer.number("Retry-After"), to_the_minute, "{answer:?}"))
    });
    let other = get("/items/7").key(&stage.key).header("X-Forwarded-For", "203.0.113.10");
    assert_eq!(stage.gateway.send(&other).status, 200);
    assert_eq!(stage.succeed().status, 200);
}

#[test]
fn ipv6_addresses_are_counted_by_their_64() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&by_address(&upstream, 3));
    let mut host = 0;
    eventually("the network is refused", || {
        host += 1;
        let from = format!("2001:db8:1:2::{host:x}");
        (gateway.send(&get("/items/7").header("X-Forwarded-For", &from)).status == 429).then_some(())
    });
    let answer = gateway.send(&get("/items/7").header("X-Forwarded-For", "2001:db8:1:3::1"));
    assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
}

#[test]
fn a_client_cannot_lend_itself_another_address() {
    let upstream = Upstream::sample();
    // No proxy is trusted, so the address is that of the connection.
    let config = Config::of(&upstream).abuse("errors_per_key = \"off\"\nerrors_per_address = 3");
    let gateway = Gateway::start(&config);
    let mut host = 0;
    eventually("the address is refused", || {
        host += 1;
        let from = format!("198.51.100.{}", host % 250);
        (gateway.send(&get("/items/7").header("X-Forwarded-For", &from)).status == 429).then_some(())
    });
    // The page that `check` links to stays readable.
    assert_eq!(gateway.send(&get("/_docs/errors/TOO_MANY_ERRORS")).status, 200);
}

#[test]
fn a_key_is_refused_wherever_it_comes_from_and_its_limits_stay() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&by_key(&upstream, 3).plan("free", &["10 per day"]));
    let (key, other) = (gateway.key(), gateway.key());
    let before = gateway.limits(&key).all[0].remaining;
    let answer = refused(&gateway, &get("/status/422").key(&key));
    assert_error(&gateway, &answer, 429, "TOO_MANY_ERRORS");
    assert_eq!(assert_limit_headers(&answer), (10, before));
    assert_eq!(gateway.send(&get("/items/7").key(&other)).status, 200);
}

#[test]
fn redirects_limits_our_own_errors_and_maintenance_ban_nobody() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .abuse("errors_per_key = 3\nerrors_per_address = 3")
        .plan("free", &["1 per day"]);
    let gateway = Gateway::start(&config);
    let (key, full) = (gateway.key(), gateway.key());
    assert_eq!(gateway.send(&get("/items/7").key(&full)).status, 200);
    for _ in 0..10 {
        assert_error(&gateway, &gateway.send(&get("/items/").key(&key)), 301, "TRAILING_SLASH");
        assert_error(&gateway, &gateway.send(&get("/status/500").key(&key)), 500, "UNEXPECTED_ERROR");
        assert_error(&gateway, &gateway.send(&get("/status/503").key(&key)), 503, "UNAVAILABLE");
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&full)), 429, "API_LIMIT_EXCEEDED");
    }
    gateway.run(&["maintenance", "on", "--message", "Moving house.", "--for", "5m"]);
    for _ in 0..10 {
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 503, "MAINTENANCE");
    }
    gateway.run(&["maintenance", "off"]);
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}
