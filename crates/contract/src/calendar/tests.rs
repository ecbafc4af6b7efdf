//! Calendars of every zone of the time zone database, compared with the calendar library jiff.

use super::*;
use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::prelude::*;
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::Mutex,
};

const YEAR_2100: u64 = 4_102_444_800;

fn database() -> TimeZoneDatabase {
    TimeZoneDatabase::bundled()
}

fn civil(day: u32) -> Date {
    date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(day))).unwrap()
}

fn day_number(date: Date) -> i64 {
    i64::from(date.since(civil(0)).unwrap().get_days())
}

/// The first instant of a day, by the library.
fn first_instant(zone: &TimeZone, day: u32) -> Option<u32> {
    let start = civil(day).to_zoned(zone.clone()).unwrap().timestamp().as_second();
    u32::try_from(start.max(0)).ok()
}

fn calendar(name: &str) -> Arc<Calendar> {
    static MADE: Mutex<Option<HashMap<String, Arc<Calendar>>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap();
    let made = made.get_or_insert_with(HashMap::new);
    Arc::clone(made.entry(name.to_owned()).or_insert_with(|| made_of(name, Calendar::DAYS)))
}

/// The library is queried around each change of clocks: all other days begin 24 hours after the previous one.
fn made_of(name: &str, days: u32) -> Arc<Calendar> {
    let zone = database().get(name).unwrap();
    let end = Timestamp::from_second(i64::from(days) * 86_400).unwrap();
    let changes = zone.following(Timestamp::UNIX_EPOCH).map(|change| change.timestamp());
    let mut is_asked_for = vec![false; days as usize];
    for change in std::iter::once(Timestamp::UNIX_EPOCH).chain(changes.take_while(|&at| at < end)) {
        let day = usize::try_from(change.as_second() / 86_400).unwrap();
        is_asked_for.iter_mut().take(day + 4).skip(day.saturating_sub(3)).for_each(|asked| *asked = true);
    }
    let mut before: u32 = 0;
    let starts = is_asked_for.iter().zip(0..).map_while(|(&is_asked_for, day)| {
        before = if is_asked_for { first_instant(&zone, day)? } else { before.checked_add(86_400)? };
        Some(before)
    });
    Arc::new(Calendar::new(name, starts.collect()))
}

fn named(name: &str) -> Zone {
    Zone::Named(calendar(name))
}

/// The first second of a date in a zone, and the length of that date.
fn day_of(name: &str, on: Date) -> (u64, u64) {
    let zone = named(name);
    let day = u32::try_from(day_number(on)).unwrap();
    let (start, end) = (zone.start(Period::Day, day), zone.end(Period::Day, day));
    if start < end {
        assert_eq!(zone.index(Period::Day, start), day);
        assert_eq!(zone.index(Period::Day, end - 1), day);
        assert_eq!(zone.index(Period::Day, end), day + 1);
        assert_ne!(zone.index(Period::Day, start - 1), day);
    }
    (start, end - start)
}

fn second(text: &str) -> u64 {
    u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap()
}

