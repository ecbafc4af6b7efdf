//! The text form in both directions, invalid limits, tags and names.

use super::*;
use crate::calendar::Calendar;
use proptest::prelude::*;
use std::collections::HashMap;

fn zone(name: &str) -> Option<Arc<Calendar>> {
    let known = ["Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+5", "Etc/GMT-5"];
    known.contains(&name).then(|| Arc::new(Calendar::new(name, vec![0])))
}

fn parse(text: &str) -> Result<Limit, LimitError> {
    Limit::parse(text, &mut zone)
}

#[test]
fn a_limit_round_trips_through_its_text() {
    for text in [
        "1000 per day",
        "20 per second",
        "1 per minute",
        "7 per hour",
        "2147483647 per month",
        "1000 per day in Europe/Berlin",
        "1000 per month in Asia/Kathmandu",
        "1000 per rolling hour",
        "100 per rolling 15 minutes",
        "100 per rolling 90 seconds",
        "100 per rolling 31 days",
        "10 per second, burst 50",
        "10 per hour, burst 1",
        "268435456 per minute, burst 268435456",
        "20 at once",
        "10000 in all",
        "10000 in all for search",
        "5 per day in Europe/Berlin for a-b_C9",
        "10 per second, burst 50 for for",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    for (text, written) in [
        ("10_000 per day", "10000 per day"),
        ("  5\tper  day ", "5 per day"),
        ("5 per day in UTC", "5 per day"),
        ("5 per month in utc", "5 per month"),
        ("5 per day in Etc/UTC", "5 per day"),
        ("5 per month in Zulu", "5 per month"),
        ("10 per second , burst 50", "10 per second, burst 50"),
        ("10 per second,burst 50", "10 per second, burst 50"),
        ("5 per rolling 60 seconds", "5 per rolling minute"),
        ("5 per rolling 1 hours", "5 per rolling hour"),
        ("5 per rolling 1440 minute", "5 per rolling day"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), written);
    }
}

