//! The headers of limits: both families, on every response to a known key, correct at every step.

use crate::support::{
    Config, Gateway, Upstream, assert_error, get, limits::assert_limit_headers,
    limits::assert_no_limit_headers, post,
};

#[test]
fn remaining_counts_down_to_zero_and_stays_there() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["6 per day"]));
    let key = gateway.key();
    let mut seen = Vec::new();
    for _ in 0..8 {
        let answer = gateway.send(&get("/items/7").key(&key));
        let (limit, remaining) = assert_limit_headers(&answer);
        assert_eq!(limit, 6);
        seen.push((answer.status, remaining));
    }
    assert_eq!(seen, [(200, 5), (200, 4), (200, 3), (200, 2), (200, 1), (200, 0), (429, 0), (429, 0)]);
    assert_eq!(upstream.count(), 6);
}

#[test]
fn a_cost_is_taken_off_whole() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["10 per day"])
        .endpoint("POST", "/items", "cost = 4")
        .endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let remaining = |answer: crate::support::Answer| (answer.status, assert_limit_headers(&answer).1);
    assert_eq!(remaining(gateway.send(&post("/items", "{}").key(&key))), (200, 6));
    assert_eq!(remaining(gateway.send(&get("/items/7").key(&key))), (200, 5));
    assert_eq!(remaining(gateway.send(&post("/items", "{}").key(&key))), (200, 1));
    assert_eq!(remaining(gateway.send(&post("/items", "{}").key(&key))), (429, 1));
    assert_eq!(remaining(gateway.send(&get("/items/7").key(&key))), (200, 0));
}

#[test]
fn of_several_limits_the_tightest_is_reported_and_the_draft_lists_all() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["100 per hour", "5 per day", "50 per month"]);
    let gateway = Gateway::start(&config);
    let answer = gateway.send(&get("/items/7").key(&gateway.key()));
    assert_eq!(assert_limit_headers(&answer), (5, 4));
    let policies = answer.headers.all("RateLimit-Policy").join(", ");
    let states = answer.headers.all("RateLimit").join(", ");
    for (quota, window, remaining) in [(100, Some(3600), 99), (5, Some(86_400), 4), (50, None, 49)] {
        assert!(policies.contains(&format!("q={quota}")), "{policies}");
        if let Some(window) = window {
            assert!(policies.contains(&format!("q={quota};w={window}")), "{policies}");
        }
        assert!(states.contains(&format!("r={remaining}")), "{states}");
    }
    assert!(policies.starts_with('"') && states.starts_with('"'), "names are strings: {policies} {states}");
}

#[test]
fn with_equal_remaining_units_the_later_reset_is_reported() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["5 per hour", "5 per month"]));
    let answer = gateway.send(&get("/items/7").key(&gateway.key()));
    assert_eq!(assert_limit_headers(&answer), (5, 4));
    let reset = answer.number("X-Rate-Limit-Reset");
    let states = answer.headers.all("RateLimit").join(", ");
    let resets = states.split(";t=").skip(1).map(|rest| {
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().unwrap()
    });
    assert_eq!(Some(reset), resets.max(), "{states}");
}

#[test]
fn a_reset_is_never_zero_and_never_past_its_window() {
    let upstream = Upstream::sample();
    for (limit, window) in [
        ("1000 per second", 1),
        ("1000 per minute", 60),
        ("1000 per hour", 3_600),
        ("1000 per day", 86_400),
        ("1000 per month", 31 * 86_400),
    ] {
        let gateway = Gateway::start(&Config::of(&upstream).plan("free", &[limit]));
        let key = gateway.key();
        let mut connection = gateway.connect();
        for _ in 0..20 {
            let reset = connection.send(&get("/items/7").key(&key)).number("X-Rate-Limit-Reset");
            assert!((1..=window).contains(&reset), "{limit}: a reset in {reset}");
        }
    }
}

#[test]
fn errors_for_a_known_key_carry_them_and_those_without_a_key_do_not() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["6 per day"])
        .endpoint("GET", "/status/{n}", "")
        .endpoint("GET", "/admin", "permission = \"admin\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for target in ["/status/404", "/status/500", "/status/503", "/status/422", "/admin"] {
        let answer = gateway.send(&get(target).key(&key));
        assert_eq!(assert_limit_headers(&answer), (6, 6), "{target}");
    }
    for target in ["/status/404", "/nothing", "/status/1/"] {
        assert_no_limit_headers(&gateway.send(&get(target)));
    }
}

#[test]
fn an_upstreams_own_limit_headers_do_not_mix_with_ours() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nX-Rate-Limit-Remaining: 999\r\nRateLimit: \"theirs\";r=999;t=1\r\n\
         RateLimit-Policy: \"theirs\";q=999;w=1\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["6 per day"]));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_eq!(assert_limit_headers(&answer), (6, 5));
    assert!(!format!("{answer:?}").contains("999"), "{answer:?}");
}

