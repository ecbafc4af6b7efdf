//! Where the account of a key is: made when it is first needed, replaced when the key's limits change, given
//! back when it is not needed any more.

use crate::{account::Account, compiled::Limits, slot::Slot};
use std::sync::Arc;

/// The place of one account. Empty: nothing is used.
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
    /// Puts an account here that was restored. False: there is one already.
    pub fn restore(&self, account: Account) -> bool {
        self.0.swap_if(None, Some(Arc::new(account)))
    }

    /// The account, with these limits. One of other limits is replaced; of what it has counted, that is left behind
    /// which has ended at `now` (Unix milliseconds).
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

    /// Hands the account to `look`, if there is one.
    pub fn look<R>(&self, look: impl FnOnce(Option<&Account>) -> R) -> R {
        self.0.look(look)
    }

    /// Gives the account back if nothing is used or reserved in it at `now` (Unix milliseconds). True: the
    /// seat is empty.
    pub fn retire(&self, now: u64) -> bool {
        let Some(account) = self.0.load() else { return true };
        if !account.is_idle(now) {
            return false;
        }
        // Somebody may have found the account a moment ago. Frozen, it grants him nothing any more, and he
        // comes back here for another one.
        account.freeze();
        if account.is_idle(now) && self.0.swap_if(Some(&account), None) {
            return true;
        }
        self.replace(&account);
        false
    }

    /// Puts the successor of a frozen account in its place.
    pub(crate) fn replace(&self, account: &Arc<Account>) {
        // Of the same limits nothing is left behind.
        self.put(account, account.limits(), 0);
    }

    // An account that does not stand here any more is left alone: what stands here in its place is newer.
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
        // As far as a thread gets that would give it back, and finds it used again.
        before.freeze();
        Reservation::take(&seat, &limits, None, 0, 1).unwrap().charge();
        assert!(Reservation::take(&seat, &limits, None, 0, 1).is_err());
        assert!(!Arc::ptr_eq(&before, &seat.account(&limits, 0)));
    }
}
