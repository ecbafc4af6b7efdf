//! Calendars of time zones, made of the time zone database: the system's, else the one in this binary.

use contract::Calendar;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The calendar of a zone by its IANA name, in any case. Each is made once in the life of the process, so
/// that a zone whose rules change needs a restart, as its windows would otherwise move while they count.
pub(super) fn calendar(name: &str) -> Option<Arc<Calendar>> {
    static MADE: Mutex<Option<HashMap<String, Arc<Calendar>>>> = Mutex::new(None);
    let asked = name.to_ascii_lowercase();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_with(HashMap::new);
    if let Some(calendar) = made.get(&asked) {
        return Some(Arc::clone(calendar));
    }
    let (name, zone) = find(name)?;
    let calendar = Arc::new(Calendar::new(&name, day_starts(&zone)));
    made.insert(asked, Arc::clone(&calendar));
    Some(calendar)
}

/// The name of the zone that was probably meant: by a slip, or by its city alone.
pub(super) fn nearest(name: &str) -> Option<String> {
    let known: Vec<String> = TimeZoneDatabase::bundled().available().map(|known| known.to_string()).collect();
    let written = name.replace(['-', ' '], "_");
    let is_city =
        |known: &&String| known.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(&written));
    let of_city = known.iter().find(is_city).cloned();
    of_city.or_else(|| crate::nearest::nearest(&written, known.iter().map(String::as_str)).map(str::to_owned))
}

fn find(name: &str) -> Option<(String, TimeZone)> {
    // `right/` counts leap seconds, which Unix time does not, `posix/` are second names of all zones, and
    // the others are not places.
    let lower = name.to_ascii_lowercase();
    let is_special = lower.starts_with("right/")
        || lower.starts_with("posix/")
        || ["localtime", "posixrules", "factory"].contains(&lower.as_str());
    if is_special {
        return None;
    }
    let zone = jiff::tz::db().get(name).or_else(|_| TimeZoneDatabase::bundled().get(name)).ok()?;
    let name = zone.iana_name()?.to_owned();
    Some((name, zone))
}

/// The Unix second at which each day since 1970-01-01 of the zone begins, as far as 32 bits go.
fn day_starts(zone: &TimeZone) -> Vec<u32> {
    let mut starts = Vec::with_capacity(Calendar::DAYS as usize);
    let mut date = Date::constant(1970, 1, 1);
    while starts.len() < Calendar::DAYS as usize {
        let begins = first_instant(zone, date.at(0, 0, 0, 0));
        let Some(start) = begins.and_then(|at| u32::try_from(at.as_second().max(0)).ok()) else { break };
        starts.push(start);
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    starts
}

/// The first moment at which the clocks of a zone show this time or a later one.
fn first_instant(zone: &TimeZone, midnight: DateTime) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(midnight);
    match found.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => found.earlier().ok(),
        // Midnight is left out: the day begins with the change of clocks that left it out.
        AmbiguousOffset::Gap { .. } => {
            let before = found.earlier().ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap()
    }

    #[test]
    fn a_zone_is_found_by_its_name_in_any_case_and_made_once() {
        let one = calendar("Europe/Berlin").unwrap();
        assert_eq!(one.name(), "Europe/Berlin");
        assert!(Arc::ptr_eq(&one, &calendar("Europe/Berlin").unwrap()));
        assert_eq!(calendar("eUrOpE/bErLiN").unwrap().name(), "Europe/Berlin");
        for name in
            ["Europe/Berln", "", "right/Europe/Berlin", "posixrules", "../../etc/passwd", "/etc/localtime"]
        {
            assert!(calendar(name).is_none(), "{name}");
        }
    }

    #[test]
    fn days_begin_with_the_first_moment_of_their_date() {
        for (zone, at) in [
            ("Europe/Berlin", "2025-03-29T23:00:00Z"),
            ("Europe/Berlin", "2025-03-30T22:00:00Z"),
            ("Europe/Berlin", "2025-10-26T23:00:00Z"),
            ("Asia/Kathmandu", "2026-12-31T18:15:00Z"),
            ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
            ("America/Havana", "2025-03-09T05:00:00Z"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ] {
            let calendar = calendar(zone).unwrap();
            let day = calendar.day(second(at));
            assert_eq!(calendar.day_start(day), second(at), "{zone}");
            assert!(calendar.day(second(at) - 1) < day, "{zone}");
        }
        // Clocks went from 23:30 to 00:30: the day begins in the middle of the gap that swallowed its midnight.
        let toronto = TimeZoneDatabase::bundled().get("America/Toronto").unwrap();
        let begins = first_instant(&toronto, Date::constant(1919, 3, 31).at(0, 0, 0, 0)).unwrap();
        assert_eq!(begins, "1919-03-31T04:30:00Z".parse().unwrap());
    }

    #[test]
    fn every_zone_has_a_whole_table_of_days_that_never_falls() {
        for name in TimeZoneDatabase::bundled().available().step_by(7) {
            let Some((_, zone)) = find(name.as_str()) else { continue };
            let starts = day_starts(&zone);
            assert!(starts.is_sorted(), "{name}");
            assert!(starts.len() as u32 >= Calendar::DAYS - 1, "{name}: {}", starts.len());
        }
    }
}
