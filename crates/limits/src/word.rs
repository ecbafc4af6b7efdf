//! A counter: a window and the units reserved or used in it, in one 64-bit word.
//!
//! The upper half is the window, the lower half the units. A word of an older window counts as
//! empty, so a window begins without a reset. The top bit of the units is a flag: the word is
//! *frozen*, its account was replaced, and it never changes again.

use crate::slot::{AtomicU64, Ordering};

const FROZEN: u64 = 1 << 31;

/// A window and units in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Word {
    pub(crate) window: u32,
    pub(crate) units: u32,
}

/// A word shared by many threads.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// Why a word was not changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// There are not enough units.
    Exhausted,
    /// The account was replaced.
    Frozen,
}

/// The account of this word was replaced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frozen;

/// Whether `window` comes after `other`. They wrap around, so the shorter distance decides.
pub(crate) const fn is_after(window: u32, other: u32) -> bool {
    (window.wrapping_sub(other) as i32) > 0
}

impl Word {
    const fn pack(self) -> u64 {
        ((self.window as u64) << 32) | self.units as u64
    }

    const fn unpack(word: u64) -> Self {
        // Both casts truncate on purpose: they extract the halves.
        Self { window: (word >> 32) as u32, units: (word & !FROZEN) as u32 }
    }

    /// The word as of `window`: an older one is empty, and in a newer one, which occurs after a
    /// step of the clock back or for a late request, counting continues. That also holds if
    /// everything in it was released: the earlier window was used by others.
    pub(crate) const fn at(self, window: u32) -> Self {
        if self.is_new() || is_after(window, self.window) { Self { window, units: 0 } } else { self }
    }

    /// Whether nothing was ever counted, so that it belongs to any window: windows wrap around, and
    /// half of them would be before window 0.
    pub(crate) const fn is_new(self) -> bool {
        self.window == 0 && self.units == 0
    }
}

impl Counter {
    pub(crate) fn new(word: Word) -> Self {
        Self(AtomicU64::new(word.pack()))
    }

    /// The current word, frozen or not.
    pub(crate) fn load(&self) -> Word {
        // Relaxed everywhere: each decision depends on a single word, and the content of a frozen
        // one was written by the read-modify-write that froze it or by an earlier one.
        Word::unpack(self.0.load(Ordering::Relaxed))
    }

    /// Replaces the word by the result of `change`, and returns the new one.
    ///
    /// `change` may be called more than once, each time with the latest word; None keeps it.
    #[inline]
    pub(crate) fn change(&self, change: impl Fn(Word) -> Option<Word>) -> Result<Word, NotTaken> {
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            if seen & FROZEN != 0 {
                return Err(NotTaken::Frozen);
            }
            let next = change(Word::unpack(seen)).ok_or(NotTaken::Exhausted)?;
            match self.0.compare_exchange_weak(seen, next.pack(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(next),
                Err(other) => seen = other,
            }
        }
    }

    /// Releases `units` of `window`, unless that window has ended.
    pub(crate) fn give_back(&self, window: u32, units: u32) -> Result<(), Frozen> {
        let given = self.change(|word| {
            let is_there = word.window == window;
            is_there.then_some(Word { window, units: word.units.saturating_sub(units) })
        });
        match given {
            Ok(_) | Err(NotTaken::Exhausted) => Ok(()),
            Err(NotTaken::Frozen) => Err(Frozen),
        }
    }

    /// Freezes the word, so that it never changes again, and returns it. Freezing it again has no effect.
    pub(crate) fn freeze(&self) -> Word {
        Word::unpack(self.0.fetch_or(FROZEN, Ordering::Relaxed))
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    fn take(counter: &Counter, window: u32, units: u32, lease: u32) -> Result<u32, NotTaken> {
        let taken = counter.change(|word| {
            let word = word.at(window);
            let units = word.units.checked_add(units).filter(|&units| units <= lease)?;
            Some(Word { units, ..word })
        });
        taken.map(|word| word.window)
    }

    #[test]
    fn a_give_back_after_the_window_touches_nothing() {
        let counter = Counter::default();
        assert_eq!(take(&counter, 1, 3, 10), Ok(1));
        assert_eq!(take(&counter, 2, 4, 10), Ok(2));
        counter.give_back(1, 3).unwrap();
        assert_eq!(counter.load(), Word { window: 2, units: 4 });
        counter.give_back(2, 4).unwrap();
        assert_eq!(counter.load(), Word { window: 2, units: 0 });
    }

    #[test]
    fn a_clock_that_steps_back_stays_in_the_newest_window() {
        let counter = Counter::default();
        assert_eq!(take(&counter, 5, 10, 10), Ok(5));
        assert_eq!(take(&counter, 4, 1, 10), Err(NotTaken::Exhausted));
        assert_eq!(counter.load().at(4), Word { window: 5, units: 10 });
    }

    #[test]
    fn windows_may_wrap_around_and_a_new_word_is_of_any_window() {
        let counter = Counter::default();
        assert_eq!(take(&counter, u32::MAX - 1, 3, 3), Ok(u32::MAX - 1));
        assert_eq!(take(&counter, 2, 3, 3), Ok(2));
        assert_eq!(take(&counter, u32::MAX, 1, 3), Err(NotTaken::Exhausted));
        for window in [1, u32::MAX / 2, u32::MAX / 2 + 2, u32::MAX] {
            assert_eq!(Word::default().at(window), Word { window, units: 0 });
        }
    }

    #[test]
    fn a_word_that_was_emptied_does_not_go_back_to_a_window_that_is_used_up() {
        let counter = Counter::default();
        assert_eq!(take(&counter, 8, 3, 3), Ok(8));
        assert_eq!(take(&counter, 9, 1, 3), Ok(9));
        counter.give_back(9, 1).unwrap();
        assert_eq!(take(&counter, 8, 3, 3), Ok(9));
        assert_eq!(take(&counter, 8, 1, 3), Err(NotTaken::Exhausted));
    }

    #[test]
    fn the_largest_lease_does_not_overflow_into_the_mark() {
        let largest = contract::Limit::LARGEST;
        let counter = Counter::default();
        assert_eq!(take(&counter, u32::MAX, largest, largest), Ok(u32::MAX));
        assert_eq!(take(&counter, u32::MAX, 1, largest), Err(NotTaken::Exhausted));
        assert_eq!(counter.load().units, largest);
    }

    #[test]
    fn a_frozen_word_keeps_its_value_and_refuses() {
        let counter = Counter::new(Word { window: 7, units: 3 });
        assert_eq!(counter.freeze(), Word { window: 7, units: 3 });
        assert_eq!(counter.freeze(), Word { window: 7, units: 3 });
        assert_eq!(take(&counter, 8, 1, 10), Err(NotTaken::Frozen));
        assert_eq!(counter.give_back(7, 1), Err(Frozen));
        assert_eq!(counter.load(), Word { window: 7, units: 3 });
    }
}
