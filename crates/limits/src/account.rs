//! The account of one key: its limits, its counters, and reservations in them.

use crate::{
    counter::{Counter, Word},
    guard::ErrorCount,
};
use contract::{Limit, Period};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Limits an account can have: one for each period.
pub const MOST_LIMITS: usize = Period::ALL.len();

/// The counters of one key.
#[derive(Debug)]
pub struct Account {
    limits: Arc<[Limit]>,
    counters: Box<[Counter]>,
    unsaved: AtomicBool,
    errors: ErrorCount,
}

/// Whoever owns an account. Lets a reservation keep its owner alive by one pointer.
pub trait HasAccount {
    /// The account.
    fn account(&self) -> &Account;
}

/// Units that are taken in every limit of an account and not settled yet.
///
/// Dropped without [`Reservation::charge`], the units are given back: whatever ends a request
/// without a success is free.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation<H: HasAccount> {
    owner: H,
    cost: u32,
    windows: [u32; MOST_LIMITS],
}

/// Why nothing was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// The limit that denied: of several, the one that resets last.
    pub limit: Limit,
    /// Its position in the plan.
    pub position: usize,
    /// Whole seconds until it resets, at least 1.
    pub reset: u64,
    /// The second (Unix time) at which it resets.
    pub resets_at: u64,
}

/// How one limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// Units left in the present window. What is in flight counts as used.
    pub remaining: u32,
    /// Whole seconds until the reset, at least 1.
    pub reset: u64,
    /// Seconds of the whole present window.
    pub window_seconds: u64,
}

/// What a store keeps of one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The period of the limit.
    pub period: Period,
    /// Index of the window.
    pub window: u32,
    /// Units charged in it.
    pub units: u32,
}

// === impl Account ===

impl Account {
    /// An account with the limits of a plan, of which `used` is charged already.
    ///
    /// At most [`MOST_LIMITS`] limits are looked at: the configuration allows one for each period.
    /// Rows of periods that the plan does not limit are passed over.
    pub fn new(limits: Arc<[Limit]>, used: &[Used]) -> Self {
        let counters = limits.iter().take(MOST_LIMITS).map(|limit| {
            let row = used.iter().find(|row| row.period == limit.period);
            row.map_or_else(Counter::default, |row| {
                Counter::restored(Word { window: row.window, units: row.units })
            })
        });
        let counters = counters.collect();
        Self { limits, counters, unsaved: AtomicBool::new(false), errors: ErrorCount::default() }
    }

    /// Errors of this key, for the abuse guard.
    pub const fn errors(&self) -> &ErrorCount {
        &self.errors
    }

    /// How each limit stands at `now` (Unix seconds), in the order of the plan.
    pub fn standings(&self, now: u64) -> impl Iterator<Item = Standing> {
        self.each().map(move |(limit, counter)| {
            let taken = counter.taken(limit.period.index(now));
            Standing {
                limit,
                remaining: limit.amount.saturating_sub(taken.units),
                reset: limit.period.seconds_left(taken.window, now),
                window_seconds: limit.period.seconds(taken.window),
            }
        })
    }

    /// What a store has to keep.
    pub fn used(&self) -> impl Iterator<Item = Used> {
        self.each().map(|(limit, counter)| {
            let used = counter.used();
            Used { period: limit.period, window: used.window, units: used.units }
        })
    }

    /// Notes that there is something to save; true if nothing was noted since the last saving, so
    /// that the account is handed to the store once.
    pub fn note_unsaved(&self) -> bool {
        // A read-modify-write, so that a saver who clears the note after us also sees our charge.
        !self.unsaved.swap(true, Ordering::AcqRel)
    }

    /// Clears the note. To be called before [`Account::used`] is read, so that a later charge is
    /// noted anew.
    pub fn begin_saving(&self) {
        self.unsaved.swap(false, Ordering::AcqRel);
    }

    fn each(&self) -> impl Iterator<Item = (Limit, &Counter)> {
        self.limits.iter().copied().zip(self.counters.iter())
    }

    /// The limit that denies `cost` at `now`: of several, the one that resets last, because until
    /// then no retry can succeed.
    fn denial(&self, now: u64, cost: u32) -> Option<Denial> {
        let mut denial: Option<Denial> = None;
        for (position, (limit, counter)) in self.each().enumerate() {
            let taken = counter.taken(limit.period.index(now));
            if limit.amount.saturating_sub(taken.units) >= cost {
                continue;
            }
            let resets_at = limit.period.end(taken.window);
            if denial.is_none_or(|found| found.resets_at < resets_at) {
                let reset = limit.period.seconds_left(taken.window, now);
                denial = Some(Denial { limit, position, reset, resets_at });
            }
        }
        denial
    }

    /// Takes `cost` in every limit, or in none.
    fn take(&self, now: u64, cost: u32) -> Result<[u32; MOST_LIMITS], Denial> {
        loop {
            // All limits are looked at before any is touched, so that a denial changes nothing.
            if let Some(denial) = self.denial(now, cost) {
                return Err(denial);
            }
            let mut windows = [0; MOST_LIMITS];
            let mut taken = 0;
            for ((limit, counter), window) in self.each().zip(&mut windows) {
                match counter.take(limit.period.index(now), cost, limit.amount) {
                    Ok(at) => *window = at,
                    Err(crate::counter::Exhausted) => break,
                }
                taken += 1;
            }
            if taken == self.counters.len() {
                return Ok(windows);
            }
            // Another thread took the last units between our look and our hand. What we hold is
            // given back, and the look is repeated: it now finds who denies. Each turn means
            // that somebody else got further, so this ends.
            self.give_back(taken, &windows, cost);
        }
    }

    fn give_back(&self, first: usize, windows: &[u32; MOST_LIMITS], cost: u32) {
        for ((_, counter), window) in self.each().zip(windows).take(first) {
            counter.give_back(*window, cost);
        }
    }
}

impl<T: HasAccount> HasAccount for Arc<T> {
    fn account(&self) -> &Account {
        T::account(self)
    }
}

impl HasAccount for Account {
    fn account(&self) -> &Account {
        self
    }
}

// === impl Reservation ===

impl<H: HasAccount> Reservation<H> {
    /// Takes `cost` units in every limit of the owner's account at `now` (Unix seconds).
    ///
    /// # Errors
    /// The limit that denied; then no limit was touched.
    pub fn take(owner: H, now: u64, cost: u32) -> Result<Self, Denial> {
        let windows = owner.account().take(now, cost)?;
        Ok(Self { owner, cost, windows })
    }

    /// Whose reservation it is.
    pub const fn owner(&self) -> &H {
        &self.owner
    }

    /// Units that are taken in each limit.
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Settles as a success: the units are used.
    ///
    /// `save` gets the owner if its account was not waiting to be saved already.
    pub fn charge(mut self, save: impl FnOnce(&H)) {
        let account = self.owner.account();
        for ((_, counter), window) in account.each().zip(&self.windows) {
            counter.charge(*window, self.cost);
        }
        self.cost = 0; // settled: the drop that follows gives nothing back
        if account.note_unsaved() {
            save(&self.owner);
        }
    }
}

impl<H: HasAccount> Drop for Reservation<H> {
    fn drop(&mut self) {
        if self.cost > 0 {
            self.owner.account().give_back(MOST_LIMITS, &self.windows, self.cost);
        }
    }
}
