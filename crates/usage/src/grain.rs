//! Time buckets, and how long they are kept.

use serde::{Deserialize, Serialize};
use std::ops::Range;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The length of a bucket. Buckets are numbered from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
}

/// How long the buckets of each grain are kept after their end, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Of minutes.
    pub minutes: u64,
    /// Of hours.
    pub hours: u64,
    /// Of days.
    pub days: u64,
}

impl Grain {
    /// All grains, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The length of a bucket in seconds.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// The bucket of this second. Times after the year 10000 share the last one.
    pub fn bucket(self, time: u64) -> u32 {
        u32::try_from(time / self.seconds()).unwrap_or(u32::MAX)
    }

    /// The first second of a bucket.
    pub const fn start(self, bucket: u32) -> u64 {
        bucket as u64 * self.seconds()
    }

    /// The first second after a bucket.
    pub const fn end(self, bucket: u32) -> u64 {
        self.start(bucket) + self.seconds()
    }

    /// The buckets that overlap a span of seconds.
    pub fn buckets(self, span: Range<u64>) -> Range<u32> {
        let last = span.end.saturating_sub(1).max(span.start);
        self.bucket(span.start)..self.bucket(last).saturating_add(1)
    }

    /// Its name, in the singular.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl Retention {
    /// How long buckets of this grain are kept, in seconds.
    pub const fn of(self, grain: Grain) -> u64 {
        match grain {
            Grain::Minute => self.minutes,
            Grain::Hour => self.hours,
            Grain::Day => self.days,
        }
    }

    /// The earliest bucket of this grain that is still worth keeping at `now`.
    pub fn earliest(self, grain: Grain, now: u64) -> u32 {
        grain.bucket(now.saturating_sub(self.of(grain)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_second_is_in_its_bucket(time in 0..250_000_000_000_u64) {
            for grain in Grain::ALL {
                let bucket = grain.bucket(time);
                prop_assert!(grain.start(bucket) <= time && time < grain.end(bucket));
            }
        }

        #[test]
        fn buckets_of_a_span_cover_exactly_it(start in 0..10_000_000_000_u64, length in 1..1_000_000_u64) {
            for grain in Grain::ALL {
                let buckets = grain.buckets(start..start + length);
                prop_assert_eq!(buckets.start, grain.bucket(start));
                prop_assert_eq!(buckets.end, grain.bucket(start + length - 1) + 1);
            }
        }

        #[test]
        fn no_time_is_too_late(time: u64) {
            for grain in Grain::ALL {
                prop_assert!(grain.end(grain.bucket(time)) > 0);
                prop_assert!(!grain.buckets(time..u64::MAX).is_empty() || grain.bucket(time) == u32::MAX);
            }
        }
    }

    #[test]
    fn buckets_that_ended_before_the_retention_are_dropped() {
        let retention = Retention { minutes: 2 * HOUR, hours: 2 * DAY, days: 30 * DAY };
        let now = 100 * DAY + 30;
        assert_eq!(retention.earliest(Grain::Minute, now), Grain::Minute.bucket(now) - 120);
        assert_eq!(retention.earliest(Grain::Hour, now), Grain::Hour.bucket(now) - 48);
        assert_eq!(retention.earliest(Grain::Day, now), 70);
        assert_eq!(retention.earliest(Grain::Day, 5), 0);
    }

    #[test]
    fn an_empty_span_is_the_bucket_around_it() {
        assert_eq!(Grain::Minute.buckets(120..120), 2..3);
    }
}