#[test]
fn the_page_of_limits_is_free_and_needs_a_key() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["2 per day", "100 per month"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_error(&gateway, &gateway.send(&get("/_limits")), 403, "KEY_NOT_SET");
    for used in 0..=2 {
        let answer = gateway.send(&get("/_limits").key(&key));
        assert_eq!(answer.json()["plan"], "free");
        let limits = gateway.limits(&key);
        let limits: Vec<_> =
            limits.all.iter().map(|limit| (limit.limit.as_str(), limit.amount, limit.used)).collect();
        assert_eq!(limits, [("2 per day", 2, used), ("100 per month", 100, used)]);
        // Also when nothing remains.
        gateway.send(&get("/items/7").key(&key));
    }
    assert_eq!(upstream.count(), 2, "/_limits is the gateway's own");
}

#[test]
fn plans_have_limits_of_their_own() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["2 per day"]).plan("pro", &["200 per day"]);
    let gateway = Gateway::start(&config);
    for (plan, limit) in [("free", 2), ("pro", 200)] {
        let key = gateway.key_with(&["--plan", plan]);
        assert_eq!(assert_limit_headers(&gateway.send(&get("/a").key(&key))), (limit, limit - 1));
    }
    let output = gateway.home().run(&["keys", "create", "--plan", "gold", "--json"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(
        output.err.contains("gold") && output.err.contains("pro"),
        "the existing plans are not named: {output:?}"
    );
}

/// A timer of JavaScript holds no more milliseconds: beyond, it fires at once and the client retries without a pause.
const LONGEST_WAIT: u64 = 2_147_483;

#[test]
fn a_wait_too_long_for_the_timer_of_a_client_is_sent_as_the_longest_that_fits() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["1 per rolling 31 days"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(answer.number("Retry-After"), LONGEST_WAIT);
    // Everything else has the true values.
    let reset = answer.number("X-Rate-Limit-Reset");
    assert!(reset > LONGEST_WAIT, "{answer:?}");
    assert!(answer.header("RateLimit").unwrap().ends_with(&format!(";t={reset}")), "{answer:?}");
    assert!(answer.text().contains(&format!(" {reset} seconds")), "{}", answer.text());
}

#[test]
fn a_maintenance_that_ends_in_months_sends_no_wait_that_overflows() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    gateway.run(&["maintenance", "on", "--message", "We move house.", "--for", "60d"]);
    let answer = gateway.send(&get("/items/7").key(&gateway.key()));
    assert_error(&gateway, &answer, 503, "MAINTENANCE");
    assert_eq!(answer.number("Retry-After"), LONGEST_WAIT);
}

#[test]
fn a_wait_from_the_upstream_is_bounded_whatever_its_status() {
    let upstream = Upstream::scripted(|exchange| {
        let target = exchange.target().to_owned();
        let mut parts = target.trim_start_matches('/').split('/');
        let status = parts.next().unwrap().parse().unwrap();
        let wait = if parts.next() == Some("date") { "Fri, 31 Dec 2077 23:59:59 GMT" } else { "5000000" };
        exchange.answer(status, &[("Retry-After", wait), ("Location", "/new")], b"{}")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for status in ["202", "302", "303", "429", "503", "400", "404"] {
        for form in ["seconds", "date"] {
            let answer = gateway.send(&get(&format!("/{status}/{form}")).key(&key));
            if let Some(wait) = answer.header("Retry-After") {
                assert_eq!(wait, LONGEST_WAIT.to_string(), "{status} {form}");
            } else {
                assert!(matches!(status, "400" | "404"), "{answer:?}");
            }
        }
    }
}

#[test]
fn a_wait_of_the_upstream_is_replaced_where_no_client_can_use_it() {
    // After the slash a value of `Retry-After`, spaces as `_`; `-` stands for no header.
    let upstream = Upstream::scripted(|exchange| {
        let value = exchange.target().trim_start_matches('/').replace('_', " ");
        let fields = [("Retry-After", value.as_str())];
        exchange.answer(503, if value == "-" { &[] } else { &fields }, b"{}")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (value, wait) in [
        ("9", "9"),
        ("0", "1"),
        ("Thu,_01_Jan_1970_00:00:00_GMT", "1"),
        ("2147484", "2147483"),
        ("99999999999999999999999", "2147483"),
        ("Fri,_31_Dec_2077_23:59:59_GMT", "2147483"),
        // An invalid value counts as absent.
        ("-", "10"),
        ("", "10"),
        ("-5", "10"),
        ("1.5", "10"),
        ("soon", "10"),
        ("Wed,_31_Feb_2027_00:00:00_GMT", "10"),
    ] {
        let answer = gateway.send(&get(&format!("/{value}")).key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert_eq!(answer.header("Retry-After"), Some(wait), "{value:?}");
    }
}
