//! Counters of windows that begin in the future, which are dropped when the clock is trusted over them.

use crate::{
    compiled::{Limits, Rule, WordRule},
    reservation::Used,
    rolling::part,
};
use contract::limit::Class;

impl Limits {
    /// The rows without those whose windows begin after `now` (Unix milliseconds).
    ///
    /// Such rows were written while the clock was ahead. If kept, they would count until that time,
    /// which may be years away; whoever declares the current clock right declares them wrong.
    pub fn begun(&self, used: &[Used], now: u64) -> Vec<Used> {
        used.iter().copied().filter(|row| self.has_begun(row, now)).collect()
    }

    fn has_begun(&self, row: &Used, now: u64) -> bool {
        // The lower 32 bits of a millisecond: later means later by less than half of their range.
        let is_behind = || {
            let behind = u32::try_from(now & u64::from(u32::MAX)).unwrap_or(0).wrapping_sub(row.window);
            behind <= u32::MAX / 2
        };
        // Of a limit that no longer exists, only the class is known.
        let Some(one) = self.with_tag(row.tag) else { return row.tag.class() != Class::Rate || is_behind() };
        match &one.rule {
            Rule::Word(WordRule::Calendar { period, zone }) => row.window <= zone.index(*period, now / 1000),
            Rule::Rolling { seconds } => row.window <= part(*seconds, now),
            Rule::Word(WordRule::Rate { .. }) => is_behind(),
            Rule::Word(WordRule::Concurrent | WordRule::Lifetime) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Limit;

    #[test]
    fn windows_that_begin_later_are_dropped_and_all_others_are_kept() {
        let now: u64 = 1_795_392_000_000;
        for (text, window, has_begun) in [
            ("9 per day", 20_780, true),
            ("9 per day", 20_781, false),
            ("9 per rolling hour", part(3_600, now), true),
            ("9 per rolling hour", part(3_600, now) + 1, false),
            ("9 per second, burst 9", now as u32, true),
            ("9 per second, burst 9", (now as u32).wrapping_add(1), false),
            ("9 per second, burst 9", (now as u32).wrapping_sub(86_400_000), true),
            ("9 per second, burst 9", (now as u32).wrapping_add(86_400_000), false),
            ("9 in all", 0, true),
        ] {
            let limit = Limit::parse(text, &mut |_| None).unwrap();
            let row = Used { tag: limit.tag(), window, units: 3, second: 0 };
            let limits = Limits::new(vec![limit]).unwrap();
            let kept = limits.begun(&[row], now);
            assert_eq!(kept.len(), usize::from(has_begun), "{text} {window}");
        }
    }
}
