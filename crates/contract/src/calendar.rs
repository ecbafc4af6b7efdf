//! The days and months of a time zone: which one contains an instant, when it begins and ends.
//!
//! A [`Calendar`] is created once from a time zone database; after that a day is looked up in
//! constant time, without the rules of any zone.

use crate::window::{Period, first_day_of_month, month_index};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

#[cfg(test)]
mod tests;

/// The time zone of a calendar window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Zone {
    /// Coordinated universal time: a day begins at 00:00 UTC.
    Utc,
    /// A named time zone.
    Named(Arc<Calendar>),
}

/// The days of a time zone: the Unix second at which each begins. Compared by name.
#[derive(Clone)]
pub struct Calendar {
    name: Box<str>,
    /// Index: days since 1970-01-01 in the zone. Never decreases.
    days: Box<[u32]>,
}

impl Calendar {
    /// The number of days in a complete table: from 1970-01-01 to the end of 32 bits, 2106-02-07.
    pub const DAYS: u32 = 49_711;

    /// A zone with this name, whose days since 1970-01-01 begin at these Unix seconds.
    ///
    /// Day 0 also contains everything before it. A day that the zone skipped begins together with
    /// the next one, has no length and is never found. A start before that of an earlier day (a
    /// zone that repeated a day) counts as equal to it, so that no window begins twice. After the
    /// end of the table, days have 24 hours.
    pub fn new(name: &str, mut day_starts: Vec<u32>) -> Self {
        if day_starts.is_empty() {
            day_starts.push(0);
        }
        let mut latest = 0;
        for (day, start) in day_starts.iter_mut().enumerate() {
            latest = if day == 0 { 0 } else { latest.max(*start) };
            *start = latest;
        }
        Self { name: name.into(), days: day_starts.into_boxed_slice() }
    }

    /// The zone's name, such as `Europe/Berlin`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day (since 1970-01-01 in the zone) of this Unix second.
    pub fn day(&self, now: u64) -> u32 {
        // No zone is a whole day from UTC for long, so one of three days is right unless the table
        // is invalid.
        let near = u32::try_from(now / 86_400).unwrap_or(u32::MAX);
        for day in [near, near.saturating_add(1), near.saturating_sub(1)] {
            if self.day_start(day) <= now && now < self.day_start(day.saturating_add(1)) {
                return day;
            }
        }
        let begun = self.days.partition_point(|&start| u64::from(start) <= now);
        if begun < self.days.len() {
            return u32::try_from(begun.saturating_sub(1)).unwrap_or(u32::MAX);
        }
        let (last, start) = self.last();
        u32::try_from(u64::from(last) + (now - start.min(now)) / 86_400).unwrap_or(u32::MAX)
    }

    /// The Unix second at which a day (since 1970-01-01 in the zone) begins.
    pub fn day_start(&self, day: u32) -> u64 {
        let found = usize::try_from(day).ok().and_then(|day| self.days.get(day));
        match found {
            Some(&start) => u64::from(start),
            None => {
                let (last, start) = self.last();
                start + u64::from(day.saturating_sub(last)) * 86_400
            }
        }
    }

    fn last(&self) -> (u32, u64) {
        let last = u32::try_from(self.days.len().saturating_sub(1)).unwrap_or(u32::MAX);
        (last, self.days.last().map_or(0, |&start| u64::from(start)))
    }
}

impl Zone {
    /// The zone's name: `UTC`, `Europe/Berlin`.
    pub fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Named(calendar) => calendar.name(),
        }
    }

    /// Index of the window of `now` (Unix seconds). It increases by one from window to window,
    /// except for a day that the zone skipped.
    #[inline]
    pub fn index(&self, period: Period, now: u64) -> u32 {
        match (self, period) {
            (Self::Utc, _) | (_, Period::Second | Period::Minute | Period::Hour) => period.index(now),
            (Self::Named(calendar), Period::Day) => calendar.day(now),
            (Self::Named(calendar), Period::Month) => {
                u32::try_from(month_index(u64::from(calendar.day(now)))).unwrap_or(u32::MAX)
            }
        }
    }

    /// The first Unix second of the window with this index.
    pub fn start(&self, period: Period, index: u32) -> u64 {
        match (self, period) {
            (Self::Utc, _) | (_, Period::Second | Period::Minute | Period::Hour) => period.start(index),
            (Self::Named(calendar), Period::Day) => calendar.day_start(index),
            (Self::Named(calendar), Period::Month) => {
                let day = first_day_of_month(u64::from(index));
                calendar.day_start(u32::try_from(day).unwrap_or(u32::MAX))
            }
        }
    }

    /// The Unix second at which the window with this index ends.
    pub fn end(&self, period: Period, index: u32) -> u64 {
        self.start(period, index.saturating_add(1))
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Calendar {}

impl Hash for Calendar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Only the name: the days are a table of 50,000 numbers.
impl fmt::Debug for Calendar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Calendar({})", self.name)
    }
}
