//! Spending a lease: reserve, then charge or release. Nothing here waits or allocates.

use super::{Handle, Micros, Node, Standing, Unreachable, lease::IDLE};
use crate::{counter::Kind, message::Sequence};

/// What became of a request for units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// They are reserved.
    Granted(Receipt),
    /// The ledger is asked: [`Node::retry`] when a reply has come, or at [`Waiting::until`].
    Wait(Waiting),
    /// They cannot be had.
    Denied(Denial),
    /// The slice is over: begin anew with [`Node::lease`].
    Over,
}

/// Why units cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// All are used or held. True to a tenth of a second.
    Exhausted,
    /// It cannot be decided: the ledger cannot be reached, or waits for other members' totals.
    Unavailable,
}

/// Units that are reserved: to be charged or released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Of which lease.
    pub lease: Handle,
    /// How many.
    pub units: u32,
}

/// A request that waits for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// For which lease.
    pub lease: Handle,
    /// For how many units.
    pub units: u32,
    /// Until when.
    pub until: Micros,
    /// The first message whose reply decides it. `None`: it waits for others to give back.
    from: Option<Sequence>,
}

/// What becomes of a request that waits.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Grant,
    Deny(Denial),
    WithoutLedger,
    Over,
    Stay,
    /// Others were called, and are given until then.
    Called(Micros),
    Ask,
}

/// For how long a request waits for one answer: two tries.
const WAIT: Micros = 100_000;

impl Node {
    /// Takes units of a lease.
    pub fn take(&mut self, now: Micros, handle: Handle, units: u32) -> Take {
        if self.standing != Standing::Member {
            return Take::Denied(Denial::Unavailable);
        }
        let (Some(time), is_up, members) = (self.time, self.link.is_up(), self.members) else {
            return Take::Denied(Denial::Unavailable);
        };
        let Some(lease) = self.leases.get_mut(handle).filter(|lease| !lease.is_over(time.latest(now))) else {
            return Take::Over;
        };
        if units > lease.rule.quota() {
            return Take::Denied(Denial::Exhausted);
        }
        self.asked_for = self.asked_for.saturating_add(1);
        let can_tell = lease.has_word() && lease.is_fresh(now) || !is_up;
        lease.demand.note(now, units);
        // What waits was there first.
        if lease.free().saturating_sub(lease.waiting) >= units && can_tell && lease.is_valid(now) {
            lease.reserved += units;
            if lease.wants_more(now, members) {
                self.ask(handle);
            }
            return Take::Granted(Receipt { lease: handle, units });
        }
        if now < lease.quiet_until && lease.left < units && lease.free() < units {
            let why = if lease.is_withheld { Denial::Unavailable } else { Denial::Exhausted };
            return Take::Denied(why);
        }
        if !is_up {
            return self.without_ledger(now, handle, units);
        }
        lease.waiting = lease.waiting.saturating_add(units);
        lease.smallest = lease.smallest.min(units);
        if now < lease.again_at {
            return Take::Wait(Waiting { lease: handle, units, until: lease.again_at, from: None });
        }
        self.ask_for(now, handle, units)
    }

    /// Looks again for a request that waits.
    pub fn retry(&mut self, now: Micros, waiting: Waiting) -> Take {
        let Waiting { lease: handle, units, .. } = waiting;
        let verdict = self.verdict(now, &waiting);
        match verdict {
            Verdict::Stay => return Take::Wait(waiting),
            Verdict::Called(until) => return Take::Wait(Waiting { until, from: None, ..waiting }),
            Verdict::Ask => return self.ask_for(now, handle, units),
            Verdict::Grant | Verdict::Deny(_) | Verdict::WithoutLedger | Verdict::Over => {}
        }
        self.stop_waiting(handle, units);
        match verdict {
            Verdict::Grant => {
                if let Some(lease) = self.leases.get_mut(handle) {
                    lease.reserved += units;
                }
                Take::Granted(Receipt { lease: handle, units })
            }
            Verdict::Deny(why) => Take::Denied(why),
            Verdict::WithoutLedger => self.without_ledger(now, handle, units),
            Verdict::Over | Verdict::Stay | Verdict::Called(_) | Verdict::Ask => Take::Over,
        }
    }

