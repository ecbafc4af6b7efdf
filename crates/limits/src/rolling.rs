//! A rolling window: at most N units in any span of its length.
//!
//! The span is counted in slices of a sixteenth. Seventeen are kept, the current one and the
//! sixteen before it, which together cover at least the whole span: so never more than N are
//! granted within any span, and used units return at most a sixteenth of the span late. That does
//! not fit one word, so the state is an immutable value that is replaced: every step is a function
//! from one state to the next.

use crate::{
    slot::Slot,
    word::{Frozen, NotTaken, is_after},
};
use std::sync::Arc;

/// Slices that are kept.
const PARTS: u32 = 17;

/// The counts of one rolling window.
#[derive(Debug)]
pub(crate) struct Rolling(Slot<State>);

/// Units in the newest slice and the sixteen before it. The units of slice p are at index p mod 17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    newest: u32,
    is_frozen: bool,
    units: [u32; PARTS as usize],
}

/// Milliseconds of a slice of a span of this many seconds, rounded up.
pub(crate) const fn part_millis(seconds: u32) -> u64 {
    (seconds as u64 * 1000).div_ceil(PARTS as u64 - 1)
}

/// The slice of a span of this many seconds at `now` (Unix milliseconds).
pub(crate) fn part(seconds: u32, now: u64) -> u32 {
    // The shortest span has slices of almost four seconds, so this fits until the year 2480.
    u32::try_from(now / part_millis(seconds)).unwrap_or(u32::MAX)
}

/// The Unix millisecond at which nothing of a span of this many seconds counts any more.
pub(crate) fn ends_at(state: &State, seconds: u32) -> u64 {
    u64::from(state.newest.saturating_add(PARTS)) * part_millis(seconds)
}

impl State {
    /// The state as of slice `now`: what is older than sixteen slices is dropped.
    pub(crate) fn at(mut self, now: u32) -> Self {
        let passed = if is_after(now, self.newest) { now.wrapping_sub(self.newest) } else { 0 };
        for step in 1..=passed.min(PARTS) {
            *self.place(self.newest.wrapping_add(step)) = 0;
        }
        if passed >= PARTS {
            self.units = [0; PARTS as usize];
        }
        self.newest = self.newest.wrapping_add(passed);
        self
    }

    /// Units that currently count.
    pub(crate) fn total(&self) -> u32 {
        self.units.iter().fold(0, |total: u32, units| total.saturating_add(*units))
    }

    /// The slice at whose end `total()` has decreased by at least `units`. None: nothing is counted.
    pub(crate) fn part_that_frees(&self, units: u32) -> Option<u32> {
        let mut freed: u32 = 0;
        let oldest = self.newest.wrapping_sub(PARTS - 1);
        (0..PARTS).map(|step| oldest.wrapping_add(step)).find(|&part| {
            freed = freed.saturating_add(self.units_of(part));
            freed >= units
        })
    }

    fn take(self, now: u32, units: u32, lease: u32) -> Option<Self> {
        let mut next = self.at(now);
        next.total().checked_add(units).filter(|&total| total <= lease)?;
        *next.place(next.newest) += units;
        Some(next)
    }

    fn give_back(mut self, part: u32, units: u32) -> Self {
        if !is_after(part, self.newest) && self.newest.wrapping_sub(part) < PARTS {
            let place = self.place(part);
            *place = place.saturating_sub(units);
        }
        self
    }

    /// Adds usage of a slice; slices may come in any order.
    pub(crate) fn restore(self, part: u32, units: u32) -> Self {
        let mut next =
            if self.total() == 0 { Self { newest: part, ..Self::default() } } else { self.at(part) };
        if next.newest.wrapping_sub(part) < PARTS {
            let place = next.place(part);
            *place = place.saturating_add(units);
        }
        next
    }

    fn units_of(&self, part: u32) -> u32 {
        self.units.get((part % PARTS) as usize).copied().unwrap_or_default()
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder of the length is within the length")]
    fn place(&mut self, part: u32) -> &mut u32 {
        &mut self.units[(part % PARTS) as usize]
    }
}

impl Rolling {
    pub(crate) fn new(state: State) -> Self {
        Self(Slot::new(Some(Arc::new(state))))
    }

