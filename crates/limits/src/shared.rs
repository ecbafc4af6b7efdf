//! Accounts in a cluster: what a request takes of each limit, and the state of a limit that other
//! nodes count in as well.

use crate::{
    account::Account,
    compiled::{Applying, Compiled, Limits, Rule, WordRule, rolling_frees},
    denial::Denial,
    reset::Reset,
    standing::{Seen, Standing},
};
use contract::{Limit, limit::Tag};
use std::sync::Arc;

/// The part of a request in one limit.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// Its position among the limits.
    pub position: usize,
    /// The limit.
    pub limit: &'a Limit,
    /// The ID of its counters, which is the same on all nodes.
    pub id: u64,
    /// Units.
    pub units: u32,
    /// Whether a charge remains. A place among the requests in flight is released at the end of the request.
    pub keeps_charges: bool,
}

/// The state of a limit across all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Remaining units. What other nodes hold counts as used.
    pub remaining: u32,
    /// The Unix millisecond of that state.
    pub now: u64,
}

impl Limits {
    /// What a request of this cost takes in each limit that applies.
    pub fn shares(&self, applying: Applying, cost: u32) -> impl Iterator<Item = Share<'_>> {
        self.each(applying).map(move |(position, one)| Share {
            position,
            limit: &one.limit,
            id: one.shared_id,
            units: one.units(cost),
            keeps_charges: one.keeps_charges(),
        })
    }

    /// The limit with this tag.
    pub fn of_tag(&self, tag: Tag) -> Option<&Limit> {
        self.with_tag(tag).map(|one| &one.limit)
    }
}

impl Account {
    /// Like [`Account::standings`], if other nodes count as well. `known`: the state of the limit
    /// at a position.
    pub fn shared_standings(
        &self,
        applying: Applying,
        known: impl Fn(usize) -> Known,
    ) -> impl Iterator<Item = (usize, Standing<'_>)> {
        self.limits()
            .each(applying)
            .map(move |(position, one)| (position, self.shared_standing(one, known(position))))
    }

    fn shared_standing<'a>(&self, one: &'a Compiled, known: Known) -> Standing<'a> {
        let (quota, now) = (one.quota(), known.now);
        let remaining = known.remaining.min(quota);
        let used = quota - remaining;
        let reset = match &one.rule {
            Rule::Word(_) => self.frees_at(one, used, now),
            Rule::Rolling { .. } => self.frees_at(one, 1, now),
        };
        Standing {
            limit: &one.limit,
            name: &one.name,
            quota,
            used,
            remaining,
            reset: reset.seconds_from(now),
            window_seconds: one.span(now),
        }
    }

    /// Why a request of this cost is not admitted: of the limits at these positions, which have too
    /// few units left, the one that resets last.
    pub fn shared_denial(
        &self,
        positions: impl Iterator<Item = usize>,
        cost: u32,
        known: impl Fn(usize) -> Known,
    ) -> Option<Denial> {
        let mut last: Option<(usize, u64, Reset)> = None;
        for position in positions {
            let Some((_, one)) = self.limits().each(self.limits().all()).nth(position) else { continue };
            let Known { remaining, now } = known(position);
            let reset = self.frees_at(one, one.units(cost).saturating_sub(remaining).max(1), now);
            if last.is_none_or(|(_, _, before)| reset.is_later_than(before)) {
                last = Some((position, now, reset));
            }
        }
        last.map(|(position, now, reset)| Denial {
            limits: Arc::clone(self.limits()),
            position,
            reset: reset.seconds_from(now),
            resets_at: reset.second(now),
        })
    }

    /// When this many units of what all nodes used are available again.
    fn frees_at(&self, one: &Compiled, units: u32, now: u64) -> Reset {
        match (&one.rule, self.seen(one, now)) {
            (Rule::Word(WordRule::Rate { period, .. }), _) => {
                let millis = (u64::from(units) * period.get()).div_ceil(u64::from(one.limit.amount).max(1));
                Reset::At(now + millis)
            }
            // It is unknown when other nodes used theirs. The usage of this node returns then; all
            // of it does after the whole span.
            (Rule::Rolling { seconds }, Seen::Rolling { state, .. }) if state.total() >= units => {
                rolling_frees(&state, *seconds, units)
            }
            (Rule::Rolling { seconds }, _) => Reset::At(now + u64::from(*seconds) * 1000),
            (Rule::Word(WordRule::Calendar { .. } | WordRule::Concurrent | WordRule::Lifetime), seen) => {
                seen.frees(one, units, now)
            }
        }
    }
}

