//! A key in memory: small, because there may be ten million.

use super::{
    grant::Grant,
    key_id::{BadId, KeyId, PackedId},
};
use arc_swap::{ArcSwap, Guard};
use limits::{Account, Denial, Remembered, Reservation, Seat, Used, Who};
use papaya::Equivalent;
use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// The expiry of a revoked key: it ended before any request, so a check of the expiry alone refuses
/// it too. No other key has this value.
const REVOKED: u32 = 0;
/// The end of time: a key never lives to this second.
const NEVER: u32 = u32::MAX;

/// A known key. 48 bytes, plus an [`Account`] after its first use.
#[derive(Debug)]
pub struct KnownKey {
    who: Who,
    id: PackedId,
    /// The Unix second from which it is refused, or [`REVOKED`]: one word, so that both change atomically.
    ends: AtomicU32,
    grant: ArcSwap<Grant>,
    seat: Seat,
}

/// The mutable attributes of a key.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its grant.
    pub grant: Arc<Grant>,
    /// The Unix second from which it is refused.
    pub expires_at: Option<u64>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// Whether a key is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    Valid,
    Revoked,
    Expired,
}

// === impl KnownKey ===

impl KnownKey {
    pub(super) fn new(who: Who, id: &str, standing: Standing) -> Result<Self, BadId> {
        Ok(Self {
            who,
            id: PackedId::read(id)?,
            ends: AtomicU32::new(ends(&standing)),
            grant: ArcSwap::new(standing.grant),
            seat: Seat::default(),
        })
    }

    /// Takes effect with the next request, also on open connections.
    pub(super) fn change(&self, standing: Standing) {
        self.ends.store(ends(&standing), Ordering::Release);
        self.grant.store(standing.grant);
    }

    pub(super) fn revoke(&self) {
        self.ends.store(REVOKED, Ordering::Release);
    }

    /// Restores recorded charges, as of `now` (Unix milliseconds). False: it was used before.
    pub(super) fn restore(&self, used: &[Used], now: u64) -> bool {
        self.seat.restore(Account::restored(Arc::clone(&self.grant().limits()), used, now))
    }

    /// The rows without those whose windows begin after `now` (Unix milliseconds).
    pub(super) fn begun(&self, used: &[Used], now: u64) -> Vec<Used> {
        self.grant().limits().begun(used, now)
    }

    /// Drops its account if it is not needed at `now` (Unix milliseconds). True: it was dropped.
    pub(super) fn retire(&self, now: u64) -> bool {
        self.has_account() && self.seat.retire(now)
    }

    /// Whether it was used and its account was not dropped since.
    pub(super) fn has_account(&self) -> bool {
        self.seat.look(|account| account.is_some())
    }

    /// The first half of the key's digest.
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The key's ID.
    pub fn id(&self) -> KeyId {
        self.id.text()
    }

    /// Its current grant.
    pub fn grant(&self) -> Guard<Arc<Grant>> {
        self.grant.load()
    }

    /// Its counters at `now` (Unix milliseconds), with the current limits. Created on first use.
    pub fn account(&self, now: u64) -> Arc<Account> {
        self.seat.account(&self.grant().limits(), now)
    }

    /// Reserves `cost` units in every limit that applies to an endpoint of this group. `account`:
    /// the one remembered by the connection.
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
        self.account(now.saturating_mul(1000)).errors().count(now);
    }

    /// Whether it is valid at `now` (Unix seconds).
    pub(crate) fn validity(&self, now: u64) -> Validity {
        match self.ends.load(Ordering::Acquire) {
            REVOKED => Validity::Revoked,
            NEVER => Validity::Valid,
            expires_at if u64::from(expires_at) <= now => Validity::Expired,
            _ => Validity::Valid,
        }
    }

    /// Whether its responses have rate-limit headers.
    pub(crate) fn is_valid(&self, now: u64) -> bool {
        self.validity(now) == Validity::Valid
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
        Sought(self.who).hash(state);
    }
}

/// The `ends` word. Expiry after 2106 becomes never; expiry at the first second of 1970 becomes the next one.
fn ends(standing: &Standing) -> u32 {
    if standing.revoked {
        return REVOKED;
    }
    standing.expires_at.and_then(|at| u32::try_from(at).ok()).unwrap_or(NEVER).max(REVOKED + 1)
}

/// A key to look up, by the first half of its digest, which is random.
#[derive(Hash)]
pub(super) struct Sought(pub(super) Who);

impl Equivalent<Arc<KnownKey>> for Sought {
    fn equivalent(&self, key: &Arc<KnownKey>) -> bool {
        self.0 == *key.who()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::grant::{Grants, Terms};
    use std::collections::HashMap;

    fn standing(expires_at: Option<u64>, revoked: bool) -> Standing {
        let grants = Grants::new(HashMap::from([("free".to_owned(), vec![])]));
        let terms = Terms { plan: "free".into(), permissions: vec![], limits: vec![] };
        Standing { grant: grants.of(terms).unwrap(), expires_at, revoked }
    }

    fn known(standing: Standing) -> KnownKey {
        KnownKey::new([1; 16], "key_0123456789abcdef", standing).unwrap()
    }

    /// With the two counters of an [`Arc`] it has 64 bytes, which is a size class of the allocator;
    /// an account of 56 bytes has 72, which takes 80.
    #[test]
    fn a_key_is_small() {
        assert_eq!(size_of::<KnownKey>(), 48);
        assert!(size_of::<Account>() <= 56, "{}", size_of::<Account>());
    }

    #[test]
    fn a_key_ends_at_the_second_of_its_expiry_and_not_before() {
        let latest = u64::from(NEVER) - 1;
        for second in [1, 2, 1_790_000_000, latest] {
            let key = known(standing(Some(second), false));
            assert_eq!(key.validity(second - 1), Validity::Valid, "{second}");
            assert_eq!(key.validity(second), Validity::Expired, "{second}");
        }
        assert_eq!(known(standing(Some(0), false)).validity(1), Validity::Expired);
    }

    #[test]
    fn an_expiry_after_2106_is_never() {
        for expires_at in [None, Some(u64::from(NEVER)), Some(u64::from(NEVER) + 1), Some(u64::MAX)] {
            let key = known(standing(expires_at, false));
            assert_eq!(key.validity(u64::MAX), Validity::Valid, "{expires_at:?}");
        }
    }

    #[test]
    fn a_revoked_key_is_revoked_at_all_times_regardless_of_its_expiry() {
        for expires_at in [None, Some(0), Some(5), Some(u64::MAX)] {
            let (made, revoked) = (known(standing(expires_at, true)), known(standing(expires_at, false)));
            revoked.revoke();
            for now in [0, 4, 5, 6, u64::MAX] {
                assert_eq!(made.validity(now), Validity::Revoked, "{expires_at:?} at {now}");
                assert_eq!(revoked.validity(now), Validity::Revoked, "{expires_at:?} at {now}");
            }
            revoked.change(standing(Some(7), false));
            assert_eq!((revoked.validity(6), revoked.validity(7)), (Validity::Valid, Validity::Expired));
        }
    }
}
