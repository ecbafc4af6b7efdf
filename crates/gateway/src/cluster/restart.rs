//! What this node used before it was restarted, from its journal.

use super::counters::{counter, rolling, window};
use contract::{
    Limit,
    limit::{Class, Kind, Tag},
};
use lease::{Millis, Rule};
use limits::{Limits, Used, Who};

/// Windows that ended longer ago are omitted. Clocks differ by less.
const LONG_AGO: Millis = 86_400_000;

/// Milliseconds after its last charge at which a window of unknown kind has ended: the longest has 31 days.
const LONGEST_WINDOW: Millis = 32 * 86_400_000;

/// What an account had used of limits with lasting counters, for the ledger, at `now` (Unix milliseconds).
///
/// Rates are not reported: the ledger assumes that all units it had granted are spent, and the
/// bucket refills.
pub(crate) fn used(limits: &Limits, who: &Who, rows: &[Used], now: Millis) -> Vec<lease::Used> {
    let each = rows.iter().filter_map(|row| {
        let (id, rule) = match limits.of_tag(row.tag) {
            Some(limit) => (limit.shared_id(), rule_of(limit, row.window)?),
            None => (row.tag.0.into(), unknown_rule(row.tag, row)?),
        };
        let slice = u64::from(row.window);
        let has_ended = rule.forgotten(slice).is_some_and(|at| at.saturating_add(LONG_AGO) < now);
        (!has_ended).then_some(lease::Used { counter: counter(who, id), rule, slice, used: row.units })
    });
    each.collect()
}

fn rule_of(limit: &Limit, at: u32) -> Option<Rule> {
    let kind = match &limit.kind {
        Kind::Calendar { period, zone } => window(*period, zone, at),
        Kind::Rolling { seconds } => rolling(*seconds),
        Kind::Lifetime => lease::Kind::InAll,
        Kind::Rate { .. } | Kind::Concurrent => return None,
    };
    Some(Rule { amount: limit.amount, kind })
}

/// The rule of a limit that no longer exists, as far as its tag and row show: long enough to find
/// its usage if it returns.
fn unknown_rule(tag: Tag, row: &Used) -> Option<Rule> {
    let charged = row.second.saturating_mul(1000);
    let kind = match tag.class() {
        Class::Lifetime => lease::Kind::InAll,
        Class::Calendar => lease::Kind::Window {
            index: row.window.into(),
            begins: 0,
            ends: charged.saturating_add(LONGEST_WINDOW),
        },
        // The number of a slice is the time divided by its length.
        Class::Rolling => lease::Kind::Rolling { part: charged.checked_div(row.window.into())?.max(1) },
        Class::Rate => return None,
    };
    Some(Rule { amount: Limit::LARGEST, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_392_000_000;

    fn reported(text: &str, held: &str, window: u32, second: u64) -> Vec<(u64, u64, u32)> {
        let parse = |text| Limit::parse(text, &mut |_| None).unwrap();
        let limits = Limits::new(vec![parse(held)]).unwrap();
        let row = Used { tag: parse(text).tag(), window, units: 3, second };
        used(&limits, &[1; 16], &[row], NOW)
            .iter()
            .map(|one| (one.counter.limit, one.slice, one.used))
            .collect()
    }

    #[test]
    fn lasting_usage_is_reported_and_ended_windows_and_rates_are_not() {
        let day = u32::try_from(NOW / 86_400_000).unwrap();
        let part = u32::try_from(NOW / 225_000).unwrap();
        for (text, window, is_reported) in [
            ("9 per day", day, true),
            ("9 per day", day + 1, true),
            ("9 per day", day - 3, false),
            ("9 in all", 0, true),
            ("9 per rolling hour", part, true),
            ("9 per rolling hour", part - 1000, false),
            ("9 per second, burst 9", 77, false),
        ] {
            for held in [text, "5 per month"] {
                let expected = Limit::parse(text, &mut |_| None).unwrap().tag().0.into();
                let reported = reported(text, held, window, NOW / 1000);
                // For a limit that no longer exists, the length of its windows is unknown.
                let is_reported = is_reported || held != text && !text.contains("burst");
                assert_eq!(
                    reported,
                    if is_reported { vec![(expected, u64::from(window), 3)] } else { vec![] },
                    "{text} {window}"
                );
            }
        }
    }
}
