//! Accounts by address, for public endpoints: exact, in bounded memory.
//!
//! A table of sets with a few accounts each, replaced as a whole when one is added or removed. A
//! set that is full of accounts in use counts every further address in one shared account. So an
//! address is never granted more than its limit, however many addresses there are; in a flood of
//! addresses some are granted less.

use crate::{
    Who,
    account::Account,
    compiled::Limits,
    denial::Denial,
    reservation::{Reservation, Used, find_and_take},
    slot::Slot,
};
use std::sync::Arc;

/// Accounts of single addresses in a set.
const WAYS: usize = 8;
/// Number of sets, a power of two: half a million addresses at once.
const SETS: usize = 1 << 16;

/// The accounts of addresses.
#[derive(Debug)]
pub struct Addresses {
    /// The current limits. Accounts with earlier ones are replaced on access.
    limits: Slot<Limits>,
    sets: Box<[Slot<Set>]>,
}

#[derive(Debug, Clone, Default)]
struct Set(Vec<(Who, Arc<Account>)>);

impl Addresses {
    /// A table without usage.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self::with_sets(limits, SETS)
    }

    fn with_sets(limits: Arc<Limits>, sets: usize) -> Self {
        let limits = Slot::new(Some(limits));
        Self { limits, sets: std::iter::repeat_with(|| Slot::new(None)).take(sets).collect() }
    }

    /// The limits of each address.
    pub fn limits(&self) -> Arc<Limits> {
        // There always are limits; without any, nothing would be counted or denied.
        self.limits.load().unwrap_or_default()
    }

    /// Replaces the limits. Counts are kept, as far as the new limits count the same.
    pub fn set_limits(&self, limits: Limits) {
        let next = Arc::new(limits);
        loop {
            let found = self.limits.load();
            // Accounts recognize their limits by the pointer, so unchanged limits keep theirs.
            let is_same = found.as_ref().is_some_and(|found| found.iter().eq(next.iter()));
            if is_same || self.limits.swap_if(found.as_ref(), Some(Arc::clone(&next))) {
                return;
            }
        }
    }

    /// Takes `cost` units at `now` (Unix milliseconds) in every limit that applies to an endpoint
    /// of this group, for an address. Also returns the owner of the account, which may be a shared
    /// one.
    ///
    /// # Errors
    /// The limit that denied; then no limit was changed.
    pub fn take(
        &self,
        who: Who,
        group: Option<&str>,
        now: u64,
        cost: u32,
    ) -> Result<(Who, Reservation), Denial> {
        let limits = self.limits();
        let applying = limits.applying(group);
        let whose = std::cell::Cell::new(who);
        let find = || {
            let (found, account) = self.account_with(&limits, who, now);
            whose.set(found);
            account
        };
        let (account, windows) =
            find_and_take(applying, now, cost, find, |account| self.replace(who, account, now))?;
        Ok((whose.get(), Reservation::new(account, applying, cost, windows)))
    }

    /// The account that counts an address, and its owner.
    pub fn account(&self, who: Who, now: u64) -> (Who, Arc<Account>) {
        self.account_with(&self.limits(), who, now)
    }

    fn account_with(&self, limits: &Arc<Limits>, who: Who, now: u64) -> (Who, Arc<Account>) {
        let Some(slot) = self.slot(&who) else {
            return (who, Arc::new(Account::new(Arc::clone(limits)))); // unreachable: the table has sets
        };
        loop {
            let found = slot.load();
            let set = found.as_deref().cloned().unwrap_or_default();
            let (whose, next) = match set.of(&who) {
                Some(account) if Arc::ptr_eq(account.limits(), limits) => return (who, account),
                Some(_) => (who, set.clone()),
                None => set.with(who, limits, now),
            };
            let next = next.limited(&whose, limits, now);
            let Some(account) = next.of(&whose) else { continue };
            let is_new = set.of(&whose).is_none_or(|before| !Arc::ptr_eq(&before, &account));
            let is_same = !is_new && next.0.len() == set.0.len();
            if is_same || slot.swap_if(found.as_ref(), Some(Arc::new(next))) {
                return (whose, account);
            }
        }
    }

    /// Restores the usage of an address, or of a shared account, as of `now` (Unix milliseconds).
    /// To be called before anything is taken.
    pub fn restore(&self, who: Who, used: &[Used], now: u64) {
        let Some(slot) = self.slot(&who) else { return };
        let found = slot.load();
        let mut set = found.as_deref().cloned().unwrap_or_default();
        set.0.push((who, Arc::new(Account::restored(self.limits(), used, now))));
        slot.swap_if(found.as_ref(), Some(Arc::new(set)));
    }

    /// The rows without those whose windows begin after `now`, see [`Limits::begun`].
    pub fn begun(&self, used: &[Used], now: u64) -> Vec<Used> {
        self.limits().begun(used, now)
    }

    fn replace(&self, who: Who, account: &Arc<Account>, now: u64) {
        let Some(slot) = self.slot(&who) else { return };
        let found = slot.load();
        let mut set = found.as_deref().cloned().unwrap_or_default();
        let Some((_, place)) = set.0.iter_mut().find(|(_, known)| Arc::ptr_eq(known, account)) else {
            return;
        };
        *place = account.replace_by(&self.limits(), now);
        slot.swap_if(found.as_ref(), Some(Arc::new(set)));
    }

    fn slot(&self, who: &Who) -> Option<&Slot<Set>> {
        // Digests are uniform, so a few of their bits serve as a hash.
        let [a, b, ..] = *who;
        self.sets.get(usize::from(u16::from_le_bytes([a, b])) & self.sets.len().wrapping_sub(1))
    }
}

