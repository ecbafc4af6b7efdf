//! How limits stand: what is left, and when more comes back.

use crate::{
    account::{Account, Cell},
    compiled::{Applying, Compiled, Reset, Rule, rolling_at, rolling_frees},
};
use contract::Limit;

/// How one limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// What it is called in `RateLimit-Policy`.
    pub name: &'a str,
    /// The most units that can be left: the amount, of a rate the burst.
    pub quota: u32,
    /// Units left. What is in flight counts as used.
    pub remaining: u32,
    /// Whole seconds until the quota is whole again (of a rolling window: until some of it comes back), at
    /// least 1. None: it never is.
    pub reset: Option<u64>,
    /// Seconds over which the quota is counted. None: it is not counted over time.
    pub window_seconds: Option<u64>,
}

impl Account {
    /// How each limit that applies stands at `now` (Unix milliseconds), in the order of the plan.
    pub fn standings(&self, now: u64, applying: Applying) -> impl Iterator<Item = (usize, Standing<'_>)> {
        self.limits().each(applying).map(move |(position, one)| (position, self.standing(one, now)))
    }

    fn standing<'a>(&self, one: &'a Compiled, now: u64) -> Standing<'a> {
        let (counted, reset) = self.counted(one, None, now);
        Standing {
            limit: &one.limit,
            name: &one.name,
            quota: one.quota(),
            remaining: one.quota().saturating_sub(counted),
            reset: reset.seconds_from(now),
            window_seconds: one.span(now),
        }
    }

    /// What counts against a limit at `now`, and when so much of it comes back that `units` fit. None:
    /// when the quota is whole again.
    pub(crate) fn counted(&self, one: &Compiled, units: Option<u32>, now: u64) -> (u32, Reset) {
        let missing =
            |counted: u32| units.map(|units| counted.saturating_add(units).saturating_sub(one.quota()));
        match (&one.rule, self.cell(one)) {
            (Rule::Word(rule), Some(Cell::Word(counter))) => {
                let word = rule.at(counter.load(), one.limit.amount, now);
                let counted = rule.counted(word, one.limit.amount, now);
                (counted, rule.frees(word, one.limit.amount, missing(counted).unwrap_or(counted), now))
            }
            (Rule::Rolling { seconds }, Some(Cell::Rolling(rolling))) => {
                let state = rolling_at(rolling.load(), *seconds, now);
                let counted = state.total();
                let reset = match (counted, units) {
                    (0, _) => Reset::At(now + u64::from(*seconds) * 1000),
                    (1.., None) => rolling_frees(&state, *seconds, 1),
                    (1.., Some(_)) => rolling_frees(&state, *seconds, missing(counted).unwrap_or(1)),
                };
                (counted, reset)
            }
            // A limit without its counter cannot be; if it were, it would grant nothing.
            (Rule::Word(_), Some(Cell::Rolling(_)) | None)
            | (Rule::Rolling { .. }, Some(Cell::Word(_)) | None) => (u32::MAX, Reset::Unknown),
        }
    }
}
