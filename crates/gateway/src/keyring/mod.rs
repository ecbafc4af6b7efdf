//! The keys in memory: found by the digest of what a client sends, shared by all threads.
//!
//! The memory of a key is bounded (`known_key`), so that ten million fit; what many keys have in
//! common is stored once (`grant`).

mod exposed;
pub mod grant;
mod key_id;
mod known_key;
mod last_key;
mod sweep;
mod who;

pub(crate) use exposed::ExposedKeys;
pub use grant::{Grant, NotGranted, PlansNotChanged, Terms};
pub use key_id::{BadId, KeyId};
pub(crate) use known_key::Validity;
pub use known_key::{KnownKey, Standing};
pub(crate) use last_key::{LastKey, Settled};
pub use sweep::Sweep;

use crate::settings::Plan;
use contract::Limit;
use grant::Grants;
use known_key::Sought;
use limits::{Limits, Used, Who};
use regex::bytes::Regex;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use who::Seeded;

/// The digest of a key: a keyed hash, so that neither memory nor disk contains keys.
pub type Digest = [u8; 32];
/// Computes the digest of a presented key.
pub type DigestOf = dyn Fn(&[u8]) -> Digest + Send + Sync;

/// The known keys.
pub struct Keyring {
    keys: papaya::HashSet<Arc<KnownKey>, Seeded>,
    grants: Grants,
    digest_of: Box<DigestOf>,
    has_imported: AtomicBool,
    /// Keys that are not admitted because their plan is missing, with their usage: the plan may return.
    left_out: Mutex<HashMap<Who, Vec<Used>>>,
}

/// A key, as the data plane gets it.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// The key's ID, as in logs.
    pub id: &'a str,
    /// The digest of the key.
    pub digest: &'a Digest,
    /// Whether it was imported, so it may have any format.
    pub imported: bool,
    /// Its mutable attributes.
    pub standing: Standing,
}

/// The format of a presented key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Possible,
    Wrong,
}

// === impl Keyring ===

impl std::fmt::Debug for Keyring {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keyring").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Keyring {
    /// An empty keyring.
    pub fn new(plans: &[Plan], digest_of: Box<DigestOf>) -> Self {
        Self {
            keys: papaya::HashSet::with_hasher(Seeded::default()),
            grants: Grants::new(by_name(plans)),
            digest_of,
            has_imported: AtomicBool::new(false),
            left_out: Mutex::default(),
        }
    }

    /// Reserves capacity for this many keys, to avoid repeated growth while they are loaded.
    pub fn reserve(&self, keys: usize) {
        self.keys.pin().reserve(keys);
    }

    /// The grant for keys with these terms.
    ///
    /// # Errors
    /// The plan is unknown, or there are too many limits: the key is not admitted.
    pub fn grant(&self, terms: Terms) -> Result<Arc<Grant>, NotGranted> {
        self.grants.of(terms)
    }

    /// Adds a key, or changes an existing one, also on open connections.
    ///
    /// # Errors
    /// The ID has another format.
    pub fn insert(&self, key: NewKey<'_>) -> Result<(), BadId> {
        let who = who(key.digest);
        let keys = self.keys.pin();
        if let Some(known) = keys.get(&Sought(who)) {
            known.change(key.standing);
            return Ok(());
        }
        if key.imported {
            self.has_imported.store(true, Ordering::Relaxed);
        }
        let known = KnownKey::new(who, key.id, key.standing)?;
        if let Some(used) = self.left_out().remove(&who).filter(|used| !used.is_empty()) {
            let newest = used.iter().map(|row| row.second).max().unwrap_or(0);
            known.restore(&used, newest.saturating_mul(1000));
        }
        keys.insert(Arc::new(known));
        Ok(())
    }

    /// Registers a key that exists but is not admitted. To be called before usage is restored.
    pub fn leave_out(&self, digest: &Digest) {
        self.left_out().entry(who(digest)).or_default();
    }

    /// Restores the usage of a key, as of `now` (Unix milliseconds). False: no key has this `who`.
    pub fn restore(&self, who: &Who, used: &[Used], now: u64) -> bool {
        if let Some(key) = self.keys.pin().get(&Sought(*who)) {
            return key.restore(used, now);
        }
        self.left_out().get_mut(who).map(|rows| rows.extend_from_slice(used)).is_some()
    }

