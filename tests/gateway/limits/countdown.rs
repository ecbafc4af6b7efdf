//! One kind after the other: what remains falls to 0 and stays there, errors change nothing, the denial
//! explains itself.

use crate::{
    support::{Config, Gateway, Key, Next, Upstream, assert_error, eventually, get, sample::sample},
    telling::Telling,
};
use std::time::{Duration, Instant};

/// A kind of limit of 6 units, its name in the headers, and the longest that it may take to reset.
struct Case {
    plan: &'static str,
    limit: &'static str,
    name: &'static str,
    /// The shortest and the longest that a client may be told, in seconds.
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
    // What was used comes back at most a sixteenth late.
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
    fn check(&self, told: &Telling) {
        assert_eq!(told.limit, 6, "{}", self.limit);
        let member = told.member(self.name);
        assert_eq!(told.members.len(), 1, "{told:?}");
        assert_eq!((member.quota, member.remaining), (6, told.remaining), "{told:?}");
        match (self.window, member.window) {
            (Some((least, most)), Some(window)) => {
                assert!((least..=most).contains(&window), "{}: a window of {window}", self.limit);
            }
            (expected, told) => assert_eq!((expected, told), (None, None), "{}", self.limit),
        }
        match (self.longest_reset, told.reset) {
            (Some(longest), Some(reset)) => {
                assert!((1..=longest).contains(&reset), "{}: a reset in {reset}", self.limit);
            }
            (expected, told) => assert_eq!((expected, told), (None, None), "{}", self.limit),
        }
    }
}

fn place() -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/broken/head" => exchange.say(b"HTTP/1.1 200 OK\r\nContent-Le", Next::Close),
        "/broken/length" => {
            exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nhalf", Next::Close)
        }
        "/broken/chunks" => {
            exchange.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", Next::Close)
        }
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
fn six_units_are_told_as_5_4_3_2_1_0_and_then_denied() {
    let (upstream, gateway) = place();
    for case in &CASES {
        let key = key(&gateway, case);
        let seen = upstream.count();
        let mut told = Vec::new();
        for _ in 0..8 {
            let answer = gateway.send(&get("/items/7").key(&key));
            let telling = Telling::of(&answer);
            case.check(&telling);
            told.push((answer.status, telling.remaining));
            if answer.status == 429 {
                assert_error(&gateway, &answer, 429, case.code);
                assert!(answer.text().contains(case.limit), "{}: {}", case.limit, answer.text());
                // What never resets has no moment to come back at.
                let retry = answer.header("Retry-After").map(|text| text.parse::<u64>().unwrap());
                // Of a bucket one unit comes back long before all of it has.
                let is_soon = case.plan == "rate" && (590..=600).contains(&retry.unwrap());
                assert!(is_soon || retry == telling.reset, "{}: {retry:?}", case.limit);
            }
        }
        let expected = [(200, 5), (200, 4), (200, 3), (200, 2), (200, 1), (200, 0), (429, 0), (429, 0)];
        assert_eq!(told, expected, "{}", case.limit);
        assert_eq!(upstream.count() - seen, 6, "{}", case.limit);
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
            // An answer that is given before the key is looked at tells nothing of it.
            if matches!(target, "/items/7/" | "/nothing") {
                continue;
            }
            if target == "/closed" && case.plan == "group" {
                continue;
            }
            let told = Telling::of(&answer);
            case.check(&told);
            assert_eq!(told.remaining, 4, "{} after {target}", case.limit);
        }
        for target in ["/broken/length", "/broken/chunks"] {
            let answer = gateway.send(&get(target).key(&key));
            // Cut within the body, or answered by an error; a success it cannot be.
            assert!(answer.cut.is_some() || answer.status == 500, "{target}: {answer:?}");
        }
        let after = eventually("what was reserved is given back", || {
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
    let reset = |key: &Key| Telling::of(&gateway.send(&get("/items/7").key(key))).reset;
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
        let told = Telling::of(&gateway.send(&get("/items/7").key(&two)));
        assert_eq!((told.status, told.remaining), (200, 5), "{}", case.limit);
    }
}
