//! The bucket of a rate: what has flowed in and nobody holds.
//!
//! What nodes hold and did not say to be spent still fills the bucket: the level rises only to the burst less that. So level and
//! leases together are never more than what one bucket for all nodes would hold.

use crate::counter::{Kind, Millis, Rule};

/// A bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    /// Units times the period. At most 2^29 units times an hour: below 2^53.
    level: u64,
    /// When that was the level. 0: never.
    at: Millis,
    epoch: u64,
}

impl Bucket {
    /// The bucket at `now`, with so many units held by nodes.
    pub(crate) fn at(
        self,
        now: Millis,
        rule: &Rule,
        held: u64,
        lost_at: Millis,
        epoch: u64,
    ) -> Option<Filled> {
        let Kind::Rate { period, burst } = rule.kind else { return None };
        // One that was lost, or is from before something was, begins empty at the loss. One that never was there is full by now.
        let (level, since) =
            if self.at == 0 || self.epoch != epoch { (0, lost_at) } else { (self.level, self.at) };
        let passed = now.saturating_sub(since).min(rule.fill_millis());
        let room = u64::from(burst).saturating_sub(held) * period;
        let risen = level.saturating_add(passed.saturating_mul(u64::from(rule.amount)));
        // What is above the room was there before others took more: it is not taken away, but it does not rise.
        let level = risen.min(room.max(level));
        Some(Filled { level, now: now.max(since).max(1), period, room, speed: u64::from(rule.amount), epoch })
    }
}

/// A bucket with what has flowed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    level: u64,
    now: Millis,
    period: u64,
    room: u64,
    speed: u64,
    epoch: u64,
}

impl Filled {
    /// Whole units that can be taken.
    pub(crate) fn units(&self) -> u32 {
        u32::try_from(self.level / self.period.max(1)).unwrap_or(u32::MAX)
    }

    /// Takes units that are there.
    pub(crate) fn take(&mut self, units: u32) {
        self.level = self.level.saturating_sub(u64::from(units) * self.period);
    }

    /// Puts units back, `held` of which counted as held until now.
    pub(crate) fn put(&mut self, units: u32, held: u32) {
        self.room = self.room.saturating_add(u64::from(held) * self.period);
        let level = self.level.saturating_add(u64::from(units) * self.period);
        self.level = level.min(self.room.max(self.level));
    }

    /// Milliseconds until so many units are there.
    pub(crate) fn flows_in(&self, units: u32) -> Option<Millis> {
        let missing = (u64::from(units) * self.period).saturating_sub(self.level);
        missing.div_ceil(self.speed.max(1)).into()
    }

    pub(crate) fn bucket(&self) -> Bucket {
        Bucket { level: self.level, at: self.now, epoch: self.epoch }
    }
}