    // State left by a panic is intact: every change is atomic.
    fn left_out(&self) -> MutexGuard<'_, HashMap<Who, Vec<Used>>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current limits of a key. None: no key has this `who`.
    pub(crate) fn limits_of(&self, who: &Who) -> Option<Arc<Limits>> {
        self.keys.pin().get(&Sought(*who)).map(|key| Arc::clone(&key.grant().limits()))
    }

    /// The usage of a key, without windows that begin after `now` (Unix milliseconds). None: no key
    /// has this `who`.
    pub(crate) fn begun(&self, who: &Who, used: &[Used], now: u64) -> Option<Vec<Used>> {
        self.keys.pin().get(&Sought(*who)).map(|key| key.begun(used, now))
    }

    /// Revokes a key at once, also on open connections.
    pub fn revoke(&self, digest: &Digest) {
        if let Some(key) = self.keys.pin().get(&Sought(who(digest))) {
            key.revoke();
        }
    }

    /// Replaces the plans: the limits of each key change with its next request.
    ///
    /// # Errors
    /// A key has a plan that would be missing, or too many limits. Then nothing is changed.
    pub fn set_plans(&self, plans: &[Plan]) -> Result<(), PlansNotChanged> {
        self.grants.set_plans(by_name(plans))
    }

    /// The number of known keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this could be a key, without a lookup. `pattern`: the format of imported keys.
    pub(crate) fn format(&self, presented: &[u8], pattern: Option<&Regex>) -> Format {
        let possible = contract::key::is_well_formed(presented)
            || match pattern {
                Some(pattern) => pattern.is_match(presented),
                // Without a pattern an imported key may have any format, if there are imported keys.
                None => {
                    self.has_imported.load(Ordering::Relaxed) && presented.len() <= contract::key::LONGEST
                }
            };
        if possible { Format::Possible } else { Format::Wrong }
    }

    /// The owner of an address's counters. A keyed hash, as for keys: addresses of people must not
    /// be readable on disk.
    pub(crate) fn who_of_address(&self, address: &[u8; 16]) -> Who {
        let mut named = *b"address:----------------";
        named.iter_mut().skip(8).zip(address).for_each(|(to, from)| *to = *from);
        who(&(self.digest_of)(&named))
    }

    pub(crate) fn find(&self, presented: &[u8]) -> Option<Arc<KnownKey>> {
        self.find_digest(&(self.digest_of)(presented))
    }

    /// The key with this digest.
    pub fn find_digest(&self, digest: &Digest) -> Option<Arc<KnownKey>> {
        self.keys.pin().get(&Sought(who(digest))).cloned()
    }
}

fn who(digest: &Digest) -> Who {
    digest.first_chunk().copied().unwrap_or_default()
}

