//! When an exhausted limit has units again.

/// When a limit has units again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reset {
    /// At this Unix millisecond.
    At(u64),
    /// When a request in flight ends, which cannot be predicted.
    Unknown,
    /// Never.
    Never,
}

impl Reset {
    /// Whole seconds from `now`, rounded up and at least 1: a client that reads 0 would retry at
    /// once. None: never.
    pub(crate) fn seconds_from(self, now: u64) -> Option<u64> {
        Some(self.millis(now)?.saturating_sub(now).div_ceil(1000).max(1))
    }

    /// The Unix second at which it occurs. None: never.
    pub(crate) fn second(self, now: u64) -> Option<u64> {
        Some(self.millis(now)?.div_ceil(1000))
    }

    /// Whether it occurs after another one.
    pub(crate) fn is_later_than(self, other: Self) -> bool {
        match (self.millis(0), other.millis(0)) {
            (None, other) => other.is_some(),
            (Some(_), None) => false,
            (Some(one), Some(other)) => one > other,
        }
    }

    fn millis(self, now: u64) -> Option<u64> {
        match self {
            Self::At(millis) => Some(millis),
            // Some request in flight must end; a retry after a second is cheap and soon enough.
            Self::Unknown => Some(now + 1000),
            Self::Never => None,
        }
    }
}