#[test]
fn invalid_limits_are_refused_with_the_reason() {
    for (text, error) in [
        ("", LimitError::Form),
        ("1000", LimitError::Form),
        ("1000 a day", LimitError::Form),
        ("1000 per day per key", LimitError::Form),
        ("1000 per day,", LimitError::Form),
        ("1000 per day, burst", LimitError::Form),
        ("1000 per day burst 5", LimitError::Form),
        ("1000 in all for", LimitError::Form),
        ("1000 for search", LimitError::Form),
        ("-1 per day", LimitError::Form),
        ("+1 per day", LimitError::Form),
        ("1.5 per day", LimitError::Form),
        ("_ per day", LimitError::Form),
        ("٣ per day", LimitError::Form),
        ("5 per rolling x hours", LimitError::Form),
        ("0 per day", LimitError::Zero),
        ("0 at once", LimitError::Zero),
        ("2147483648 per day", LimitError::TooLarge),
        ("99999999999999999999 per day", LimitError::TooLarge),
        ("268435457 per second, burst 1", LimitError::TooLarge),
        ("1 per second, burst 268435457", LimitError::TooLarge),
        ("1 per second, burst 0", LimitError::ZeroBurst),
        ("1 per day, burst 5", LimitError::BurstPeriod(Period::Day)),
        ("1 per month, burst 5", LimitError::BurstPeriod(Period::Month)),
        ("5 per week", LimitError::Period("week".into())),
        ("5 per week, burst 9", LimitError::Period("week".into())),
        ("5 per rolling month", LimitError::Unit("month".into())),
        ("5 per rolling 2 weeks", LimitError::Unit("weeks".into())),
        ("5 per rolling second", LimitError::Span),
        ("5 per rolling 59 seconds", LimitError::Span),
        ("5 per rolling 32 days", LimitError::Span),
        ("5 per rolling 4294967295 days", LimitError::Span),
        ("5 per rolling 0 hours", LimitError::Span),
        ("5 per day in Europe/Berln", LimitError::Zone("Europe/Berln".into())),
        ("5 per hour in Europe/Berlin", LimitError::ZonePeriod),
        ("5 per hour in UTC", LimitError::ZonePeriod),
        ("5 per rolling day in Europe/Berlin", LimitError::ZonePeriod),
        ("5 per rolling 2 days in Europe/Berlin", LimitError::ZonePeriod),
        ("5 per second, burst 2 in Europe/Berlin", LimitError::ZonePeriod),
        ("5 per day for a.b", LimitError::Group("a.b".into())),
        ("5 per day for ä", LimitError::Group("ä".into())),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    let long = "g".repeat(65);
    assert_eq!(parse(&format!("5 per day for {long}")), Err(LimitError::Group(long)));
}

/// Limits of every kind; amounts and bursts are parameters, so that only they differ between two calls.
fn every_kind(amount: u32, burst: u32) -> Vec<Limit> {
    let zones = [
        Zone::Utc,
        Zone::Named(zone("Europe/Berlin").unwrap()),
        Zone::Named(zone("Asia/Kathmandu").unwrap()),
    ];
    let mut kinds = vec![Kind::Concurrent, Kind::Lifetime];
    for period in Period::ALL {
        kinds.push(Kind::Calendar { period, zone: Zone::Utc });
    }
    for zone in &zones[1..] {
        kinds.push(Kind::Calendar { period: Period::Day, zone: zone.clone() });
        kinds.push(Kind::Calendar { period: Period::Month, zone: zone.clone() });
    }
    kinds.extend((1..=1_440).map(|minutes| Kind::Rolling { seconds: minutes * 60 }));
    for period in [Period::Second, Period::Minute, Period::Hour] {
        kinds.push(Kind::Rate { period, burst });
    }
    let groups: [Option<Arc<str>>; 4] =
        [None, Some("search".into()), Some("a".into()), Some("Europe".into())];
    let with_groups =
        kinds.iter().flat_map(|kind| groups.iter().map(move |group| (kind.clone(), group.clone())));
    with_groups.map(|(kind, group)| Limit { amount, kind, group }).collect()
}

#[test]
fn tags_are_kept_on_disk_and_never_change() {
    for (text, tag) in [
        ("1000 per day", 0x43f1_f6bd),
        ("1000 per month", 0xe9b9_6a2d),
        ("1000 per day in Europe/Berlin", 0x21e8_c071),
        ("1000 per rolling hour", 0x4636_19fa),
        ("100 per rolling 15 minutes", 0x1743_825a),
        ("10 per second, burst 50", 0x96a0_5003),
        ("10 per second, burst 50 for search", 0x6d00_5157),
        ("20 at once", 0xcf6d_50c1),
        ("10000 in all", 0x7140_c7b0),
        ("10000 in all for search", 0x7cf0_ad3c),
    ] {
        assert_eq!(parse(text).unwrap().tag(), Tag(tag), "{text}");
    }
}

#[test]
fn limits_that_differ_in_more_than_the_amount_have_tags_of_their_own() {
    let mut seen: HashMap<Tag, Limit> = HashMap::new();
    for limit in every_kind(10, 20) {
        assert_eq!(
            limit.tag().class(),
            match limit.kind {
                Kind::Calendar { .. } | Kind::Concurrent => Class::Calendar,
                Kind::Rolling { .. } => Class::Rolling,
                Kind::Rate { .. } => Class::Rate,
                Kind::Lifetime => Class::Lifetime,
            }
        );
        if let Some(other) = seen.insert(limit.tag(), limit.clone()) {
            panic!("\"{limit}\" and \"{other}\" share a tag");
        }
    }
    assert!(seen.len() > 5_800);
}

#[test]
fn a_limit_that_is_raised_keeps_its_tag_but_a_rate_does_not() {
    for (limit, raised) in every_kind(10, 20).into_iter().zip(every_kind(11, 20)) {
        assert_eq!(limit.tag() == raised.tag(), !matches!(limit.kind, Kind::Rate { .. }), "{limit}");
    }
    for (limit, raised) in every_kind(10, 20).into_iter().zip(every_kind(10, 21)) {
        assert_eq!(limit.tag(), raised.tag());
    }
}

#[test]
fn the_tag_of_a_rate_contains_its_period_its_group_and_only_its_speed() {
    for limit in every_kind(10, 20).into_iter().chain(
        [1, 7, 15, 16, 17, 1000, Limit::MAX_RATE].into_iter().flat_map(|amount| every_kind(amount, 20)),
    ) {
        let Kind::Rate { period, .. } = limit.kind else {
            assert_eq!(limit.tag().rate(), None, "{limit}");
            continue;
        };
        let rate = limit.tag().rate().unwrap();
        assert_eq!(rate.period, period, "{limit}");
        assert!(
            rate.amount <= limit.amount && limit.amount - rate.amount <= limit.amount / 8,
            "{limit}: {rate:?}"
        );
        assert!(limit.amount >= 16 || rate.amount == limit.amount, "{limit}: {rate:?}");
        assert_eq!(rate.group == 0, limit.group.is_none(), "{limit}");
        let other_speed = Limit { amount: limit.amount / 2 + 1, ..limit.clone() };
        assert_eq!(other_speed.tag().rate().unwrap().group, rate.group, "{limit}");
    }
    // The former tag is still known, and contains no information.
    let former = |text: &str| parse(text).unwrap().former_tag();
    assert_eq!(former("10 per second, burst 50"), Some(Tag(0x5a89_c97b)));
    assert_eq!(former("10 per second, burst 50 for search"), Some(Tag(0xb42d_965f)));
    assert_eq!(former("10 per second"), None);
    for not_an_amount in [0, 0b0111 << 11 | 1 << 15, 0b1000 << 11 | 29 << 15] {
        assert_eq!(Tag(not_an_amount | 0b11).rate(), None);
    }
    // Equal speed in the first four bits, and still different tags.
    assert_ne!(
        parse("1000 per hour, burst 5").unwrap().tag(),
        parse("1001 per hour, burst 5").unwrap().tag()
    );
    assert_eq!(Tag(0b11 << 9 | 0b11).rate(), None);
}

#[test]
fn policies_have_short_names() {
    for (text, name) in [
        ("5 per day", "day"),
        ("5 per day in Europe/Berlin", "day-europe-berlin"),
        ("5 per month in Etc/GMT+5", "month-etc-gmt-plus-5"),
        ("5 per month in Etc/GMT-5", "month-etc-gmt-5"),
        ("5 per rolling hour", "rolling-hour"),
        ("5 per rolling 15 minutes", "rolling-15-minutes"),
        ("5 per second, burst 9", "second-burst"),
        ("5 at once", "at-once"),
        ("5 in all", "in-all"),
        ("5 in all for A_b", "in-all-A-b"),
    ] {
        assert_eq!(parse(text).unwrap().policy_name(), name);
    }
    let mut seen: HashMap<String, Limit> = HashMap::new();
    for limit in every_kind(1, 1) {
        let name = limit.policy_name();
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
        if let Some(other) = seen.insert(name, limit.clone()) {
            panic!("\"{limit}\" and \"{other}\" share a name");
        }
    }
}

#[test]
fn no_two_zones_share_a_name_of_a_policy() {
    let mut seen: HashMap<String, String> = HashMap::new();
    for name in jiff::tz::TimeZoneDatabase::bundled().available() {
        let calendar = Arc::new(Calendar::new(name.as_str(), vec![0]));
        let kind = Kind::Calendar { period: Period::Day, zone: Zone::Named(calendar) };
        let policy = Limit { amount: 1, kind, group: None }.policy_name();
        assert!(policy.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{policy}");
        assert_eq!(seen.insert(policy, name.to_string()), None, "{name}");
    }
    assert!(seen.len() > 500);
}

#[test]
fn the_maximum_at_once_and_the_applicable_groups() {
    assert_eq!(parse("5 per day").unwrap().at_most_at_once(), Some(5));
    assert_eq!(parse("5 in all").unwrap().at_most_at_once(), Some(5));
    assert_eq!(parse("5 per second, burst 9").unwrap().at_most_at_once(), Some(9));
    assert_eq!(parse("9 per second, burst 5").unwrap().at_most_at_once(), Some(5));
    assert_eq!(parse("5 at once").unwrap().at_most_at_once(), None);
    for (text, code) in [
        ("5 per second", ErrorCode::RateExceeded),
        ("5 per minute", ErrorCode::ApiLimitExceeded),
        ("5 per day", ErrorCode::ApiLimitExceeded),
        ("5 per rolling minute", ErrorCode::ApiLimitExceeded),
        ("5 per hour, burst 9", ErrorCode::RateExceeded),
        ("5 at once", ErrorCode::RateExceeded),
        ("5 in all", ErrorCode::ApiLimitExceeded),
    ] {
        assert_eq!(parse(text).unwrap().error_code(), code, "{text}");
    }
    let (all, search) = (parse("5 per day").unwrap(), parse("5 per day for search").unwrap());
    assert!(all.applies_to(None) && all.applies_to(Some("search")));
    assert!(
        search.applies_to(Some("search")) && !search.applies_to(None) && !search.applies_to(Some("Search"))
    );
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let period = prop::sample::select(&Period::ALL[..]);
    let short = prop::sample::select(&Period::ALL[..3]);
    const NAMES: [&str; 3] = ["Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+5"];
    let zone = prop::sample::select(&NAMES[..]).prop_map(|name| Zone::Named(zone(name).unwrap()));
    let kind = prop_oneof![
        period.prop_map(|period| Kind::Calendar { period, zone: Zone::Utc }),
        (prop::sample::select(&Period::ALL[3..]), zone)
            .prop_map(|(period, zone)| Kind::Calendar { period, zone }),
        (Limit::SHORTEST_SPAN..=Limit::LONGEST_SPAN).prop_map(|seconds| Kind::Rolling { seconds }),
        (short, 1..=Limit::MAX_RATE).prop_map(|(period, burst)| Kind::Rate { period, burst }),
        Just(Kind::Concurrent),
        Just(Kind::Lifetime),
    ];
    (1..=Limit::MAX_RATE, kind, prop::option::of("[a-zA-Z0-9_-]{1,64}"))
        .prop_map(|(amount, kind, group)| Limit { amount, kind, group: group.map(Arc::from) })
}

proptest! {
    #[test]
    fn every_limit_reads_back(limit in any_limit()) {
        prop_assert_eq!(parse(&limit.to_string()), Ok(limit));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,60}|[0-9]{1,3} (per|in|at|rolling|burst|,|for|day|once|all| ){0,12}") {
        if let Ok(limit) = parse(&text) {
            prop_assert_eq!(parse(&limit.to_string()), Ok(limit));
        }
    }
}