fn by_name(plans: &[Plan]) -> HashMap<String, Vec<Limit>> {
    plans.iter().map(|plan| (plan.name.clone(), plan.limits.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Limit {
        Limit::parse(text, &mut |_| None).unwrap()
    }

    fn keyring() -> Keyring {
        let plan = Plan { name: "free".into(), limits: vec![limit("1 per day")] };
        let digest_of = |key: &[u8]| {
            let mut digest = [0; 32];
            digest[..key.len().min(32)].copy_from_slice(&key[..key.len().min(32)]);
            digest
        };
        Keyring::new(&[plan], Box::new(digest_of))
    }

    fn terms(plan: &str, limits: &[&str]) -> Terms {
        let limits = limits.iter().map(|text| limit(text)).collect();
        Terms { plan: plan.into(), permissions: vec![], limits }
    }

    fn standing(keyring: &Keyring, terms: Terms) -> Standing {
        Standing { grant: keyring.grant(terms).unwrap(), expires_at: None, revoked: false }
    }

    fn insert(keyring: &Keyring, imported: bool) {
        let standing = standing(keyring, terms("free", &[]));
        let key = NewKey { id: "key_0123456789abcdef", digest: &[b'a'; 32], imported, standing };
        keyring.insert(key).unwrap();
    }

    #[test]
    fn a_key_of_an_unknown_plan_is_not_let_in() {
        let error = keyring().grant(terms("gone", &[])).unwrap_err();
        assert!(error.to_string().contains("[plans.gone]"), "{error}");
    }

    #[test]
    fn without_imported_keys_only_our_own_format_is_possible() {
        let keyring = keyring();
        assert_eq!(keyring.format(b"anything", None), Format::Wrong);
        insert(&keyring, true);
        assert_eq!(keyring.format(b"anything", None), Format::Possible);
        assert_eq!(keyring.format(&[b'x'; 600], None), Format::Wrong);
    }

    #[test]
    fn the_pattern_is_the_format_of_imported_keys() {
        let keyring = keyring();
        insert(&keyring, true);
        let pattern = Regex::new("^(?:[a-z]{4})$").unwrap();
        let format = |presented| keyring.format(presented, Some(&pattern));
        assert_eq!(format(b"abcd"), Format::Possible);
        assert_eq!(format(b"abcde"), Format::Wrong);
        assert_eq!(format(b"\xff\xff\xff\xff"), Format::Wrong);
    }

    #[test]
    fn a_revocation_takes_effect_for_holders_of_the_key() {
        let keyring = keyring();
        insert(&keyring, false);
        let held = keyring.find(&[b'a'; 32]).unwrap();
        keyring.revoke(&[b'a'; 32]);
        assert_eq!(held.validity(0), Validity::Revoked);
    }

    #[test]
    fn a_change_takes_effect_for_holders_of_the_key() {
        let keyring = keyring();
        insert(&keyring, false);
        let held = keyring.find(&[b'a'; 32]).unwrap();
        let changed = Standing { expires_at: Some(5), ..standing(&keyring, terms("free", &["7 per hour"])) };
        let id = "key_0123456789abcdef";
        keyring.insert(NewKey { id, digest: &[b'a'; 32], imported: false, standing: changed }).unwrap();
        assert_eq!((held.validity(4), held.validity(5)), (Validity::Valid, Validity::Expired));
        assert_eq!(held.account(0).limits().iter().count(), 2);
        assert_eq!(keyring.len(), 1);
    }

    #[test]
    fn a_key_is_found_by_all_of_its_half_of_the_digest() {
        let keyring = keyring();
        insert(&keyring, false);
        for place in 0..16 {
            let mut other = [b'a'; 32];
            other[place] ^= 1;
            assert!(keyring.find_digest(&other).is_none(), "byte {place} is not compared");
        }
    }

    #[test]
    fn an_id_of_another_form_is_not_let_in() {
        let keyring = keyring();
        for id in ["", "key_1", "kex_0123456789abcdef", "key_0123456789abcde/", "key_0123456789abcdef0"] {
            let standing = standing(&keyring, terms("free", &[]));
            let key = NewKey { id, digest: &[1; 32], imported: false, standing };
            assert!(keyring.insert(key).is_err(), "{id}");
        }
        assert!(keyring.is_empty());
    }

    #[test]
    fn a_sweep_gives_back_what_is_idle_and_leaves_what_is_used() {
        let keyring = keyring();
        keyring.reserve(1000);
        for number in 0..1000_u32 {
            let mut digest = [7; 32];
            digest[..4].copy_from_slice(&number.to_le_bytes());
            let standing = standing(&keyring, terms("free", &[]));
            let id = format!("key_{number:016}");
            keyring.insert(NewKey { id: &id, digest: &digest, imported: false, standing }).unwrap();
            let key = keyring.find_digest(&digest).unwrap();
            if number == 0 {
                let _ = key.reserve(limits::Remembered::nothing(), None, 1000, 1).unwrap().charge();
            } else {
                let _ = key.account(1000);
            }
        }
        let held = |keyring: &Keyring| keyring.keys.pin().iter().filter(|key| key.has_account()).count();
        assert_eq!(held(&keyring), 1000);
        let slices: Vec<_> = keyring.sweep().slices(64, || 2000).collect();
        assert_eq!((slices.len(), slices.iter().sum::<usize>(), held(&keyring)), (16, 999, 1));
        // After its day, when no request that began on it can still arrive, the last one is dropped too.
        assert_eq!(keyring.sweep().slices(64, || 86_400_000 + limits::LATEST_MILLIS).sum::<usize>(), 1);
        assert_eq!(held(&keyring), 0);
    }
}