    fn verdict(&self, now: Micros, waiting: &Waiting) -> Verdict {
        let Some(lease) = self.leases.get(waiting.lease) else { return Verdict::Over };
        if self.time.is_none_or(|time| lease.is_over(time.latest(now))) {
            return Verdict::Over;
        }
        if self.standing != Standing::Member {
            return Verdict::Deny(Denial::Unavailable);
        }
        let gives_up = !self.link.is_up() || now >= waiting.until;
        let is_answered = waiting.from.is_none_or(|from| lease.answered >= from);
        if lease.free() >= waiting.units && lease.is_valid(now) && (is_answered || gives_up) {
            return Verdict::Grant;
        }
        if waiting.from.is_none() {
            return match (self.link.is_up(), gives_up) {
                (true, true) => Verdict::Ask,
                (true, false) => Verdict::Stay,
                (false, _) => Verdict::WithoutLedger,
            };
        }
        if !is_answered {
            return if gives_up { Verdict::WithoutLedger } else { Verdict::Stay };
        }
        if lease.is_withheld {
            Verdict::Deny(Denial::Unavailable)
        } else if now < lease.again_at {
            Verdict::Called(lease.again_at)
        } else if lease.is_scarce && lease.left < waiting.units {
            Verdict::Deny(Denial::Exhausted)
        } else {
            Verdict::Ask // one answer did not suffice for all who waited
        }
    }

    /// A request that waits has gone.
    pub fn abandon(&mut self, waiting: Waiting) {
        self.stop_waiting(waiting.lease, waiting.units);
    }

    /// The answer was a success: so many of the reserved units are used, the rest is free again. A place is free again when its
    /// request has ended, whatever became of it.
    pub fn charge(&mut self, now: Micros, receipt: Receipt, units: u32) {
        if let Some(lease) = self.leases.get_mut(receipt.lease)
            && !matches!(lease.rule.kind, Kind::AtOnce)
        {
            let units = units.min(receipt.units);
            lease.used += units;
            lease.reserved = lease.reserved.saturating_sub(units);
            if units < receipt.units {
                self.release(now, Receipt { units: receipt.units - units, ..receipt });
            }
        } else {
            self.release(now, receipt);
        }
    }

    /// It was none: the units go back into the lease. If its slice is over, the ledger is told.
    pub fn release(&mut self, now: Micros, receipt: Receipt) {
        let latest = self.time.map_or(0, |time| time.latest(now));
        let Some(lease) = self.leases.get_mut(receipt.lease) else { return };
        lease.reserved = lease.reserved.saturating_sub(receipt.units);
        if !lease.is_over(latest) {
            self.watch(receipt.lease, now + IDLE);
            return;
        }
        lease.refunded = lease.refunded.saturating_add(receipt.units);
        match lease.rule.kind {
            Kind::Rolling { .. } | Kind::Rate { .. } => self.ask(receipt.lease),
            Kind::Window { .. } | Kind::InAll | Kind::AtOnce => {}
        }
    }

    fn ask_for(&mut self, now: Micros, handle: Handle, units: u32) -> Take {
        self.ask(handle);
        Take::Wait(Waiting { lease: handle, units, until: now + WAIT, from: Some(self.link.next()) })
    }

    fn stop_waiting(&mut self, handle: Handle, units: u32) {
        if let Some(lease) = self.leases.get_mut(handle) {
            lease.waiting = lease.waiting.saturating_sub(units);
            if lease.waiting == 0 {
                lease.smallest = u32::MAX;
            }
        }
    }

    fn without_ledger(&mut self, now: Micros, handle: Handle, units: u32) -> Take {
        let (unreachable, members) = (self.unreachable, self.members);
        let Some(lease) = self.leases.get_mut(handle) else { return Take::Over };
        let held = lease.held().saturating_add(units);
        if unreachable == Unreachable::Deny || held > lease.rule.quota() / members.max(1) {
            return Take::Denied(Denial::Unavailable);
        }
        self.beyond += u64::from(held.saturating_sub(lease.granted.max(lease.held())));
        lease.reserved += units;
        self.watch(handle, now + IDLE);
        Take::Granted(Receipt { lease: handle, units })
    }
}
