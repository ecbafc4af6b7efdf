//! The place of a key's account: created on first use, replaced when the key's limits change,
//! dropped when it is not needed any more.

use crate::{account::Account, compiled::Limits, slot::Slot};
use std::sync::Arc;

/// The place of an account. Empty: nothing is used.
#[derive(Debug)]
pub struct Seat(Slot<Account>);

impl Default for Seat {
    fn default() -> Self {
        Self(Slot::new(None))
    }
}

impl From<Account> for Seat {
    fn from(account: Account) -> Self {
        Self(Slot::new(Some(Arc::new(account))))
    }
}

impl Seat {
    /// Sets a restored account. False: there is one already.
    pub fn restore(&self, account: Account) -> bool {
        self.0.swap_if(None, Some(Arc::new(account)))
    }

    /// The account, with these limits. One with other limits is replaced; counts that have ended at
    /// `now` (Unix milliseconds) are dropped.
    #[inline]
    pub fn account(&self, limits: &Arc<Limits>, now: u64) -> Arc<Account> {
        loop {
            match self.0.load() {
                Some(account) if Arc::ptr_eq(account.limits(), limits) => return account,
                Some(account) => self.put(&account, limits, now),
                None => {
                    let fresh = Arc::new(Account::new(Arc::clone(limits)));
                    if self.0.swap_if(None, Some(Arc::clone(&fresh))) {
                        return fresh;
                    }
                }
            }
        }
    }

    /// Passes the account to `look`, if there is one.
    pub fn look<R>(&self, look: impl FnOnce(Option<&Account>) -> R) -> R {
        self.0.look(look)
    }

    /// Drops the account if nothing is used or reserved in it at `now` (Unix milliseconds). True:
    /// the seat is empty.
    pub fn retire(&self, now: u64) -> bool {
        let Some(account) = self.0.load() else { return true };
        if !account.is_idle(now) {
            return false;
        }
        // Another thread may have just found the account. Frozen, it grants nothing any more, and
        // that thread returns here for another one.
        account.freeze();
        if account.is_idle(now) && self.0.swap_if(Some(&account), None) {
            return true;
        }
        self.replace(&account);
        false
    }

    /// Replaces a frozen account by its successor.
    pub(crate) fn replace(&self, account: &Arc<Account>) {
        // With the same limits nothing is dropped.
        self.put(account, account.limits(), 0);
    }

    // An account that is not in this seat any more is ignored: the one here is newer.
    fn put(&self, account: &Arc<Account>, limits: &Arc<Limits>, now: u64) {
        let is_here = self.0.look(|found| found.is_some_and(|found| std::ptr::eq(found, account.as_ref())));
        if is_here {
            let next = account.replace_by(limits, now);
            self.0.swap_if(Some(account), Some(next));
        }
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;
    use crate::Reservation;

    #[test]
    fn an_account_that_another_thread_has_frozen_is_replaced_with_its_counts_where_it_is_found() {
        let limit = contract::Limit::parse("3 per minute", &mut |_| None).unwrap();
        let limits = Arc::new(Limits::new(vec![limit]).unwrap());
        let seat = Seat::default();
        Reservation::take(&seat, &limits, None, 0, 2).unwrap().charge();
        let before = seat.account(&limits, 0);
        // The state of a thread that would drop it, and finds it used again.
        before.freeze();
        Reservation::take(&seat, &limits, None, 0, 1).unwrap().charge();
        assert!(Reservation::take(&seat, &limits, None, 0, 1).is_err());
        assert!(!Arc::ptr_eq(&before, &seat.account(&limits, 0)));
    }
}