/// The owner of the shared account of an address's set. A digest is unlikely to equal it, and would
/// then only share the account.
fn shared(who: &Who) -> Who {
    let [a, b, ..] = *who;
    let mut shared = [0xff; 16];
    shared.iter_mut().zip([a, b]).for_each(|(place, byte)| *place = byte);
    shared
}

impl Set {
    fn of(&self, who: &Who) -> Option<Arc<Account>> {
        self.0.iter().find(|(known, _)| known == who).map(|(_, account)| Arc::clone(account))
    }

    /// The set with an account for this address, and the owner of that account.
    fn with(&self, who: Who, limits: &Arc<Limits>, now: u64) -> (Who, Self) {
        let mut next = self.clone();
        let shared = shared(&who);
        if next.0.len() >= WAYS || next.of(&shared).is_some() {
            next.forget_idle(now);
        }
        // Usage of an address in the shared account would not count in an account of its own: so as
        // long as the shared one has counts, no address gets its own.
        let has_room = next.0.len() < WAYS && next.of(&shared).is_none();
        let whose = if has_room { who } else { shared };
        if next.of(&whose).is_none() {
            next.0.push((whose, Arc::new(Account::new(Arc::clone(limits)))));
        }
        (whose, next)
    }

    /// The set with these limits for this account, whatever it had before.
    fn limited(mut self, whose: &Who, limits: &Arc<Limits>, now: u64) -> Self {
        let other = |(known, account): &&mut (Who, Arc<Account>)| {
            known == whose && !Arc::ptr_eq(account.limits(), limits)
        };
        if let Some((_, account)) = self.0.iter_mut().find(other) {
            *account = account.replace_by(limits, now);
        }
        self
    }

    fn forget_idle(&mut self, now: u64) {
        self.0.retain(|(_, account)| {
            if !account.is_idle(now) {
                return true;
            }
            // As in `Seat::retire`: frozen first, so that a holder takes nothing more from it. If
            // another thread was faster, it stays, and the next access replaces it with its counts.
            account.freeze();
            !account.is_idle(now)
        });
    }
}

#[cfg(all(test, not(feature = "loom")))]
#[allow(clippy::unwrap_used, reason = "tests report errors by panicking")]
mod tests {
    use super::*;

    fn who(number: u8) -> Who {
        let mut who = [5; 16];
        who[15] = number;
        who
    }

    fn limits(text: &str) -> Arc<Limits> {
        let limit = contract::Limit::parse(text, &mut |_| None).unwrap();
        Arc::new(Limits::new(vec![limit]).unwrap())
    }

    #[test]
    fn addresses_have_separate_accounts_until_the_set_is_full_and_then_share_one() {
        let addresses = Addresses::with_sets(limits("2 per minute"), 1);
        for number in 0..8 {
            let (whose, taken) = addresses.take(who(number), None, 0, 1).unwrap();
            assert_eq!(whose, who(number));
            taken.charge();
        }
        for number in 100..102 {
            let (whose, taken) = addresses.take(who(number), None, 0, 1).unwrap();
            assert_eq!(whose, shared(&who(number)));
            taken.charge();
        }
        assert!(addresses.take(who(102), None, 0, 1).is_err());
        assert!(addresses.take(who(3), None, 0, 1).is_ok());
        // A minute later their windows have ended, and when no request that began in them can still
        // arrive, there is room again.
        assert_eq!(addresses.take(who(102), None, 119_999, 1).unwrap().0, shared(&who(102)));
        assert_eq!(addresses.take(who(102), None, 120_000, 1).unwrap().0, who(102));
    }

    #[test]
    fn addresses_that_use_nothing_any_more_make_room_for_others() {
        let addresses = Addresses::with_sets(limits("2 per minute"), 1);
        for (begin, now) in [(0, 0), (10, 120_000), (20, 240_000)] {
            for number in begin..begin + 8 {
                let (whose, taken) = addresses.take(who(number), None, now, 1).unwrap();
                assert_eq!(whose, who(number), "the eight of two minutes ago count nothing");
                taken.charge();
            }
        }
    }

