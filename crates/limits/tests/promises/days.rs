//! Days and months of a time zone, those of 23 and 25 hours included, against a calendar library.

use crate::plans::{cases, limits, remaining, zone};
use jiff::{Timestamp, civil::Date};
use limits::{Limits, Reservation, Seat};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
static DAYS: LazyLock<Vec<Arc<Limits>>> =
    LazyLock::new(|| ZONES.iter().map(|zone| limits(&[&format!("3 per day in {zone}")])).collect());
static MONTHS: LazyLock<Vec<Arc<Limits>>> =
    LazyLock::new(|| ZONES.iter().map(|zone| limits(&[&format!("3 per month in {zone}")])).collect());

fn date(zone: usize, millis: u64) -> Date {
    let at = Timestamp::from_millisecond(millis.cast_signed()).unwrap();
    at.to_zoned(crate::plans::zone(ZONES[zone])).date()
}

/// The millisecond at which a date begins.
fn begins(name: &str, date: Date) -> u64 {
    date.to_zoned(zone(name)).unwrap().timestamp().as_millisecond().cast_unsigned()
}

/// Hours of both changes of 2026 in all of these zones, and any time of the year.
fn moments() -> impl Strategy<Value = Vec<u64>> {
    let change = prop::sample::select(vec![
        1_774_742_400_000u64, // Berlin, 2026-03-29
        1_792_879_200_000,    // Berlin, 2026-10-25
        1_772_946_000_000,    // New York, 2026-03-08
        1_793_505_600_000,    // New York, 2026-11-01
        1_775_314_800_000,    // Lord Howe, 2026-04-05
        1_791_039_600_000,    // Lord Howe, 2026-10-04
    ]);
    change.prop_flat_map(|begin| {
        let near = begin - 2 * 86_400_000..begin + 3 * 86_400_000;
        proptest::collection::vec(near, 1..60).prop_map(|mut moments| {
            moments.sort_unstable();
            moments
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(200)))]

    #[test]
    fn each_date_of_a_zone_grants_its_limit_once(moments in moments(), zone in 0..ZONES.len()) {
        for (compiled, is_month) in [(&DAYS[zone], false), (&MONTHS[zone], true)] {
            let (seat, mut granted) = (Seat::default(), HashMap::<Date, u32>::new());
            for &now in &moments {
                let today = date(zone, now);
                let first = if is_month { today.first_of_month() } else { today };
                let next = if is_month { today.last_of_month() } else { today }.tomorrow().unwrap();
                let granted = granted.entry(first).or_default();
                let ends = begins(ZONES[zone], next);
                match Reservation::take(&seat, compiled, None, now, 1) {
                    Ok(taken) => {
                        prop_assert!(*granted < 3);
                        *granted += 1;
                        taken.charge();
                    }
                    Err(denial) => {
                        prop_assert_eq!(*granted, 3);
                        prop_assert_eq!(denial.resets_at, Some(ends / 1000));
                        prop_assert_eq!(denial.reset, Some((ends - now).div_ceil(1000)));
                    }
                }
                let account = seat.account(compiled, now);
                let (_, standing) = account.standings(now, compiled.all()).next().unwrap();
                prop_assert_eq!(standing.remaining, 3 - *granted);
                prop_assert_eq!(standing.reset, Some((ends - now).div_ceil(1000)));
                let length = (ends - begins(ZONES[zone], first)) / 1000;
                prop_assert_eq!(standing.window_seconds, Some(length));
            }
        }
    }
}

#[test]
fn a_day_of_23_and_a_day_of_25_hours() {
    let compiled = limits(&["3 per day in Europe/Berlin"]);
    for (day, hours) in [(jiff::civil::date(2026, 3, 29), 23), (jiff::civil::date(2026, 10, 25), 25)] {
        let begin = begins("Europe/Berlin", day);
        let seat = Seat::default();
        Reservation::take(&seat, &compiled, None, begin, 3).unwrap().charge();
        let last = begin + hours * 3_600_000 - 1;
        assert!(Reservation::take(&seat, &compiled, None, last, 1).is_err());
        assert_eq!(remaining(&seat, &compiled, last + 1), [3]);
        let account = seat.account(&compiled, begin);
        let (_, standing) = account.standings(begin, compiled.all()).next().unwrap();
        assert_eq!(standing.window_seconds, Some(hours * 3600));
    }
}