const ZONES: [&str; 24] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Caracas",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Amman",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Australia/Eucla",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Kiritimati",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn days_agree_with_the_library(name in prop::sample::select(&ZONES), now in 86_400..YEAR_2100) {
        let zone = named(name);
        let tz = database().get(name).unwrap();
        let local = Timestamp::from_second(i64::try_from(now).unwrap()).unwrap().to_zoned(tz.clone()).date();
        let index = zone.index(Period::Day, now);
        let expected = day_number(local);
        // When clocks are put back over midnight, they show the previous day for a while: the new
        // one has begun.
        let was_put_back = i64::from(index) == expected + 1
            && Timestamp::from_second(i64::try_from(zone.start(Period::Day, index)).unwrap())
                .unwrap().to_zoned(tz).date() == civil(index);
        prop_assert!(i64::from(index) == expected || was_put_back, "{name} {now}: {index}, the library returns {expected}");
        let (start, end) = (zone.start(Period::Day, index), zone.end(Period::Day, index));
        prop_assert!(start <= now && now < end);
        prop_assert!((22 * 3_600..=26 * 3_600).contains(&(end - start)), "{name} {now}: {} s", end - start);
        let month = zone.index(Period::Month, now);
        let (year, in_year) = (civil(index).year(), civil(index).month());
        prop_assert_eq!(i64::from(month), (i64::from(year) - 1970) * 12 + i64::from(in_year) - 1);
        prop_assert!(zone.start(Period::Month, month) <= now && now < zone.end(Period::Month, month));
        for short in [Period::Second, Period::Minute, Period::Hour] {
            prop_assert_eq!(zone.index(short, now), Zone::Utc.index(short, now));
            prop_assert_eq!(zone.end(short, zone.index(short, now)), short.end(short.index(now)));
        }
    }

    #[test]
    fn any_table_finds_every_instant_in_one_window(starts in prop::collection::vec(any::<u32>(), 0..40), now in any::<u64>()) {
        let calendar = Calendar::new("Any/Thing", starts);
        let day = calendar.day(now);
        prop_assert!(calendar.day_start(day) <= now);
        prop_assert!(now < calendar.day_start(day.saturating_add(1)) || day == u32::MAX);
    }
}

#[test]
fn every_zone_of_the_database_agrees_at_its_changes() {
    let mut changes = 0;
    let mut seen = HashSet::new();
    for name in database().available() {
        let tz = database().get(name.as_str()).unwrap();
        // Half of the names are aliases of the same zones.
        let instants =
            tz.following(Timestamp::MIN).take(400).map(|change| (change.timestamp(), change.offset()));
        if !seen.insert(instants.collect::<Vec<_>>()) {
            continue;
        }
        // After 2040 the same rules simply continue.
        let zone = Zone::Named(made_of(name.as_str(), 71 * 366));
        let last = Timestamp::from_second(70 * 365 * 86_400).unwrap();
        for change in
            tz.following(Timestamp::from_second(2 * 86_400).unwrap()).take_while(|at| at.timestamp() < last)
        {
            changes += 1;
            let at = u64::try_from(change.timestamp().as_second()).unwrap();
            for now in [at - 86_400, at - 3_600, at - 1, at, at + 1, at + 3_600, at + 86_400] {
                let local = Timestamp::from_second(now as i64).unwrap().to_zoned(tz.clone()).date();
                let index = i64::from(zone.index(Period::Day, now));
                let expected = day_number(local);
                assert!(
                    index == expected || index == expected + 1,
                    "{name} {now}: {index}, the library returns {expected}"
                );
            }
        }
    }
    assert!(changes > 15_000, "the database has many changes of clocks: {changes}");
}

#[test]
fn days_have_23_and_25_hours_where_clocks_change() {
    assert_eq!(day_of("Europe/Berlin", date(2027, 3, 28)), (second("2027-03-27T23:00:00Z"), 23 * 3_600));
    assert_eq!(day_of("Europe/Berlin", date(2027, 10, 31)), (second("2027-10-30T22:00:00Z"), 25 * 3_600));
    assert_eq!(day_of("Australia/Lord_Howe", date(2027, 4, 4)).1, 24 * 3_600 + 1_800);
    assert_eq!(day_of("Asia/Kathmandu", date(2027, 1, 1)), (second("2026-12-31T18:15:00Z"), 86_400));
}

#[test]
fn a_day_without_midnight_begins_at_one() {
    // Brazil put clocks forward at midnight until 2018, Cuba in 2025.
    assert_eq!(day_of("America/Sao_Paulo", date(2018, 11, 4)), (second("2018-11-04T03:00:00Z"), 23 * 3_600));
    assert_eq!(day_of("America/Havana", date(2025, 3, 9)), (second("2025-03-09T05:00:00Z"), 23 * 3_600));
    // Clocks put back from 00:00 to 23:00: the hour belongs to the day before.
    assert_eq!(day_of("America/Sao_Paulo", date(2018, 2, 17)).1, 25 * 3_600);
}