#[cfg(all(test, not(feature = "loom")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests report errors by panicking")]
mod tests {
    use super::*;
    use crate::{Reservation, Seat};

    const NOW: u64 = 1_795_392_000_000 + 86_390_000;

    fn account(texts: &[&str], used: u32) -> Arc<Account> {
        let each = texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect();
        let (seat, limits) = (Seat::default(), Arc::new(Limits::new(each).unwrap()));
        if used > 0 {
            Reservation::take(&seat, &limits, None, NOW, used).unwrap().charge();
        }
        seat.account(&limits, NOW)
    }

    fn standing_of(text: &str, used: u32, remaining: u32) -> (u32, u32, Option<u64>) {
        let account = account(&[text], used);
        let known = |_| Known { remaining, now: NOW };
        let all = account.limits().all();
        let (_, standing) = account.shared_standings(all, known).next().unwrap();
        (standing.used, standing.remaining, standing.reset)
    }

    #[test]
    fn units_held_by_others_count_as_used_and_windows_end_for_all_at_once() {
        assert_eq!(standing_of("100 per day", 3, 40), (60, 40, Some(10)));
        assert_eq!(standing_of("100 per day", 0, 40), (60, 40, Some(10)));
        assert_eq!(standing_of("10 in all", 1, 2), (8, 2, None));
        assert_eq!(standing_of("10 at once", 0, 9), (1, 9, Some(1)));
        // Never more than the quota, after a limit was lowered.
        assert_eq!(standing_of("10 per day", 0, 12), (0, 10, Some(10)));
    }

    #[test]
    fn a_bucket_is_whole_again_when_all_that_is_held_has_flown_in() {
        assert_eq!(standing_of("60 per minute, burst 30", 0, 30), (0, 30, Some(1)));
        assert_eq!(standing_of("60 per minute, burst 30", 1, 10), (20, 10, Some(20)));
    }

    #[test]
    fn a_rolling_span_frees_units_by_local_counts_and_otherwise_after_its_length() {
        let (used, remaining, reset) = standing_of("100 per rolling hour", 3, 40);
        assert_eq!((used, remaining), (60, 40));
        assert!(reset.unwrap() > 3_300 && reset.unwrap() <= 3_600 + 225, "{reset:?}");
        assert_eq!(standing_of("100 per rolling hour", 0, 40), (60, 40, Some(3_600)));
    }

    #[test]
    fn of_several_limits_the_one_denies_that_resets_last() {
        let account = account(&["60 per minute, burst 60", "100 per day", "5 in all"], 0);
        let known = |position| Known { remaining: [2, 1, 9][position], now: NOW };
        let denial = account.shared_denial([0, 1].into_iter(), 4, known).unwrap();
        assert_eq!((denial.position, denial.reset), (1, Some(10)));
        let denial = account.shared_denial([0].into_iter(), 4, known).unwrap();
        assert_eq!((denial.position, denial.reset), (0, Some(2)));
        assert!(account.shared_denial([].into_iter(), 4, known).is_none());
    }

    #[test]
    fn a_request_takes_its_cost_of_each_limit_and_one_place() {
        let account = account(&["100 per day", "5 at once", "9 per hour for search"], 0);
        let limits = account.limits();
        let shares: Vec<_> =
            limits.shares(limits.applying(None), 4).map(|one| (one.units, one.keeps_charges)).collect();
        assert_eq!(shares, [(4, true), (1, false)]);
    }
}
