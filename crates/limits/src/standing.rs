//! The state of limits: what remains, and when more units are available.

use crate::{
    account::{Account, Cell},
    compiled::{Applying, Compiled, Rule, WordRule, rolling_at, rolling_frees},
    reset::Reset,
    rolling::State,
    word::Word,
};
use contract::Limit;

/// The state of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// Its name in `RateLimit-Policy`.
    pub name: &'a str,
    /// The maximum of remaining units: the amount, or for a rate the burst.
    pub quota: u32,
    /// Units used, including those in flight: more than the quota if the limit was lowered meanwhile.
    pub used: u32,
    /// Remaining units. Those in flight count as used.
    pub remaining: u32,
    /// Whole seconds until the full quota is available (for a rolling window: until some of it is),
    /// at least 1. None: never.
    pub reset: Option<u64>,
    /// The window of the quota in seconds. None: it has no time window.
    pub window_seconds: Option<u64>,
}

impl Account {
    /// The state of each limit that applies at `now` (Unix milliseconds), in the order of the plan.
    pub fn standings(&self, now: u64, applying: Applying) -> impl Iterator<Item = (usize, Standing<'_>)> {
        self.limits().each(applying).map(move |(position, one)| (position, self.standing(one, now)))
    }

    fn standing<'a>(&self, one: &'a Compiled, now: u64) -> Standing<'a> {
        let seen = self.seen(one, now);
        let used = seen.counted();
        Standing {
            limit: &one.limit,
            name: &one.name,
            quota: one.quota(),
            used,
            remaining: one.quota().saturating_sub(used),
            reset: seen.resets(one, now).seconds_from(now),
            window_seconds: one.span(now),
        }
    }

    /// The counter of a limit as of `now`.
    #[inline]
    pub(crate) fn seen<'a>(&self, one: &'a Compiled, now: u64) -> Seen<'a> {
        match (&one.rule, self.cell(one)) {
            (Rule::Word(rule), Some(Cell::Word(counter))) => {
                let word = rule.at(counter.load(), one.limit.amount, now);
                Seen::Word { rule, word, counted: rule.counted(word, one.limit.amount, now) }
            }
            (Rule::Rolling { seconds }, Some(Cell::Rolling(rolling))) => {
                Seen::Rolling { seconds: *seconds, state: rolling_at(rolling.load(), *seconds, now) }
            }
            (Rule::Word(_), Some(Cell::Rolling(_)) | None)
            | (Rule::Rolling { .. }, Some(Cell::Word(_)) | None) => Seen::Missing,
        }
    }
}

/// A snapshot of a counter.
pub(crate) enum Seen<'a> {
    Word {
        rule: &'a WordRule,
        word: Word,
        counted: u32,
    },
    Rolling {
        seconds: u32,
        state: State,
    },
    /// A limit without a counter is impossible; it would grant nothing.
    Missing,
}

impl Seen<'_> {
    /// Units that count against the quota.
    #[inline]
    pub(crate) fn counted(&self) -> u32 {
        match self {
            Self::Word { counted, .. } => *counted,
            Self::Rolling { state, .. } => state.total(),
            Self::Missing => u32::MAX,
        }
    }

    /// Units by which a request exceeds the quota. 0: it is admitted.
    #[inline]
    pub(crate) fn beyond(&self, one: &Compiled, units: u32) -> u32 {
        self.counted().saturating_add(units).saturating_sub(one.quota())
    }

    /// When the full quota is available; for a rolling window, when some of it is.
    fn resets(&self, one: &Compiled, now: u64) -> Reset {
        match self {
            Self::Word { counted, .. } => self.frees(one, *counted, now),
            Self::Rolling { seconds, state } if state.total() == 0 => {
                Reset::At(now + u64::from(*seconds) * 1000)
            }
            Self::Rolling { .. } | Self::Missing => self.frees(one, 1, now),
        }
    }

    /// When at least `units` fewer count.
    pub(crate) fn frees(&self, one: &Compiled, units: u32, now: u64) -> Reset {
        match self {
            Self::Word { rule, word, .. } => rule.frees(*word, one.limit.amount, units, now),
            Self::Rolling { seconds, state } => rolling_frees(state, *seconds, units),
            Self::Missing => Reset::Unknown,
        }
    }
}