#[test]
fn a_day_that_a_zone_left_out_is_never_found() {
    let zone = named("Pacific/Apia");
    let left_out = u32::try_from(day_number(date(2011, 12, 30))).unwrap();
    assert_eq!(day_of("Pacific/Apia", date(2011, 12, 30)).1, 0);
    assert_eq!(zone.end(Period::Day, left_out - 1), zone.start(Period::Day, left_out + 1));
    let change = second("2011-12-30T10:00:00Z");
    assert_eq!(zone.index(Period::Day, change - 1), left_out - 1);
    assert_eq!(zone.index(Period::Day, change), left_out + 1);
}

#[test]
fn months_of_a_zone_begin_on_its_first_day() {
    let zone = named("Europe/Berlin");
    let february = zone.index(Period::Month, second("2028-01-31T23:00:00Z"));
    assert_eq!(zone.index(Period::Month, second("2028-01-31T22:59:59Z")), february - 1);
    assert_eq!(zone.start(Period::Month, february), second("2028-01-31T23:00:00Z"));
    assert_eq!(zone.end(Period::Month, february) - zone.start(Period::Month, february), 29 * 86_400);
    let march = zone.index(Period::Month, second("2027-03-15T12:00:00Z"));
    assert_eq!(zone.end(Period::Month, march) - zone.start(Period::Month, march), 31 * 86_400 - 3_600);
}

#[test]
fn days_after_the_end_of_a_table_have_24_hours() {
    let calendar = Calendar::new("A/B", vec![0, 80_000, 170_000]);
    assert_eq!(calendar.day_start(2), 170_000);
    assert_eq!(calendar.day_start(12), 170_000 + 10 * 86_400);
    assert_eq!(calendar.day(170_000 + 10 * 86_400 - 1), 11);
    assert_eq!(calendar.day(170_000 + 10 * 86_400), 12);
}

#[test]
fn an_implausible_table_is_searched_and_continues_after_its_end() {
    // Day 1 begins ten days late, so that no guess finds it.
    let calendar = Calendar::new("A/B", vec![0, 1_000_000]);
    for (now, day) in [(0, 0), (500_000, 0), (999_999, 0), (1_000_000, 1), (1_086_399, 1), (1_086_400, 2)] {
        assert_eq!(calendar.day(now), day, "{now}");
    }
}

#[test]
fn the_last_days_of_the_table_are_found() {
    let calendar = Calendar::new("A/B", vec![0]);
    let last = u64::from(u32::MAX) * 86_400;
    assert_eq!(calendar.day(last - 86_400 - 1), u32::MAX - 2);
    assert_eq!(calendar.day(last - 1), u32::MAX - 1);
    assert_eq!(calendar.day(last), u32::MAX);
    assert_eq!(calendar.day(u64::MAX), u32::MAX);
}

#[test]
fn calendars_are_equal_and_hashed_by_name() {
    let hash =
        |name: &str, days| BuildHasherDefault::<DefaultHasher>::default().hash_one(Calendar::new(name, days));
    assert_eq!(hash("A/B", vec![0, 5]), hash("A/B", vec![]));
    assert_ne!(hash("A/B", vec![0, 5]), hash("A/C", vec![0, 5]));
    let (one, other) = (Calendar::new("A/B", vec![0, 5]), Calendar::new("A/B", vec![]));
    assert_eq!(one, other);
    assert_ne!(one, Calendar::new("A/C", vec![0, 5]));
    assert_eq!(Zone::Utc.name(), "UTC");
    assert_eq!(named("Europe/Berlin").name(), "Europe/Berlin");
    assert_eq!(format!("{:?}", named("Europe/Berlin")), "Named(Calendar(Europe/Berlin))");
}
