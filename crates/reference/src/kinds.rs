//! What each kind of limit means, in words: what counts, and when it comes back.

use crate::quantity::{grouped, span};
use contract::{Kind, Limit, Period, Zone, limit::Span};
use std::time::Duration;

/// What a limit means and when it resets, as one or two sentences.
pub(crate) fn meaning(limit: &Limit) -> String {
    let meaning = match &limit.kind {
        Kind::Calendar { period, zone } => calendar(*period, zone),
        Kind::Rolling { seconds } => {
            let step = span(Duration::from_secs(u64::from(seconds.div_ceil(16))));
            format!(
                "In any period of {}. A unit is returned that long after it was used, or up to {step} later.",
                Span(*seconds)
            )
        }
        Kind::Rate { period, burst } => format!(
            "{} are refilled evenly in each {}. At most {} can be used at once.",
            units(limit.amount),
            period.word(),
            grouped(u64::from(*burst))
        ),
        Kind::Concurrent => {
            "Concurrent requests, whatever they cost. Each counts until its response ends.".to_owned()
        }
        Kind::Lifetime => "For the lifetime of the key. It never resets.".to_owned(),
    };
    match &limit.group {
        Some(group) => format!("{meaning} Only requests to endpoints of the group {group} count."),
        None => meaning,
    }
}

fn calendar(period: Period, zone: &Zone) -> String {
    match (period, zone) {
        (Period::Second, _) => "Each second.".to_owned(),
        (Period::Minute, _) => "From second 0 of each minute.".to_owned(),
        (Period::Hour, _) => "From minute 0 of each hour.".to_owned(),
        (Period::Day, Zone::Utc) => "From 00:00 UTC of each day.".to_owned(),
        (Period::Month, Zone::Utc) => "From 00:00 UTC of the first day of each month.".to_owned(),
        (Period::Day, Zone::Named(zone)) => format!(
            "From 00:00 of each day in the time zone {}. Days with a clock change are shorter or longer.",
            zone.name()
        ),
        (Period::Month, Zone::Named(zone)) => {
            format!("From 00:00 of the first day of each month in the time zone {}.", zone.name())
        }
    }
}

/// The length that `w` of `RateLimit-Policy` reports, in seconds, of the window that holds `now`. None: it has none.
pub(crate) fn window_seconds(limit: &Limit, now: u64) -> Option<u64> {
    match &limit.kind {
        Kind::Calendar { period, zone } => {
            let index = zone.index(*period, now);
            Some(zone.end(*period, index) - zone.start(*period, index))
        }
        Kind::Rolling { seconds } => Some(u64::from(*seconds)),
        // The time in which the whole burst comes back.
        Kind::Rate { period, burst } => {
            let seconds = u64::from(*burst) * period.seconds(0);
            Some(seconds.div_ceil(u64::from(limit.amount).max(1)).max(1))
        }
        Kind::Concurrent | Kind::Lifetime => None,
    }
}

fn units(amount: u32) -> String {
    if amount == 1 { "1 unit".to_owned() } else { format!("{} units", grouped(u64::from(amount))) }
}
