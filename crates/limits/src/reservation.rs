//! A reservation: units that are taken in an account and not settled.

use crate::{
    account::{Account, Refused},
    compiled::{Applying, Compiled, Limits},
    denial::Denial,
    seat::Seat,
    windows::Windows,
};
use contract::limit::Tag;
use std::sync::Arc;

/// Units that are taken in every limit that applies to a request, and not settled.
///
/// If it is dropped without [`Reservation::charge`], the units are released: whatever ends a
/// request without a success is free.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    /// None: it is settled.
    account: Option<Arc<Account>>,
    applying: Applying,
    cost: u32,
    windows: Windows,
    /// The places among the requests in flight are already released.
    has_landed: bool,
}

/// The account that a connection last took units in, kept for its next request with the same key.
///
/// Finding an account in its [`Seat`] costs several atomic steps, because it may be replaced there
/// at any time and must be held meanwhile. A holder since the previous request needs none of them:
/// a replaced account is frozen, so that it cannot grant anything to a holder. Empty: nothing is
/// remembered.
#[derive(Debug, Default)]
pub struct Remembered(Option<Arc<Account>>);

/// The places among the requests in flight of a reservation that was charged while its request
/// continues. When dropped, they are released; the units stay used.
#[derive(Debug)]
#[must_use = "places that are dropped are given back"]
pub struct InFlight {
    account: Arc<Account>,
    applying: Applying,
    windows: Windows,
}

/// The charges of one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The tag of its limit.
    pub tag: Tag,
    /// Its window.
    pub window: u32,
    /// Units charged in it.
    pub units: u32,
    /// The Unix second of the last charge.
    pub second: u64,
}

impl Remembered {
    /// Empty.
    pub const fn nothing() -> Self {
        Self(None)
    }
}

impl Reservation {
    /// Takes `cost` units at `now` (Unix milliseconds) in every limit that applies to an endpoint
    /// of this group. The account is created if necessary, and replaced if its limits are not
    /// `limits`.
    ///
    /// # Errors
    /// The limit that denied; then no limit was changed.
    pub fn take(
        seat: &Seat,
        limits: &Arc<Limits>,
        group: Option<&str>,
        now: u64,
        cost: u32,
    ) -> Result<Self, Denial> {
        Self::take_again(Remembered::nothing(), seat, limits, group, now, cost)
    }

    /// Like [`Reservation::take`], but with the remembered account of this seat, if it is still
    /// current. It must belong to this seat: the caller stores it together with the key of the
    /// seat.
    ///
    /// # Errors
    /// The limit that denied; then no limit was changed.
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
        // An account with other limits is outdated: the plan was edited, or the key moved.
        if let Some(account) = remembered.0.filter(|account| Arc::ptr_eq(account.limits(), limits)) {
            let single = account.take_single(now, cost, applying);
            if let Some(windows) = single.or_else(|| account.take(now, cost, applying).ok()) {
                return Ok(Self::new(account, applying, cost, windows));
            }
        }
        // After a denial, or if the account is frozen, the seat has the current one.
        let find = || seat.account(limits, now);
        let (account, windows) = find_and_take(applying, now, cost, find, |account| seat.replace(account))?;
        Ok(Self::new(account, applying, cost, windows))
    }

    #[inline]
    pub(crate) const fn new(account: Arc<Account>, applying: Applying, cost: u32, windows: Windows) -> Self {
        Self { account: Some(account), applying, cost, windows, has_landed: false }
    }

    /// The account that the units are taken in. None after settling.
    pub const fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
    }

    /// Which of its limits apply.
    pub const fn applying(&self) -> Applying {
        self.applying
    }

    /// Units taken in each limit.
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Keeps only `cost` units, and releases the rest. More than was taken cannot be kept.
    pub fn lower_to(&mut self, cost: u32) {
        let surplus = self.cost.saturating_sub(cost);
        if surplus > 0 {
            self.give_back(|one| if one.keeps_charges() { surplus } else { 0 });
            self.cost -= surplus;
        }
    }

    /// The counters in which a charge remains, to be recorded: each by [`Reservation::cost`] units.
    pub fn counters(&self) -> impl Iterator<Item = (Tag, u32)> {
        let each = self.account.iter().flat_map(|account| account.limits().each(self.applying));
        let kept = each.filter(|(_, one)| one.keeps_charges());
        kept.map(|(position, one)| (one.tag, self.windows.get(position)))
    }

    /// Releases the places among the requests in flight, and nothing else: the response is complete
    /// and being sent to the client, who may send the next request as soon as it arrives. May be
    /// called more than once.
    #[inline]
    pub fn land(&mut self) {
        if let Some(account) = self.account.as_deref().filter(|account| account.limits().has_concurrent())
            && !self.has_landed
        {
            land(account, self.applying, self.windows);
            self.has_landed = true;
        }
    }

    /// Settles as a success: the units are used. The result is for the next request with the same key.
    #[inline]
    pub fn charge(mut self) -> Remembered {
        // Only requests in flight are released; everything else simply stays taken.
        self.land();
        Remembered(self.account.take())
    }

    /// Settles as a success that continues: the units are used, and the places among the requests
    /// in flight stay taken until the result is dropped. None: there are none.
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

/// Releases everything except places among the requests in flight that were released before. Not
/// inlined, and with separate arguments: so the success path keeps the reservation in registers.
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

/// Takes units in the account that `find` returns. If it was replaced, `replace` is called with it
/// and must ensure that `find` returns another one.
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
            // The counts were those of an outdated account.
            Err(Refused::Denied(_) | Refused::Frozen) => replace(&account),
        }
    }
}
