//! What is counted: one limit of one key in one slice of time. The arithmetic of slices; no state.

/// Milliseconds of the ledger's clock, since the Unix epoch.
pub type Millis = u64;

/// By how much the clocks of two ledgers may differ of which one takes over from the other, in milliseconds. That long after
/// its end a slice is kept on both sides, so that nothing is granted a second time.
pub const GRACE: Millis = 5_000;

/// How far ahead of the ledger's clock a slice may begin that is asked for, in milliseconds.
pub const AHEAD: Millis = 1_000;

/// Units that flow in within so many milliseconds come before any that are called back.
pub const FLOWS_IN_SOON: Millis = 100;

/// For how long the ledger keeps places of a limit at once that are not renewed, in milliseconds.
pub const PLACE_TTL: Millis = 30_000;

/// How much earlier a node stops using places that it could not renew, in milliseconds.
pub const PLACE_MARGIN: Millis = 3_000;

/// Slices of which a rolling span consists: the present one and the sixteen before it count.
const ROLLING_SLICES: u64 = 17;

/// Slices of a rate of which something may be held: what was granted of the one before may be on its way back.
const RATE_SLICES: u8 = 2;

/// The shortest and the longest slice of a rate.
const RATE_SLICE: (Millis, Millis) = (1_000, 60_000);

/// For how long units of a rate's slice can be given back after it, at least.
const RATE_KEPT: Millis = 300_000;

/// One limit of one key (or address).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterId {
    /// Whose: the first half of a key's digest, or of an address's.
    pub who: [u8; 16],
    /// Which of its limits: what the limit's counters are kept under.
    pub limit: u64,
}

/// A limit, as far as it takes to grant it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Units that are granted. Below 2^31; of a rate below 2^29.
    pub amount: u32,
    /// How they are counted.
    pub kind: Kind,
}

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In one calendar window.
    Window {
        /// The number of the window; a later one is larger.
        index: u64,
        /// When it begins.
        begins: Millis,
        /// When it is over.
        ends: Millis,
    },
    /// For ever.
    InAll,
    /// In any span of sixteen parts.
    Rolling {
        /// The length of one part, in milliseconds.
        part: Millis,
    },
    /// `amount` units flow in per period, up to a burst.
    Rate {
        /// The period, in milliseconds.
        period: Millis,
        /// The most units that can be had at once.
        burst: u32,
    },
    /// Requests in flight.
    AtOnce,
}

impl Rule {
    /// The slice that leases are taken in at `now`.
    pub const fn slice(&self, now: Millis) -> u64 {
        match self.kind {
            Kind::Window { index, .. } => index,
            Kind::InAll | Kind::AtOnce => 0,
            Kind::Rolling { part } => now / at_least_one(part),
            Kind::Rate { .. } => now / self.rate_slice(),
        }
    }

    /// When a slice begins. `None`: it always was there.
    pub const fn begins(&self, slice: u64) -> Option<Millis> {
        match self.kind {
            Kind::Window { begins, .. } => Some(begins),
            Kind::InAll | Kind::AtOnce => None,
            Kind::Rolling { part } => Some(slice.saturating_mul(part)),
            Kind::Rate { .. } => Some(slice.saturating_mul(self.rate_slice())),
        }
    }

    /// From when on a lease of this slice may not be spent. `None`: it may be for ever.
    pub const fn ends(&self, slice: u64) -> Option<Millis> {
        match self.kind {
            Kind::Window { ends, .. } => Some(ends),
            Kind::InAll | Kind::AtOnce => None,
            Kind::Rolling { part } => Some(slice.saturating_add(1).saturating_mul(part)),
            Kind::Rate { .. } => Some(slice.saturating_add(1).saturating_mul(self.rate_slice())),
        }
    }

    /// From when on nobody has to know what was granted of this slice. `None`: it is never forgotten.
    pub const fn forgotten(&self, slice: u64) -> Option<Millis> {
        match self.kind {
            Kind::Window { ends, .. } => Some(ends.saturating_add(GRACE)),
            Kind::InAll | Kind::AtOnce => None,
            Kind::Rolling { part } => {
                Some(slice.saturating_add(ROLLING_SLICES).saturating_mul(part).saturating_add(GRACE))
            }
            Kind::Rate { .. } => {
                let fill = self.fill_millis();
                let kept = if fill > RATE_KEPT { fill } else { RATE_KEPT };
                Some(slice.saturating_add(1).saturating_mul(self.rate_slice()).saturating_add(kept))
            }
        }
    }

    /// The oldest slice of which something may be held at `now`, or whose grants count against others.
    pub const fn oldest(&self, now: Millis) -> u64 {
        match self.kind {
            Kind::Window { index, .. } => index,
            Kind::InAll | Kind::AtOnce => 0,
            Kind::Rolling { .. } | Kind::Rate { .. } => {
                (now / self.width()).saturating_sub(self.back() as u64)
            }
        }
    }

