//! The retry budget of a service: a percentage of its requests, and a minimum rate per second.
//!
//! Without a budget, a slow upstream would get every request twice, just when it is overloaded.

use crate::settings::Retries;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Maximum number of saved retries, in thousandths.
const MAX_SAVED: u64 = 100_000;

/// The budget of a service, shared by all threads. Only retries touch it, not requests.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// Thousandths of retries in the upper half; in the lower half the number of requests they were
    /// earned by.
    saved: AtomicU64,
    /// A second in the upper half, retries within it in the lower half.
    second: AtomicU64,
}

impl Budget {
    /// Takes one retry. `sent`: requests sent so far, including retries; it may wrap around.
    pub(crate) fn take(&self, retries: &Retries, sent: u32, second: u64) -> bool {
        let per_request = u64::from(retries.budget_percent) * 10;
        let saved = |word: u64| {
            let new = u64::from(sent.wrapping_sub(word as u32));
            // A thread that read the count before another one is behind by a few, not ahead by billions.
            let new = if new > u64::from(u32::MAX / 2) { 0 } else { new };
            (word >> 32).saturating_add(new.saturating_mul(per_request)).min(MAX_SAVED)
        };
        // The retry itself will count as sent, but earns nothing.
        let from_share = |word: u64| {
            let left = saved(word).checked_sub(1000 + per_request)?;
            Some(left << 32 | u64::from(sent))
        };
        if per_request > 0 && self.saved.fetch_update(Relaxed, Relaxed, from_share).is_ok() {
            return true;
        }
        let second = second & u64::from(u32::MAX);
        let from_second = |word: u64| {
            let used = if word >> 32 == second { word & u64::from(u32::MAX) } else { 0 };
            (used < u64::from(retries.budget_min_per_second)).then_some(second << 32 | (used + 1))
        };
        let may = self.second.fetch_update(Relaxed, Relaxed, from_second).is_ok();
        if may {
            let without = |word: u64| Some(saved(word).saturating_sub(per_request) << 32 | u64::from(sent));
            let _ = self.saved.fetch_update(Relaxed, Relaxed, without);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRIES: Retries = Retries { max_retries: 2, budget_percent: 20, budget_min_per_second: 3 };

    #[test]
    fn at_most_a_fifth_and_three_a_second_are_retried() {
        let budget = Budget::default();
        let (mut came, mut again) = (0u32, 0u32);
        for second in 0..10u64 {
            for _ in 0..100 {
                came += 1;
                if budget.take(&RETRIES, came + again, second) {
                    again += 1;
                }
            }
        }
        assert!((came / 5..=came / 5 + 30).contains(&again), "{again} of {came}");
    }

    #[test]
    fn three_a_second_are_there_without_any_traffic() {
        let budget = Budget::default();
        let none = Retries { budget_percent: 0, ..RETRIES };
        for second in 7..9 {
            let taken = (0..10).filter(|_| budget.take(&none, 1, second)).count();
            assert_eq!(taken, 3);
        }
        assert!(!budget.take(
            &Retries { budget_percent: 0, budget_min_per_second: 0, max_retries: 2 },
            1_000_000,
            1
        ));
    }

    #[test]
    fn counts_that_wrap_or_come_late_grant_nothing_that_was_not_earned() {
        let budget = Budget::default();
        let rule = Retries { budget_min_per_second: 0, ..RETRIES };
        assert!(budget.take(&rule, 1000, 0));
        for _ in 0..98 {
            let _ = budget.take(&rule, 1000, 0);
        }
        assert!(!budget.take(&rule, 990, 0) && !budget.take(&rule, 1000, 0));
        let budget = Budget { saved: AtomicU64::new(u64::from(u32::MAX - 10)), ..Budget::default() };
        assert!(budget.take(&rule, 20, 0));
        assert!((0..10).filter(|_| budget.take(&rule, 20, 0)).count() < 6);
    }
}