    /// The current counts, frozen or not.
    pub(crate) fn load(&self) -> State {
        let state = self.0.look(|state| state.copied().unwrap_or_default());
        State { is_frozen: false, ..state }
    }

    /// Takes units if the lease allows it, and returns their slice.
    pub(crate) fn take(&self, now: u32, units: u32, lease: u32) -> Result<u32, NotTaken> {
        self.change(|state| state.take(now, units, lease)).map(|state| state.newest)
    }

    /// Releases units of a slice, unless it no longer counts.
    pub(crate) fn give_back(&self, part: u32, units: u32) -> Result<(), Frozen> {
        match self.change(|state| Some(state.give_back(part, units))) {
            Ok(_) | Err(NotTaken::Exhausted) => Ok(()),
            Err(NotTaken::Frozen) => Err(Frozen),
        }
    }

    /// Freezes the state, so that it never changes again, and returns it.
    pub(crate) fn freeze(&self) -> State {
        loop {
            let seen = self.0.load();
            let state = seen.as_deref().copied().unwrap_or_default();
            let frozen = Arc::new(State { is_frozen: true, ..state });
            if state.is_frozen || self.0.swap_if(seen.as_ref(), Some(frozen)) {
                return state;
            }
        }
    }

    fn change(&self, change: impl Fn(State) -> Option<State>) -> Result<State, NotTaken> {
        loop {
            let seen = self.0.load();
            let state = seen.as_deref().copied().unwrap_or_default();
            if state.is_frozen {
                return Err(NotTaken::Frozen);
            }
            let next = change(state).ok_or(NotTaken::Exhausted)?;
            if next == state || self.0.swap_if(seen.as_ref(), Some(Arc::new(next))) {
                return Ok(next);
            }
        }
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn units_count_for_sixteen_parts_after_their_own() {
        let rolling = Rolling::new(State::default());
        assert_eq!(rolling.take(100, 3, 3), Ok(100));
        for part in 100..=116 {
            assert_eq!(rolling.take(part, 1, 3), Err(NotTaken::Exhausted), "{part}");
        }
        assert_eq!(rolling.take(117, 1, 3), Ok(117));
        assert_eq!(rolling.load().at(117).total(), 1);
        assert_eq!(rolling.load().at(200).total(), 0);
    }

    #[test]
    fn a_give_back_reaches_its_own_part_only_while_it_counts() {
        let rolling = Rolling::new(State::default());
        rolling.take(10, 2, 5).unwrap();
        rolling.take(20, 2, 5).unwrap();
        rolling.give_back(10, 1).unwrap();
        assert_eq!(rolling.load().total(), 3);
        rolling.take(27, 2, 5).unwrap(); // slice 10 is gone, slice 27 has its place in the ring
        rolling.give_back(10, 1).unwrap();
        assert_eq!(rolling.load().total(), 4);
    }

    #[test]
    fn the_part_that_frees_is_the_oldest_that_suffices() {
        let state = State::default().restore(30, 2).restore(35, 4).restore(20, 1);
        assert_eq!(state.total(), 7);
        assert_eq!(state.part_that_frees(1), Some(20));
        assert_eq!(state.part_that_frees(3), Some(30));
        assert_eq!(state.part_that_frees(4), Some(35));
        assert_eq!(state.part_that_frees(8), None);
        // What is too old is not restored.
        assert_eq!(state.restore(18, 9).total(), 7);
    }

    #[test]
    fn a_clock_that_steps_back_counts_in_the_newest_part() {
        let rolling = Rolling::new(State::default());
        assert_eq!(rolling.take(50, 1, 5), Ok(50));
        assert_eq!(rolling.take(40, 1, 5), Ok(50));
        assert_eq!(rolling.load().total(), 2);
    }

    #[test]
    fn a_frozen_state_refuses() {
        let rolling = Rolling::new(State::default());
        rolling.take(1, 1, 5).unwrap();
        assert_eq!(rolling.freeze().total(), 1);
        assert_eq!(rolling.freeze().total(), 1);
        assert_eq!(rolling.take(1, 1, 5), Err(NotTaken::Frozen));
        assert_eq!(rolling.give_back(1, 1), Err(Frozen));
    }
}