    /// Until when nothing is granted after the ledger lost what it knew at `lost`, as long as there are members that have not
    /// said their totals again: until nothing counts any more that was granted before. `None`: nothing of it counts now.
    pub const fn withheld_until(&self, lost: Millis) -> Option<Millis> {
        match self.kind {
            // Its clock may have been ahead of the present one.
            Kind::Window { begins, .. } if begins >= lost.saturating_add(GRACE) => None,
            Kind::Window { ends, .. } => Some(ends),
            Kind::InAll => Some(Millis::MAX),
            Kind::Rolling { part } => {
                Some(lost.saturating_add(ROLLING_SLICES.saturating_mul(part)).saturating_add(GRACE))
            }
            Kind::Rate { .. } => Some(lost.saturating_add(2 * self.rate_slice()).saturating_add(GRACE)),
            Kind::AtOnce => Some(lost.saturating_add(PLACE_TTL)),
        }
    }

    /// The most units that one request can ever have.
    pub const fn quota(&self) -> u32 {
        match self.kind {
            Kind::Window { .. } | Kind::InAll | Kind::Rolling { .. } | Kind::AtOnce => self.amount,
            Kind::Rate { burst, .. } => burst,
        }
    }

    /// Milliseconds in which the bucket of a rate fills; 0 of all others.
    pub const fn fill_millis(&self) -> Millis {
        match self.kind {
            Kind::Rate { period, burst } => {
                (burst as u64).saturating_mul(period).div_ceil(at_least_one(self.amount as u64))
            }
            Kind::Window { .. } | Kind::InAll | Kind::Rolling { .. } | Kind::AtOnce => 0,
        }
    }

    /// The length of the slices that follow each other, in milliseconds: of rolling spans and rates. 1 of all others.
    pub const fn width(&self) -> Millis {
        match self.kind {
            Kind::Rolling { part } => at_least_one(part),
            Kind::Rate { .. } => self.rate_slice(),
            Kind::Window { .. } | Kind::InAll | Kind::AtOnce => 1,
        }
    }

    /// How many slices before the present one something may be held of, or count: of rolling spans and rates. 0 of all others.
    pub const fn back(&self) -> u8 {
        match self.kind {
            Kind::Rolling { .. } => ROLLING_SLICES as u8 - 1, // it fits
            Kind::Rate { .. } => RATE_SLICES - 1,
            Kind::Window { .. } | Kind::InAll | Kind::AtOnce => 0,
        }
    }

    /// The length of a rate's slices: what fills the bucket, within bounds. A node that died keeps its tokens for two of them.
    const fn rate_slice(&self) -> Millis {
        let fill = self.fill_millis();
        if fill < RATE_SLICE.0 {
            RATE_SLICE.0
        } else if fill > RATE_SLICE.1 {
            RATE_SLICE.1
        } else {
            fill
        }
    }
}

const fn at_least_one(number: u64) -> u64 {
    if number == 0 { 1 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLING: Rule = Rule { amount: 10, kind: Kind::Rolling { part: 4_000 } };

    #[test]
    fn a_slice_of_a_rolling_span_counts_until_the_whole_span_has_passed_since_its_end() {
        let (slice, span) = (ROLLING.slice(100_000), 16 * 4_000);
        let end = ROLLING.ends(slice).unwrap();
        assert_eq!(ROLLING.oldest(end + span - 1), slice);
        assert_eq!(ROLLING.oldest(end + span), slice + 1);
        assert!(ROLLING.forgotten(slice).unwrap() >= end + span + GRACE);
    }

    #[test]
    fn the_slices_of_a_rate_are_as_long_as_its_bucket_takes_to_fill() {
        let rate = |amount, period, burst| Rule { amount, kind: Kind::Rate { period, burst } };
        assert_eq!(rate(10, 1_000, 50).ends(0), Some(5_000));
        assert_eq!(rate(1_000, 1_000, 10).ends(0), Some(1_000));
        assert_eq!(rate(1, 3_600_000, 5).ends(0), Some(60_000));
        assert_eq!(rate(1, 3_600_000, 5).forgotten(0), Some(60_000 + 5 * 3_600_000));
    }

    #[test]
    fn a_window_that_begins_after_the_loss_is_granted_at_once() {
        let window = |begins| Rule { amount: 1, kind: Kind::Window { index: 7, begins, ends: begins + 60 } };
        assert_eq!(window(100 + GRACE).withheld_until(100), None);
        assert_eq!(window(99 + GRACE).withheld_until(100), Some(159 + GRACE));
    }
}
