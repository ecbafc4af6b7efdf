//! The ledger's clock, as far as a node knows it: each reply says what it was between the question and the reply.

use super::Micros;
use crate::counter::Millis;

/// A node's clock and the ledger's may drift apart by one part in so many.
const DRIFT: u64 = 2_000;

/// The best reply so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerTime {
    asked: Micros,
    heard: Micros,
    ledger: Millis,
}

impl LedgerTime {
    pub(crate) const fn new(asked: Micros, heard: Micros, ledger: Millis) -> Self {
        Self { asked, heard, ledger }
    }

    /// The latest that it can be.
    pub(crate) const fn latest(&self, now: Micros) -> Millis {
        let passed = now.saturating_sub(self.asked) + self.drift(now);
        self.ledger.saturating_add(1 + passed.div_ceil(1_000))
    }

    /// The earliest that it can be.
    pub(crate) const fn earliest(&self, now: Micros) -> Millis {
        let passed = now.saturating_sub(self.heard).saturating_sub(self.drift(now));
        self.ledger.saturating_add(passed / 1_000)
    }

    /// The more exact of two.
    pub(crate) const fn or(self, other: Self, now: Micros) -> Self {
        if self.doubt(now) < other.doubt(now) { self } else { other }
    }

    const fn doubt(&self, now: Micros) -> Micros {
        self.heard.saturating_sub(self.asked) + 2 * self.drift(now)
    }

    const fn drift(&self, now: Micros) -> Micros {
        now.saturating_sub(self.heard) / DRIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_clock_lies_between_what_the_question_and_the_reply_allow() {
        let time = LedgerTime::new(1_000_000, 1_040_000, 5_000);
        assert_eq!(time.earliest(1_040_000), 5_000);
        assert_eq!(time.latest(1_040_000), 5_041);
        assert!(time.latest(61_040_000) - time.earliest(61_040_000) >= 40 + 60);
    }

    #[test]
    fn a_reply_that_took_long_is_taken_once_the_better_one_is_old() {
        let (good, bad) = (LedgerTime::new(0, 200, 0), LedgerTime::new(1_000_000, 1_040_000, 1_000));
        assert_eq!(good.or(bad, 1_040_000).heard, 200);
        let later = LedgerTime::new(90_000_000, 90_040_000, 90_000);
        assert_eq!(good.or(later, 90_040_000).heard, 90_040_000);
    }
}
