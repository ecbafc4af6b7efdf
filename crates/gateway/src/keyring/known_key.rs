//! One key in memory: small, because there may be ten million.

use super::grant::Grant;
use arc_swap::{ArcSwap, Guard};
use limits::{Account, Denial, Remembered, Reservation, Seat, Used, Who};
use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// `key_` and 16 characters.
const ID_LENGTH: usize = 20;
const REVOKED: u32 = 1;
/// The end of time: a second that a key lives to see nothing of.
const NEVER: u32 = u32::MAX;

/// A key that is known. 64 bytes, and an [`Account`] once it was used.
#[derive(Debug)]
pub struct KnownKey {
    who: Who,
    id: [u8; ID_LENGTH],
    /// The Unix second from which on it is refused.
    expires_at: AtomicU32,
    flags: AtomicU32,
    grant: ArcSwap<Grant>,
    seat: Seat,
}

/// What can change of a key.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What it is granted.
    pub grant: Arc<Grant>,
    /// Unix second from which on it is refused.
    pub expires_at: Option<u64>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// The id is none that Fairgate makes.
#[derive(Debug, thiserror::Error)]
#[error("an id of a key is `key_` and 16 letters and digits")]
pub struct BadId;

// === impl KnownKey ===

impl KnownKey {
    pub(super) fn new(who: Who, id: &str, standing: Standing) -> Result<Self, BadId> {
        let is_good =
            id.strip_prefix("key_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        let id = id.as_bytes().try_into().ok().filter(|_| is_good).ok_or(BadId)?;
        Ok(Self {
            who,
            id,
            expires_at: AtomicU32::new(second(standing.expires_at)),
            flags: AtomicU32::new(flags(standing.revoked)),
            grant: ArcSwap::new(standing.grant),
            seat: Seat::default(),
        })
    }

    /// Seen by the next request, also on connections that are open.
    pub(super) fn change(&self, standing: Standing) {
        self.expires_at.store(second(standing.expires_at), Ordering::Release);
        self.flags.store(flags(standing.revoked), Ordering::Release);
        self.grant.store(standing.grant);
    }

    pub(super) fn revoke(&self) {
        self.flags.fetch_or(REVOKED, Ordering::Release);
    }

    /// Puts back what is charged already. False: it was used before.
    pub(super) fn restore(&self, used: &[Used]) -> bool {
        self.seat.restore(Account::restored(Arc::clone(&self.grant().limits()), used))
    }

    /// The rows without those whose windows begin after `now` (Unix milliseconds).
    pub(super) fn begun(&self, used: &[Used], now: u64) -> Vec<Used> {
        self.grant().limits().begun(used, now)
    }

    /// Gives its account back if that is not needed at `now` (Unix milliseconds). True: it was given back.
    pub(super) fn retire(&self, now: u64) -> bool {
        self.has_account() && self.seat.retire(now)
    }

    /// Whether it was used, and its account was not given back since.
    pub(super) fn has_account(&self) -> bool {
        self.seat.look(|account| account.is_some())
    }

    /// The first half of the key's digest.
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The key's id.
    pub fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default() // only ASCII was let in
    }

    /// What it is granted now.
    pub fn grant(&self) -> Guard<Arc<Grant>> {
        self.grant.load()
    }

    /// Its counters, with the limits that hold now. Made when the key is first used.
    pub fn account(&self) -> Arc<Account> {
        self.seat.account(&self.grant().limits())
    }

    /// Takes `cost` units in every limit that applies to an endpoint of this group. `account`: what the connection
    /// remembers of this key.
    pub(crate) fn reserve(
        &self,
        account: Remembered,
        group: Option<&str>,
        now: u64,
        cost: u32,
    ) -> Result<Reservation, Denial> {
        Reservation::take_again(account, &self.seat, &self.grant().limits(), group, now, cost)
    }

    /// Errors within the minute of `now` (Unix seconds).
    pub(crate) fn errors_within_minute(&self, now: u64) -> u64 {
        self.seat.look(|account| account.map_or(0, |account| account.errors().within_minute(now)))
    }

    /// Counts an error at `now` (Unix seconds).
    pub(crate) fn count_error(&self, now: u64) {
        self.account().errors().count(now);
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.flags.load(Ordering::Acquire) & REVOKED != 0
    }

    pub(crate) fn is_expired(&self, now: u64) -> bool {
        let expires_at = self.expires_at.load(Ordering::Acquire);
        expires_at != NEVER && u64::from(expires_at) <= now
    }

    /// Whether its answers carry the limits' headers.
    pub(crate) fn is_valid(&self, now: u64) -> bool {
        !self.is_revoked() && !self.is_expired(now)
    }
}

impl PartialEq for KnownKey {
    fn eq(&self, other: &Self) -> bool {
        self.who == other.who
    }
}

impl Eq for KnownKey {}

impl Hash for KnownKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        super::who::Sought(self.who).hash(state);
    }
}

/// The second as it is kept. What lies behind 2106 is never.
fn second(expires_at: Option<u64>) -> u32 {
    expires_at.and_then(|at| u32::try_from(at).ok()).unwrap_or(NEVER)
}

const fn flags(revoked: bool) -> u32 {
    if revoked { REVOKED } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the two counts of an [`Arc`] it is 80 bytes, a size that the allocator has.
    #[test]
    fn a_key_is_small() {
        assert!(size_of::<KnownKey>() <= 64, "{}", size_of::<KnownKey>());
        assert!(size_of::<Account>() <= 64, "{}", size_of::<Account>());
    }

    #[test]
    fn an_expiry_behind_2106_is_none_and_none_before_it_is() {
        assert_eq!(second(None), NEVER);
        assert_eq!(second(Some(u64::from(NEVER) + 5)), NEVER);
        assert_eq!(second(Some(u64::from(NEVER) - 1)), NEVER - 1);
    }
}
