//! A reservation: units that are taken in an account and not settled yet.

use crate::{
    account::{Account, Refused},
    compiled::{Applying, Compiled, Limits},
    denial::Denial,
    seat::Seat,
    windows::Windows,
};
use contract::limit::Tag;
use std::sync::Arc;

/// Units that are taken in every limit that applies to a request, and not settled yet.
///
/// Dropped without [`Reservation::charge`], the units are given back: whatever ends a request without a
/// success is free.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    /// None: it is settled.
    account: Option<Arc<Account>>,
    applying: Applying,
    cost: u32,
    windows: Windows,
    /// The places among the requests in flight are given back already.
    has_landed: bool,
}

/// The account that a connection took units in last, kept for its next request with the same key.
///
/// Finding an account in its [`Seat`] costs several atomic steps, because it may be replaced there at any moment and
/// has to be held meanwhile. Who has held it since the request before needs none of them: an account that was
/// replaced is frozen, so that it cannot grant anything to somebody who remembers it. Empty: nothing is
/// remembered.
#[derive(Debug, Default)]
pub struct Remembered(Option<Arc<Account>>);

/// The places among the requests in flight of a reservation that was charged while its request goes on. Dropped,
/// they are given back; the units stay used.
#[derive(Debug)]
#[must_use = "places that are dropped are given back"]
pub struct InFlight {
    account: Arc<Account>,
    applying: Applying,
    windows: Windows,
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
    /// The Unix second of the last charge.
    pub second: u64,
}

impl Remembered {
    /// Nothing.
    pub const fn nothing() -> Self {
        Self(None)
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
        Self::take_again(Remembered::nothing(), seat, limits, group, now, cost)
    }

    /// As [`Reservation::take`], by the account of this seat that is remembered, if it still counts. It has to be
    /// one of this seat: whoever keeps it keeps it beside the key that the seat belongs to.
    ///
    /// # Errors
    /// The limit that denied; then no limit was touched.
    #[inline]
    pub fn take_again(
        remembered: Remembered,
        seat: &Seat,
        limits: &Arc<Limits>,
        group: Option<&str>,
        now: u64,
        cost: u32,
    ) -> Result<Self, Denial> {
        let applying = limits.applying(group);
        // An account of other limits is one of before the plan was edited, or the key moved.
        if let Some(account) = remembered.0.filter(|account| Arc::ptr_eq(account.limits(), limits)) {
            let single = account.take_single(now, cost, applying);
            if let Some(windows) = single.or_else(|| account.take(now, cost, applying).ok()) {
                return Ok(Self::new(account, applying, cost, windows));
            }
        }
        // Whoever is denied, or finds the account frozen, asks the seat: it has the one that counts.
        let find = || seat.account(limits, now);
        let (account, windows) = find_and_take(applying, now, cost, find, |account| seat.replace(account))?;
        Ok(Self::new(account, applying, cost, windows))
    }

    #[inline]
    pub(crate) const fn new(account: Arc<Account>, applying: Applying, cost: u32, windows: Windows) -> Self {
        Self { account: Some(account), applying, cost, windows, has_landed: false }
    }

    /// The account that the units are taken in. None once they are settled.
    pub const fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
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
        let each = self.account.iter().flat_map(|account| account.limits().each(self.applying));
        let kept = each.filter(|(_, one)| one.keeps_charges());
        kept.map(|(position, one)| (one.tag, self.windows.get(position)))
    }

    /// Gives the places among the requests in flight back, and nothing else: the answer is whole and is being
    /// handed to the client, who may ask again the moment it has come. May be called more than once.
    #[inline]
    pub fn land(&mut self) {
        if let Some(account) = self.account.as_deref().filter(|account| account.limits().has_concurrent())
            && !self.has_landed
        {
            land(account, self.applying, self.windows);
            self.has_landed = true;
        }
    }

    /// Settles as a success: the units are used. What is remembered is for the next request with the same key.
    #[inline]
    pub fn charge(mut self) -> Remembered {
        // What only counts requests in flight is given back; everything else simply stays taken.
        self.land();
        Remembered(self.account.take())
    }

    /// Settles as a success that goes on: the units are used, and the places among the requests in flight stay
    /// taken for as long as what is given here is held. None: there are none.
    pub fn charge_and_stay(mut self) -> Option<InFlight> {
        let account = self.account.take()?;
        let stays = account.limits().has_concurrent() && !self.has_landed;
        stays.then(|| InFlight { account, applying: self.applying, windows: self.windows })
    }

    fn give_back(&self, units: impl Fn(&Compiled) -> u32) {
        if let Some(account) = &self.account {
            account.give_each_back(self.applying, self.windows, units);
        }
    }
}

impl Drop for Reservation {
    #[inline]
    fn drop(&mut self) {
        if let Some(account) = self.account.take() {
            release(account, self.applying, self.windows, self.cost, self.has_landed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        land(&self.account, self.applying, self.windows);
    }
}

/// Gives everything back but places among the requests in flight that were given back before. Not inlined, and
/// told each part alone: so the way of a success keeps the reservation in registers.
#[inline(never)]
fn release(account: Arc<Account>, applying: Applying, windows: Windows, cost: u32, has_landed: bool) {
    account.give_each_back(applying, windows, |one| {
        if has_landed && !one.keeps_charges() { 0 } else { one.units(cost) }
    });
}

#[inline(never)]
fn land(account: &Account, applying: Applying, windows: Windows) {
    account.give_each_back(applying, windows, |one| if one.keeps_charges() { 0 } else { one.units(1) });
}

/// Takes units in the account that `find` finds. One that has been replaced is told to `replace`, which takes
/// care that `find` finds another one.
pub(crate) fn find_and_take(
    applying: Applying,
    now: u64,
    cost: u32,
    find: impl Fn() -> Arc<Account>,
    replace: impl Fn(&Arc<Account>),
) -> Result<(Arc<Account>, Windows), Denial> {
    loop {
        let account = find();
        match account.take(now, cost, applying) {
            Ok(windows) => return Ok((account, windows)),
            Err(Refused::Denied(denial)) if !account.is_replaced() => return Err(denial),
            // The counts were those of an account that is no more.
            Err(Refused::Denied(_) | Refused::Frozen) => replace(&account),
        }
    }
}
