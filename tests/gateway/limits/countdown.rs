//! Each kind of limit: what remains falls to 0 and stays there, errors change nothing, the denial names its
//! limit.

use crate::{
    limit_headers::LimitHeaders,
    support::{Config, Gateway, Key, Next, Upstream, assert_error, eventually, get, sample::sample},
};
use std::time::{Duration, Instant};

/// A kind of limit of 6 units, its name in the headers, and the longest time until its reset.
struct Case {
    plan: &'static str,
    limit: &'static str,
    name: &'static str,
    /// The shortest and the longest window that a client may see, in seconds.
    window: Option<(u64, u64)>,
    longest_reset: Option<u64>,
    code: &'static str,
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

const CASES: [Case; 9] = [
    Case::windowed("hour", "6 per hour", "hour", (HOUR, HOUR), HOUR),
    Case::windowed("day", "6 per day", "day", (DAY, DAY), DAY),
    Case::windowed("month", "6 per month", "month", (28 * DAY, 31 * DAY), 31 * DAY),
    // A day of a zone has 23 to 25 hours.
    Case::windowed(
        "zone",
        "6 per day in Europe/Berlin",
        "day-europe-berlin",
        (DAY - HOUR, DAY + HOUR),
        DAY + HOUR,
    ),
    Case::windowed(
        "zone-month",
        "6 per month in America/New_York",
        "month-america-new-york",
        (28 * DAY - HOUR, 31 * DAY + HOUR),
        31 * DAY + HOUR,
    ),
    // Used units come back at most a sixteenth late.
    Case::windowed("rolling", "6 per rolling hour", "rolling-hour", (HOUR, HOUR), HOUR + HOUR / 16),
    Case::windowed("group", "6 per day for search", "day-search", (DAY, DAY), DAY),
    Case {
        plan: "rate",
        limit: "6 per hour, burst 6",
        name: "hour-burst",
        window: Some((HOUR, HOUR)),
        longest_reset: Some(HOUR),
        code: "RATE_EXCEEDED",
    },
    Case {
        plan: "life",
        limit: "6 in all",
        name: "in-all",
        window: None,
        longest_reset: None,
        code: "API_LIMIT_EXCEEDED",
    },
];

impl Case {
    const fn windowed(
        plan: &'static str,
        limit: &'static str,
        name: &'static str,
        window: (u64, u64),
        longest_reset: u64,
    ) -> Self {
        Self {
            plan,
            limit,
            name,
            window: Some(window),
            longest_reset: Some(longest_reset),
            code: "API_LIMIT_EXCEEDED",
        }
    }

    #[track_caller]
    fn check(&self, headers: &LimitHeaders) {
        assert_eq!(headers.limit, 6, "{}", self.limit);
        let member = headers.member(self.name);
        assert_eq!(headers.members.len(), 1, "{headers:?}");
        assert_eq!((member.quota, member.remaining), (6, headers.remaining), "{headers:?}");
        match (self.window, member.window) {
            (Some((least, most)), Some(window)) => {
                assert!((least..=most).contains(&window), "{}: a window of {window}", self.limit);
            }
            (expected, actual) => assert_eq!((expected, actual), (None, None), "{}", self.limit),
        }
        match (self.longest_reset, headers.reset) {
            (Some(longest), Some(reset)) => {
                assert!((1..=longest).contains(&reset), "{}: a reset in {reset}", self.limit);
            }
            (expected, actual) => assert_eq!((expected, actual), (None, None), "{}", self.limit),
        }
    }
}

fn place() -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/broken/head" => exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Le", Next::Close),
        "/broken/length" => {
            exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nhalf", Next::Close)
        }
        "/broken/chunks" => exchange
            .send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", Next::Close),
        "/broken/none" => Next::Close,
        _ => sample(exchange),
    });
    let mut config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "group = \"search\"")
        .endpoint("GET", "/status/{status}", "group = \"search\"")
        .endpoint("GET", "/broken/{how}", "group = \"search\"")
        .endpoint("GET", "/closed", "group = \"search\"\npermission = \"admin\"");
    for case in &CASES {
        config = config.plan(case.plan, &[case.limit]);
    }
    (upstream, Gateway::start(&config))
}

fn key(gateway: &Gateway, case: &Case) -> Key {
    gateway.key_with(&["--plan", case.plan])
}

