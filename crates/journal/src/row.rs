//! Rows and charges: the stored state of a counter, and what one response adds to counters.

use std::cmp::Ordering;

/// The owner of counters: 16 bytes of a digest.
pub type Who = [u8; 16];

/// Maximum number of counters in one charge.
pub const MOST: usize = 8;

/// The units of one counter in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// The owner of the counter.
    pub who: Who,
    /// The limit; its two lowest bits are the [`Class`].
    pub tag: u32,
    /// The number of the window; it may wrap.
    pub window: u32,
    /// Units. Sums saturate at `u32::MAX`, which is above any limit.
    pub units: u32,
}

/// The cost of one response: the same units in each of up to [`MOST`] counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The owner of the counters.
    pub who: Who,
    /// Units, in each counter.
    pub units: u32,
    counters: [(u32, u32); MOST],
    count: usize,
}

impl Charge {
    /// A charge without counters yet.
    #[must_use]
    pub fn new(who: Who, units: u32) -> Self {
        Self { who, units, counters: [(0, 0); MOST], count: 0 }
    }

    /// Adds the counter `tag` in the window `window`. False: there were [`MOST`] already, and
    /// nothing was added.
    #[must_use]
    pub fn push(&mut self, tag: u32, window: u32) -> bool {
        let Some(place) = self.counters.get_mut(self.count) else { return false };
        *place = (tag, window);
        self.count += 1;
        true
    }

    /// The counters, as pairs of tag and window.
    #[must_use]
    pub fn counters(&self) -> &[(u32, u32)] {
        self.counters.get(..self.count).unwrap_or(&[])
    }

    /// One row for each counter; none if there are no units.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let counters = if self.units == 0 { &[] } else { self.counters() };
        counters.iter().map(|&(tag, window)| Row { who: self.who, tag, window, units: self.units })
    }
}

/// How long a count is kept: the two lowest bits of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Forever.
    Lifetime,
    /// Only the newest window, for 32 days after its last write.
    Calendar,
    /// The newest window and the 17 below it, each for 32 days after its last write.
    Rolling,
    /// Only the newest window, for 30 days after its last write: a bucket may refill slowly, and
    /// its window, in milliseconds, is unambiguous for 37 days.
    Rate,
}

const DAY: u64 = 86_400;
const ROLLING_WINDOWS: u32 = 17;

impl Class {
    /// The class of a tag.
    #[must_use]
    pub fn of(tag: u32) -> Self {
        match (tag & 2 != 0, tag & 1 != 0) {
            (false, false) => Self::Lifetime,
            (false, true) => Self::Calendar,
            (true, false) => Self::Rolling,
            (true, true) => Self::Rate,
        }
    }

    /// Whether only the newest of several windows counts.
    pub(crate) fn keeps_one_window(self) -> bool {
        matches!(self, Self::Calendar | Self::Rate)
    }

    /// Whether a window still counts next to the newest one of the same counter.
    pub(crate) fn keeps(self, window: u32, newest: u32) -> bool {
        match self {
            Self::Lifetime => true,
            Self::Calendar | Self::Rate => window == newest,
            Self::Rolling => newest.wrapping_sub(window) <= ROLLING_WINDOWS,
        }
    }

    /// Whether a row that was last written at `second` has expired at `now`, both in Unix seconds.
    pub(crate) fn is_over(self, second: u64, now: u64) -> bool {
        let age = now.saturating_sub(second);
        match self {
            Self::Lifetime => false,
            Self::Calendar | Self::Rolling => age > 32 * DAY,
            Self::Rate => age > 30 * DAY,
        }
    }
}

/// Whether window `a` is newer than window `b`. Windows wrap, so their distance is compared.
pub(crate) fn is_newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

/// A row with the Unix second of its last write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) row: Row,
    /// Unix second, up to the year 2106.
    pub(crate) second: u32,
}

impl Dated {
    /// The order of rows in a checkpoint: by `who`, `tag`, `window`.
    #[inline]
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    #[inline]
    fn key(&self) -> (u128, u64) {
        let counter = (u64::from(self.row.tag) << 32) | u64::from(self.row.window);
        (u128::from_be_bytes(self.row.who), counter)
    }

    /// Whether both are windows of the same counter.
    #[inline]
    pub(crate) fn same_counter(&self, other: &Self) -> bool {
        self.row.who == other.row.who && self.row.tag == other.row.tag
    }

    /// Adds the units of another row of the same window.
    #[inline]
    pub(crate) fn add(&mut self, other: &Self) {
        self.row.units = self.row.units.saturating_add(other.row.units);
        self.second = self.second.max(other.second);
    }
}

/// A Unix second as it is stored: 32 bits.
pub(crate) fn short(second: u64) -> u32 {
    u32::try_from(second).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninth_counter_is_refused() {
        let mut charge = Charge::new([1; 16], 2);
        for tag in 0..8 {
            assert!(charge.push(tag, 7));
        }
        assert!(!charge.push(8, 7));
        assert_eq!(charge.counters().len(), MOST);
        assert_eq!(charge.rows().map(|row| row.units).sum::<u32>(), 16);
    }

    #[test]
    fn windows_wrap() {
        assert!(is_newer(3, u32::MAX));
        assert!(!is_newer(u32::MAX, 3));
        assert!(!is_newer(5, 5));
        assert!(Class::Rolling.keeps(u32::MAX, 16));
        assert!(!Class::Rolling.keeps(u32::MAX - 1, 16));
    }

    #[test]
    fn rows_are_over_after_their_days() {
        assert!(!Class::Rate.is_over(0, 30 * DAY));
        assert!(Class::Rate.is_over(0, 30 * DAY + 1));
        assert!(!Class::Calendar.is_over(0, 32 * DAY));
        assert!(Class::Rolling.is_over(0, 32 * DAY + 1));
        assert!(!Class::Lifetime.is_over(0, u64::MAX));
        // A clock that went back makes nothing expire.
        assert!(!Class::Rate.is_over(100 * DAY, DAY));
    }
}