    #[test]
    fn a_holder_of_a_dropped_account_takes_nothing_from_it() {
        let addresses = Addresses::with_sets(limits("1 per minute"), 1);
        let (_, held) = addresses.account(who(0), 0);
        for number in 1..9 {
            let (whose, taken) = addresses.take(who(number), None, 0, 1).unwrap();
            assert_eq!(whose, who(number), "the unused account makes room");
            taken.charge();
        }
        assert!(held.take(0, 1, addresses.limits().all()).is_err());
        let (_, now) = addresses.account(who(0), 0);
        assert!(!Arc::ptr_eq(&held, &now));
    }

    #[test]
    fn an_account_that_another_thread_has_frozen_is_replaced_with_its_counts_where_it_is_found() {
        let addresses = Addresses::with_sets(limits("3 per minute"), 1);
        addresses.take(who(0), None, 0, 2).unwrap().1.charge();
        let (_, before) = addresses.account(who(0), 0);
        // The state of a thread that would drop it, and loses the race for the set.
        before.freeze();
        addresses.take(who(0), None, 0, 1).unwrap().1.charge();
        assert!(addresses.take(who(0), None, 0, 1).is_err());
        assert!(!Arc::ptr_eq(&before, &addresses.account(who(0), 0).1));
    }

    #[test]
    fn an_address_stays_in_the_shared_account_while_its_units_count() {
        let addresses = Addresses::with_sets(limits("2 per day"), 1);
        let held: Vec<_> = (0..8).map(|number| addresses.take(who(number), None, 0, 1).unwrap()).collect();
        addresses.take(who(9), None, 0, 2).unwrap().1.charge();
        drop(held);
        // All others are idle by now, and would make room.
        let tomorrow = 86_400_000;
        assert!(addresses.take(who(9), None, tomorrow - 1, 1).is_err());
        let (whose, _) = addresses.take(who(9), None, tomorrow + crate::LATEST_MILLIS, 1).unwrap();
        assert_eq!(whose, who(9));
    }

    #[test]
    fn usage_of_a_shared_account_is_restored_to_it() {
        let compiled = limits("5 in all");
        let tag = compiled.iter().next().unwrap().tag();
        let (before, after) = (Addresses::new(Arc::clone(&compiled)), Addresses::new(compiled));
        for number in 0..8 {
            before.take(who(number), None, 0, 1).unwrap().1.charge();
        }
        let (whose, _) = before.take(who(8), None, 0, 1).unwrap();
        assert_ne!(whose, who(8));
        after.restore(whose, &[Used { tag, window: 0, units: 5, second: 0 }], 0);
        assert!(after.take(who(8), None, 0, 1).is_err());
        let mut of_another_set = who(8);
        of_another_set[0] += 1;
        assert!(after.take(of_another_set, None, 0, 1).is_ok());
    }

    #[test]
    fn other_limits_hold_at_once_and_keep_what_was_used() {
        let addresses = Addresses::with_sets(limits("5 per day"), 1);
        let held = addresses.take(who(1), None, 0, 2).unwrap().1;
        addresses.take(who(1), None, 0, 1).unwrap().1.charge();
        for number in 2..12 {
            // The last of them share an account.
            addresses.take(who(number), None, 0, 1).unwrap().1.charge();
        }
        let four = |text| Limits::new(vec![contract::Limit::parse(text, &mut |_| None).unwrap()]).unwrap();
        addresses.set_limits(four("4 per day"));
        addresses.take(who(1), None, 0, 1).unwrap().1.charge();
        assert!(addresses.take(who(1), None, 0, 1).is_err());
        // What was reserved before is released in the current account.
        drop(held);
        addresses.take(who(1), None, 0, 2).unwrap().1.charge();
        assert!(addresses.take(who(1), None, 0, 1).is_err());
        let (whose, taken) = addresses.take(who(11), None, 0, 1).unwrap();
        assert_eq!(whose, shared(&who(11)));
        taken.charge();
        assert!(addresses.take(who(10), None, 0, 1).is_err(), "three were used of the shared account before");
        let before = addresses.limits();
        addresses.set_limits(four("4 per day"));
        assert!(Arc::ptr_eq(&before, &addresses.limits()), "accounts would be replaced for nothing");
    }

    #[test]
    fn rows_of_windows_that_begin_later_are_distinguished() {
        let addresses = Addresses::with_sets(limits("5 per day"), 1);
        let tag = addresses.limits().iter().next().unwrap().tag();
        let rows = [19, 20, 21].map(|window| Used { tag, window, units: 4, second: 0 });
        assert_eq!(addresses.begun(&rows, 20 * 86_400_000), rows[..2]);
    }

    #[test]
    fn usage_is_restored() {
        let addresses = Addresses::with_sets(limits("5 in all"), 1);
        let tag = addresses.limits().iter().next().unwrap().tag();
        addresses.restore(who(1), &[Used { tag, window: 0, units: 4, second: 0 }], 0);
        addresses.take(who(1), None, 0, 1).unwrap().1.charge();
        assert!(addresses.take(who(1), None, 0, 1).is_err());
    }
}
