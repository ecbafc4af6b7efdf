//! The plans, and whether each of their limits can ever deny.

use super::limits::{Whose, limits};
use crate::{
    fault::Fault,
    raw::{At, Section},
    registry::{Absent::Required, Shape, Table},
};
use contract::{Kind, Limit, Period, Zone};
use gateway::settings::Plan;

rows! {
    PLAN_LIMITS = Plan "limits", Shape::Texts, Required, "[\"1000 per day\", \"20 per second\"]", also "limit";
    "One to eight limits, all of which apply. `1000 per day`: calendar windows (second, minute, hour, day, month) in UTC; \
     days and months can be those of a time zone, `1000 per day in Europe/Berlin`. `100 per rolling 15 minutes`: any span of \
     that length, 60 seconds to 31 days. `10 per second, burst 50`: a rate per second, minute or hour, refilled evenly, at \
     most 50 at once. `20 at once`: requests in flight, whatever they cost. `10000 in all`: never resets. Each may end in \
     ` for GROUP`: then it counts only endpoints of that `group`."
}

/// A plan and the places of its limits.
#[derive(Debug)]
pub(super) struct PlanRead {
    pub(super) plan: Plan,
    pub(super) limits: Vec<At<Limit>>,
}

pub(super) fn plans(top: &Section<'_>) -> Vec<PlanRead> {
    let sections = top.named(Table::Plan);
    if sections.is_empty() && !top.has_table(Table::Plan) {
        top.reader.fault(
            Fault::at(top.place.clone(), "there is no plan")
                .label("the file ends without `[plans.NAME]`")
                .help("every key belongs to a plan; add one such as:\n[plans.free]\nlimits = [\"1000 per day\", \"20 per second\"]")
                .of_absence(),
        );
    }
    sections.into_iter().map(|(name, section)| plan(name, &section)).collect()
}

fn plan(name: At<String>, section: &Section<'_>) -> PlanRead {
    let is_good = !name.value.is_empty()
        && name.value.len() <= 64
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !is_good {
        section.reader.fault(
            Fault::at(name.span, "invalid plan name")
                .label("expected 1 to 64 letters, digits, `-` and `_`")
                .help("it appears on command lines and in lists of keys: choose a short one such as `free`"),
        );
    }
    let limits = limits(section, &PLAN_LIMITS, Whose::Plan);
    warn_of_idle_limits(section, &name.value, &limits);
    let plan = Plan { name: name.value, limits: limits.iter().map(|limit| limit.value.clone()).collect() };
    PlanRead { plan, limits }
}

/// A limit within another that grants as little or less is never the one that denies.
fn warn_of_idle_limits(section: &Section<'_>, plan: &str, limits: &[At<Limit>]) {
    for short in limits {
        let Some(long) = limits.iter().find(|long| is_idle(&short.value, &long.value)) else { continue };
        section.reader.warn(format!(
            "line {}: in the plan `{plan}` the limit \"{}\" is never reached, because \"{}\" is smaller",
            section.reader.line(&short.span),
            short.value,
            long.value
        ));
    }
}

/// Whether each window of the one is within a window of the other, which counts at least what it counts
/// and grants no more.
fn is_idle(short: &Limit, long: &Limit) -> bool {
    let counts_as_much = long.group.is_none() || long.group == short.group;
    let is_within = match (&short.kind, &long.kind) {
        (Kind::Calendar { period, zone }, Kind::Calendar { period: longer, zone: other }) => {
            // Days of a zone need not begin with an hour of UTC.
            let is_nested = zone == other || (*period < Period::Day && *other == Zone::Utc);
            period < longer && is_nested
        }
        (Kind::Rolling { seconds }, Kind::Rolling { seconds: longer }) => seconds < longer,
        (Kind::Calendar { .. } | Kind::Rolling { .. }, Kind::Lifetime) => true,
        (
            Kind::Calendar { .. }
            | Kind::Rolling { .. }
            | Kind::Rate { .. }
            | Kind::Concurrent
            | Kind::Lifetime,
            Kind::Calendar { .. }
            | Kind::Rolling { .. }
            | Kind::Rate { .. }
            | Kind::Concurrent
            | Kind::Lifetime,
        ) => false,
    };
    counts_as_much && is_within && long.amount <= short.amount
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_idle_if_a_smaller_one_always_denies_before_it() {
        let idle = |short: &str, long: &str| {
            is_idle(&crate::limit::read(short).unwrap(), &crate::limit::read(long).unwrap())
        };
        for (short, long) in [
            ("9 per hour", "9 per day"),
            ("9 per hour for a", "8 per day"),
            ("9 per day in Asia/Kathmandu", "9 per month in Asia/Kathmandu"),
            ("9 per rolling hour", "9 per rolling 2 hours"),
            ("9 per month", "9 in all"),
            ("9 per rolling day for a", "9 in all for a"),
        ] {
            assert!(idle(short, long), "{short}, {long}");
            assert!(!idle(long, short), "{long}, {short}");
        }
        for (short, long) in [
            ("8 per hour", "9 per day"),
            ("9 per hour", "8 per day for a"),
            ("9 per hour for a", "8 per day for b"),
            ("9 per hour", "8 per day in Asia/Kathmandu"),
            ("9 per day in Asia/Kathmandu", "8 per month"),
            ("9 per day", "8 per day in Asia/Kathmandu"),
            ("9 per hour", "8 per rolling 3 hours"),
            ("9 per second, burst 9", "8 per day"),
            ("9 at once", "8 in all"),
        ] {
            assert!(!idle(short, long), "{short}, {long}");
        }
    }
}
