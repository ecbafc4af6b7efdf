//! The arithmetic of calendar windows: which window contains an instant, and when it ends.
//!
//! Times are whole seconds since the Unix epoch, UTC. Every window has an index that increases by
//! one from window to window, so a later window has a larger number.

/// The calendar period of a limit. Its windows are aligned to UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// One second.
    Second,
    /// 60 seconds, from second 0.
    Minute,
    /// 60 minutes, from minute 0.
    Hour,
    /// 24 hours, from 00:00 UTC.
    Day,
    /// A calendar month, from its first day at 00:00 UTC.
    Month,
}

impl Period {
    /// Every period, from the shortest to the longest.
    pub const ALL: [Self; 5] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// The word used in `"1000 per day"`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Index of the window of `now` (seconds since the epoch).
    ///
    /// 32 bits suffice for every window until the year 2106, including those of one second.
    #[inline]
    pub fn index(self, now: u64) -> u32 {
        let index = match self {
            Self::Second => now,
            Self::Minute => now / 60,
            Self::Hour => now / 3_600,
            Self::Day => now / 86_400,
            Self::Month => month_index(now / 86_400),
        };
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The first second of the window with this index.
    pub fn start(self, index: u32) -> u64 {
        let index = u64::from(index);
        match self {
            Self::Second => index,
            Self::Minute => index * 60,
            Self::Hour => index * 3_600,
            Self::Day => index * 86_400,
            Self::Month => first_day_of_month(index) * 86_400,
        }
    }

    /// The second at which the window with this index ends.
    pub fn end(self, index: u32) -> u64 {
        self.start(index.saturating_add(1))
    }

    /// Whole seconds from `now` until the window with this index ends, at least 1.
    ///
    /// At least 1 even if the clock went backwards or the window has just ended, because a client
    /// that reads 0 would retry at once.
    pub fn seconds_left(self, index: u32, now: u64) -> u64 {
        self.end(index).saturating_sub(now).max(1)
    }

    /// The length in seconds of the window with this index.
    pub fn seconds(self, index: u32) -> u64 {
        self.end(index).saturating_sub(self.start(index))
    }
}

/// Months since January 1970 of a day (days since the epoch).
///
/// Years are counted from 1 March, so that the leap day is the last day of its year and months
/// follow a fixed pattern. The algorithm is that of Neri and Schneider, "Euclidean affine functions
/// and their application to calendar algorithms" (2023), which multiplies instead of dividing: half
/// the instructions.
// Not inlined: mostly only the day is needed, and if the compiler sees both it computes both.
#[inline(never)]
pub(crate) fn month_index(day: u64) -> u64 {
    let quarters = 4 * (day + 719_468) + 3; // of days since 0000-03-01
    let (century, day_of_century) = (quarters / 146_097, quarters % 146_097 / 4);
    let years = 2_939_745 * (4 * day_of_century + 3); // of the century, times 2^32
    let (year, day_of_year) = (100 * century + (years >> 32), (years & u64::from(u32::MAX)) / 2_939_745 / 4);
    let month = (2_141 * day_of_year + 197_913) >> 16; // March is 3, February 14
    (year * 12 + month - 1) - 1970 * 12
}

/// The first day (days since the epoch) of a month (months since January 1970).
pub(crate) fn first_day_of_month(index: u64) -> u64 {
    let months = index + 1970 * 12 - 2; // since March of year 0
    let (year, month_from_march) = (months / 12, months % 12);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * month_from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const YEAR_2100: u64 = 4_102_444_800;

    proptest! {
        #[test]
        fn an_instant_is_in_its_own_window(now in 0..YEAR_2100) {
            for period in Period::ALL {
                let index = period.index(now);
                prop_assert!(period.start(index) <= now && now < period.end(index));
                prop_assert_eq!(period.index(period.end(index)), index + 1);
                prop_assert!((1..=period.seconds(index)).contains(&period.seconds_left(index, now)));
            }
        }

        #[test]
        fn months_are_those_of_a_calendar_library(now in 0..YEAR_2100) {
            let date = jiff::Timestamp::from_second(now as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
            let index = Period::Month.index(now);
            prop_assert_eq!(i64::from(index), (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1);
            let first = date.first_of_month().to_zoned(jiff::tz::TimeZone::UTC).unwrap();
            prop_assert_eq!(Period::Month.start(index) as i64, first.timestamp().as_second());
        }
    }

    #[test]
    fn the_reset_is_never_zero_even_when_the_clock_went_past_the_window() {
        for period in Period::ALL {
            assert_eq!(period.seconds_left(0, period.end(0) + 10), 1);
            assert_eq!(period.seconds_left(0, period.end(0)), 1);
        }
    }

    #[test]
    fn the_reset_is_what_is_left_of_the_window() {
        assert_eq!(Period::Minute.seconds_left(2, 120), 60);
        assert_eq!(Period::Minute.seconds_left(2, 179), 1);
        assert_eq!(Period::Day.seconds_left(0, 80_000), 6_400);
    }

    #[test]
    fn each_day_of_six_centuries_is_in_its_month() {
        let (mut day, mut index) = (0, 0);
        for year in 1970..2570 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for length in [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                assert_eq!(first_day_of_month(index), day, "{year}");
                assert!((day..day + length).all(|day| month_index(day) == index), "{year}");
                (day, index) = (day + length, index + 1);
            }
        }
    }

    #[test]
    fn a_leap_year_has_its_day() {
        let march_2028 = 1_835_481_600; // 2028-03-01T00:00:00Z
        let february = Period::Month.index(march_2028 - 1);
        assert_eq!(Period::Month.seconds(february), 29 * 86_400);
        assert_eq!(Period::Month.end(february), march_2028);
    }
}
