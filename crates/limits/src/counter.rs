//! One counter: how much of one limit's present window is taken, and how much of that is used.
//!
//! Both are one 64-bit word each: the index of the window in the upper half, the units in the
//! lower. A word of an older window counts as zero, so a window begins without anybody resetting it.

use std::sync::atomic::{AtomicU64, Ordering};

/// A window's index and units in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) window: u32,
    pub(crate) units: u32,
}

/// `taken` = reserved + used; `used` = charged. Used lags behind taken by what is in flight.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    taken: AtomicU64,
    used: AtomicU64,
}

/// The lease is exhausted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Word {
    const fn pack(self) -> u64 {
        ((self.window as u64) << 32) | self.units as u64
    }

    const fn unpack(word: u64) -> Self {
        // Both casts cut on purpose: they take the halves apart.
        Self { window: (word >> 32) as u32, units: word as u32 }
    }

    /// The word as seen in the window of the present: an older one is empty, and a clock that
    /// stepped back stays in the newest window that was seen.
    const fn at(self, window: u32) -> Self {
        if self.window < window { Self { window, units: 0 } } else { self }
    }
}

impl Counter {
    /// A counter in which `used` units of a window are charged already.
    pub(crate) fn restored(used: Word) -> Self {
        Self { taken: AtomicU64::new(used.pack()), used: AtomicU64::new(used.pack()) }
    }

    /// What is taken, in `window` or in the newer one that was seen already.
    pub(crate) fn taken(&self, window: u32) -> Word {
        Word::unpack(self.taken.load(Ordering::Relaxed)).at(window)
    }

    /// What is charged, in the window it was charged in.
    pub(crate) fn used(&self) -> Word {
        Word::unpack(self.used.load(Ordering::Relaxed))
    }

    /// Takes `cost` units if the lease allows it, and tells the window they were taken in.
    pub(crate) fn take(&self, window: u32, cost: u32, lease: u32) -> Result<u32, Exhausted> {
        let mut seen = self.taken.load(Ordering::Relaxed);
        loop {
            let now = Word::unpack(seen).at(window);
            let units = now.units.checked_add(cost).filter(|&units| units <= lease).ok_or(Exhausted)?;
            let next = Word { window: now.window, units }.pack();
            match self.taken.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(now.window),
                Err(other) => seen = other,
            }
        }
    }

    /// Gives `cost` units back, unless their window has passed.
    pub(crate) fn give_back(&self, window: u32, cost: u32) {
        let mut seen = self.taken.load(Ordering::Relaxed);
        loop {
            let now = Word::unpack(seen);
            if now.window != window {
                return;
            }
            let next = Word { window, units: now.units.saturating_sub(cost) }.pack();
            match self.taken.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => seen = other,
            }
        }
    }

    /// Turns `cost` taken units into used ones, unless their window has passed.
    pub(crate) fn charge(&self, window: u32, cost: u32) {
        let mut seen = self.used.load(Ordering::Relaxed);
        loop {
            let now = Word::unpack(seen).at(window);
            if now.window != window {
                return;
            }
            let next = Word { window, units: now.units.saturating_add(cost) }.pack();
            match self.used.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => seen = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_give_back_after_the_window_touches_nothing() {
        let counter = Counter::default();
        assert_eq!(counter.take(1, 3, 10), Ok(1));
        assert_eq!(counter.take(2, 4, 10), Ok(2));
        counter.give_back(1, 3);
        counter.charge(1, 3);
        assert_eq!(counter.taken(2), Word { window: 2, units: 4 });
        assert_eq!(counter.used().units, 3);
        counter.charge(2, 4);
        assert_eq!(counter.used(), Word { window: 2, units: 4 });
        counter.charge(1, 3);
        assert_eq!(counter.used(), Word { window: 2, units: 4 });
    }

    #[test]
    fn a_clock_that_steps_back_stays_in_the_newest_window() {
        let counter = Counter::default();
        assert_eq!(counter.take(5, 10, 10), Ok(5));
        assert_eq!(counter.take(4, 1, 10), Err(Exhausted));
        assert_eq!(counter.taken(4), Word { window: 5, units: 10 });
    }

    #[test]
    fn the_largest_lease_does_not_overflow() {
        let counter = Counter::default();
        assert_eq!(counter.take(u32::MAX, u32::MAX, u32::MAX), Ok(u32::MAX));
        assert_eq!(counter.take(u32::MAX, 1, u32::MAX), Err(Exhausted));
    }
}
