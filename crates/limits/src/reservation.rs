//! A reservation: units that are taken in an account and not settled yet.

use crate::{
    account::{Account, Refused, Windows},
    compiled::{Applying, Compiled, Limits},
    seat::Seat,
};
use contract::{Limit, limit::Tag};
use std::sync::Arc;

/// Units that are taken in every limit that applies to a request, and not settled yet.
///
/// Dropped without [`Reservation::charge`], the units are given back: whatever ends a request without a
/// success is free.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    account: Arc<Account>,
    applying: Applying,
    cost: u32,
    windows: Windows,
    is_settled: bool,
}

/// Why nothing was reserved.
#[derive(Debug, Clone)]
pub struct Denial {
    pub(crate) limits: Arc<Limits>,
    /// Position in the plan of the limit that denied: of several, the one that resets last.
    pub position: usize,
    /// Whole seconds until a retry may succeed, at least 1. None: none ever will.
    pub reset: Option<u64>,
    /// The second (Unix time) from which on it may.
    pub resets_at: Option<u64>,
}

/// What was charged to one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// What the counter is known by.
    pub tag: Tag,
    /// The window that it counts in.
    pub window: u32,
    /// Units charged in it.
    pub units: u32,
}

impl Denial {
    /// The limit that denied.
    pub fn limit(&self) -> Option<&Limit> {
        self.limits.get(self.position)
    }

    /// Whether it could never be admitted, because it costs more than the limit grants at all.
    pub fn quota(&self) -> u32 {
        let one = self.limits.each(self.limits.all()).find(|(position, _)| *position == self.position);
        one.map_or(0, |(_, one)| one.quota())
    }
}

impl Reservation {
    /// Takes `cost` units at `now` (Unix milliseconds) in every limit that applies to an endpoint of this
    /// group. The account is made if there is none, and replaced if it has other limits than `limits`.
    ///
    /// # Errors
    /// The limit that denied; then no limit was touched.
    pub fn take(
        seat: &Seat,
        limits: &Arc<Limits>,
        group: Option<&str>,
        now: u64,
        cost: u32,
    ) -> Result<Self, Denial> {
        let applying = limits.applying(group);
        Self::take_from(applying, now, cost, || seat.account(limits), |account| seat.replace(account))
    }

    /// Takes units in the account that `find` finds. One that has been replaced is told to `replace`, which
    /// takes care that `find` finds another one.
    pub(crate) fn take_from(
        applying: Applying,
        now: u64,
        cost: u32,
        find: impl Fn() -> Arc<Account>,
        replace: impl Fn(&Arc<Account>),
    ) -> Result<Self, Denial> {
        loop {
            let account = find();
            match account.take(now, cost, applying) {
                Ok(windows) => return Ok(Self { account, applying, cost, windows, is_settled: false }),
                Err(Refused::Denied(denial)) if !account.is_replaced() => return Err(denial),
                // The counts were those of an account that is no more.
                Err(Refused::Denied(_) | Refused::Frozen) => replace(&account),
            }
        }
    }

    /// The account that the units are taken in.
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Which of its limits apply.
    pub const fn applying(&self) -> Applying {
        self.applying
    }

    /// Units that are taken in each limit.
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Keeps only `cost` units, and gives the rest back. More than is held cannot be kept.
    pub fn lower_to(&mut self, cost: u32) {
        let surplus = self.cost.saturating_sub(cost);
        if surplus > 0 {
            self.give_back(|one| if one.keeps_charges() { surplus } else { 0 });
            self.cost -= surplus;
        }
    }

    /// The counters that a charge stays in, to be written down: each by [`Reservation::cost`] units.
    pub fn counters(&self) -> impl Iterator<Item = (Tag, u32)> {
        let kept = self.account.limits().each(self.applying).filter(|(_, one)| one.keeps_charges());
        kept.map(|(position, one)| (one.tag, self.windows.get(position).copied().unwrap_or_default()))
    }

    /// Settles as a success: the units are used.
    pub fn charge(mut self) {
        // What only counts requests in flight is given back; everything else simply stays taken.
        if self.account.limits().has_concurrent() {
            self.give_back(|one| if one.keeps_charges() { 0 } else { one.units(1) });
        }
        self.is_settled = true;
    }

    fn give_back(&self, units: impl Fn(&Compiled) -> u32) {
        for (position, one) in self.account.limits().each(self.applying) {
            let units = units(one);
            if units > 0 {
                self.account.give_back(one, self.windows.get(position).copied().unwrap_or_default(), units);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.is_settled {
            self.give_back(|one| one.units(self.cost));
        }
    }
}
