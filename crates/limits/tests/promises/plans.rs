//! Limits by their texts, in time zones too.

use contract::{Limit, calendar::Calendar};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use limits::{Limits, Seat};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// A moment in September 2026, in Unix milliseconds.
pub(crate) const NOW: u64 = 1_790_000_000_000;

pub(crate) fn limits(texts: &[&str]) -> Arc<Limits> {
    let parsed = texts.iter().map(|text| Limit::parse(text, &mut |name| Some(calendar(name))).unwrap());
    Arc::new(Limits::new(parsed.collect()).unwrap())
}

pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// The days of a zone by the calendar library, to the year 2030. Asked once.
fn calendar(name: &str) -> Arc<Calendar> {
    static MADE: Mutex<Option<HashMap<String, Arc<Calendar>>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap();
    let made = made.get_or_insert_with(HashMap::new);
    Arc::clone(made.entry(name.to_owned()).or_insert_with(|| made_of(name)))
}

fn made_of(name: &str) -> Arc<Calendar> {
    let zone = zone(name);
    let epoch = jiff::civil::date(1970, 1, 1);
    let start = |day: i64| {
        let date = epoch.checked_add(jiff::Span::new().days(day)).unwrap();
        let start = date.to_zoned(zone.clone()).unwrap().timestamp().as_second();
        u32::try_from(start.max(0)).unwrap()
    };
    Arc::new(Calendar::new(name, (0..22_000).map(start).collect()))
}

/// What is left of each limit.
pub(crate) fn remaining(seat: &Seat, limits: &Arc<Limits>, now: u64) -> Vec<u32> {
    let account = seat.account(limits, now);
    account.standings(now, limits.all()).map(|(_, standing)| standing.remaining).collect()
}

/// Cases of a property. More by hand: `PROPTEST_CASES=100000 cargo test --release -p fairgate-limits --test promises`.
pub(crate) fn cases(usually: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usually)
}
