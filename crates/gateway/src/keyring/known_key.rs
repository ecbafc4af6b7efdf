//! One key in memory: small, because there may be ten million.

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

/// Stands in the place of the expiry of a key that was revoked: it ended before any request came, so that even
/// who looks at nothing but the expiry refuses it. No other key has it.
const REVOKED: u32 = 0;
/// The end of time: a second that a key lives to see nothing of.
const NEVER: u32 = u32::MAX;

/// A key that is known. 48 bytes, and an [`Account`] once it was used.
#[derive(Debug)]
pub struct KnownKey {
    who: Who,
    id: PackedId,
    /// The Unix second from which on it is refused, or [`REVOKED`]: one word, so that both change in one step.
    ends: AtomicU32,
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

/// Whether a key lets its owner in.
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

    /// Seen by the next request, also on connections that are open.
    pub(super) fn change(&self, standing: Standing) {
        self.ends.store(ends(&standing), Ordering::Release);
        self.grant.store(standing.grant);
    }

    pub(super) fn revoke(&self) {
        self.ends.store(REVOKED, Ordering::Release);
    }

    /// Puts back what is charged already, as it stands at `now` (Unix milliseconds). False: it was used before.
    pub(super) fn restore(&self, used: &[Used], now: u64) -> bool {
        self.seat.restore(Account::restored(Arc::clone(&self.grant().limits()), used, now))
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
    pub fn id(&self) -> KeyId {
        self.id.text()
    }

    /// What it is granted now.
    pub fn grant(&self) -> Guard<Arc<Grant>> {
        self.grant.load()
    }

    /// Its counters at `now` (Unix milliseconds), with the limits that hold now. Made when the key is first used.
    pub fn account(&self, now: u64) -> Arc<Account> {
        self.seat.account(&self.grant().limits(), now)
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
        self.account(now.saturating_mul(1000)).errors().count(now);
    }

    /// Whether it lets its owner in at `now` (Unix seconds).
    pub(crate) fn validity(&self, now: u64) -> Validity {
        match self.ends.load(Ordering::Acquire) {
            REVOKED => Validity::Revoked,
            NEVER => Validity::Valid,
            expires_at if u64::from(expires_at) <= now => Validity::Expired,
            _ => Validity::Valid,
        }
    }

    /// Whether its answers carry the limits' headers.
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

/// The word of a standing. What expires behind 2106 never does; what expired with the first second of 1970 did so
/// with the next.
fn ends(standing: &Standing) -> u32 {
    if standing.revoked {
        return REVOKED;
    }
    standing.expires_at.and_then(|at| u32::try_from(at).ok()).unwrap_or(NEVER).max(REVOKED + 1)
}

/// A key that is looked for, by the first half of its digest, which is random already.
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

    /// With the two counts of an [`Arc`] it is 64 bytes, a size that the allocator has; so is an account of 56
    /// bytes with 72, which takes 80.
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
    fn an_expiry_behind_2106_is_none() {
        for expires_at in [None, Some(u64::from(NEVER)), Some(u64::from(NEVER) + 1), Some(u64::MAX)] {
            let key = known(standing(expires_at, false));
            assert_eq!(key.validity(u64::MAX), Validity::Valid, "{expires_at:?}");
        }
    }

    #[test]
    fn a_revoked_key_is_revoked_at_every_time_whatever_its_expiry() {
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
