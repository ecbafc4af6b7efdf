//! How limits stand: what is left, and when more comes back.

use crate::{
    account::{Account, Cell},
    compiled::{Applying, Compiled, Rule, WordRule, rolling_at, rolling_frees},
    reset::Reset,
    rolling::State,
    word::Word,
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
    /// Units used, what is in flight included: more than the quota if the limit was lowered meanwhile.
    pub used: u32,
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

    /// The counter of a limit as it stands at `now`.
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

/// What one look at a counter found.
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
    /// A limit without its counter cannot be; if it were, it would grant nothing.
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

    /// Units by which a request goes beyond the quota. 0: it is admitted.
    #[inline]
    pub(crate) fn beyond(&self, one: &Compiled, units: u32) -> u32 {
        self.counted().saturating_add(units).saturating_sub(one.quota())
    }

    /// When the quota is whole again; of a rolling window, when some of it comes back.
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