#[test]
fn six_units_are_reported_as_5_4_3_2_1_0_and_then_denied() {
    let (upstream, gateway) = place();
    for case in &CASES {
        let key = key(&gateway, case);
        let before = upstream.count();
        let mut seen = Vec::new();
        for _ in 0..8 {
            let answer = gateway.send(&get("/items/7").key(&key));
            let headers = LimitHeaders::of(&answer);
            case.check(&headers);
            seen.push((answer.status, headers.remaining));
            if answer.status == 429 {
                assert_error(&gateway, &answer, 429, case.code);
                assert!(answer.text().contains(case.limit), "{}: {}", case.limit, answer.text());
                // What never resets has no Retry-After.
                let retry = answer.header("Retry-After").map(|text| text.parse::<u64>().unwrap());
                // One unit of a bucket comes back long before all of it.
                let is_soon = case.plan == "rate" && (590..=600).contains(&retry.unwrap());
                assert!(is_soon || retry == headers.reset, "{}: {retry:?}", case.limit);
            }
        }
        let expected = [(200, 5), (200, 4), (200, 3), (200, 2), (200, 1), (200, 0), (429, 0), (429, 0)];
        assert_eq!(seen, expected, "{}", case.limit);
        assert_eq!(upstream.count() - before, 6, "{}", case.limit);
    }
}

#[test]
fn errors_of_every_sort_change_neither_what_remains_nor_when_it_resets() {
    let (_upstream, gateway) = place();
    let errors = [
        ("/status/404", 404),
        ("/status/409", 422),
        ("/status/422", 422),
        ("/status/429", 503),
        ("/status/500", 500),
        ("/status/503", 503),
        ("/broken/none", 500),
        ("/broken/head", 500),
        ("/items/7/", 301),
        ("/closed", 401),
        ("/nothing", 404),
    ];
    for case in &CASES {
        let key = key(&gateway, case);
        for _ in 0..2 {
            assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        }
        let before = gateway.limits(&key);
        for (target, status) in errors {
            let answer = gateway.send(&get(target).key(&key));
            assert_eq!(answer.status, status, "{target}");
            // A response sent before the key is checked reports no limits.
            if matches!(target, "/items/7/" | "/nothing") {
                continue;
            }
            if target == "/closed" && case.plan == "group" {
                continue;
            }
            let headers = LimitHeaders::of(&answer);
            case.check(&headers);
            assert_eq!(headers.remaining, 4, "{} after {target}", case.limit);
        }
        for target in ["/broken/length", "/broken/chunks"] {
            let answer = gateway.send(&get(target).key(&key));
            // Truncated within the body, or an error; it cannot be a success.
            assert!(answer.cut.is_some() || answer.status == 500, "{target}: {answer:?}");
        }
        let after = eventually("the reserved unit is released", || {
            Some(gateway.limits(&key)).filter(|now| now.all[0].used == before.all[0].used)
        });
        let elapsed = after.at.duration_since(before.at).as_secs() + 1;
        match (before.all[0].reset, after.all[0].reset) {
            (Some(before), Some(after)) => {
                assert!(after <= before && before - after <= elapsed, "{}: {before} {after}", case.limit);
            }
            (before, after) => assert_eq!(before, after, "{}", case.limit),
        }
    }
}

#[test]
fn a_reset_falls_as_time_passes() {
    let (_upstream, gateway) = place();
    let keys: Vec<Key> = CASES.iter().map(|case| key(&gateway, case)).collect();
    let reset = |key: &Key| LimitHeaders::of(&gateway.send(&get("/items/7").key(key))).reset;
    let start = Instant::now();
    let first: Vec<Option<u64>> = keys.iter().map(reset).collect();
    let begun = start.elapsed();
    while start.elapsed() < begun + Duration::from_millis(1_100) {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let look = |key: &Key| gateway.limits(key).all[0].reset;
    let second: Vec<Option<u64>> = keys.iter().map(look).collect();
    let elapsed = start.elapsed().as_secs() + 1;
    for ((case, first), second) in CASES.iter().zip(first).zip(second) {
        match (first, second) {
            // At the end of an hour or a day the window does end.
            (Some(1..=5), Some(_)) | (None, None) => {}
            (Some(first), Some(second)) => {
                assert!(second < first && first - second <= elapsed, "{}: {first} {second}", case.limit);
            }
            (first, second) => panic!("{}: {first:?} then {second:?}", case.limit),
        }
    }
}

#[test]
fn keys_of_one_plan_have_counters_of_their_own() {
    let (_upstream, gateway) = place();
    for case in &CASES {
        let (one, two) = (key(&gateway, case), key(&gateway, case));
        for _ in 0..7 {
            gateway.send(&get("/items/7").key(&one));
        }
        assert_eq!(gateway.send(&get("/items/7").key(&one)).status, 429, "{}", case.limit);
        let headers = LimitHeaders::of(&gateway.send(&get("/items/7").key(&two)));
        assert_eq!((headers.status, headers.remaining), (200, 5), "{}", case.limit);
    }
}
