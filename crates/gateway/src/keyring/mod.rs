//! The keys in memory: found by the digest of what a client presents, shared by all threads.

use crate::settings::{Keys, Plan};
use contract::Limit;
use limits::{Account, HasAccount, Used};
use regex::bytes::Regex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What a key is stored under: a keyed hash, so that neither memory nor disk holds keys.
pub type Digest = [u8; 32];
/// Turns a presented key into its digest.
pub type DigestOf = dyn Fn(&[u8]) -> Digest + Send + Sync;

/// The keys that are known.
pub struct Keyring {
    keys: papaya::HashMap<Digest, Arc<KnownKey>>,
    digest_of: Box<DigestOf>,
    plans: HashMap<String, Arc<[Limit]>>,
    pattern: Option<Regex>,
    has_imported: AtomicBool,
}

/// What the data plane is told of a key.
#[derive(Debug)]
pub struct NewKey {
    /// The key's id, as it stands in logs.
    pub id: String,
    /// Digest of the key.
    pub digest: Digest,
    /// Name of its plan.
    pub plan: String,
    /// What it may do; `*` stands for everything.
    pub permissions: Vec<String>,
    /// Unix second from which on it is refused.
    pub expires_at: Option<u64>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it was imported, so that it may have any format.
    pub imported: bool,
    /// What is charged already.
    pub used: Vec<Used>,
}

/// A key that is known, with its account.
#[derive(Debug)]
pub struct KnownKey {
    id: Box<str>,
    plan: Box<str>,
    permissions: Box<[Box<str>]>,
    expires_at: u64,
    revoked: AtomicBool,
    account: Account,
}

/// The key's plan is not in the configuration.
#[derive(Debug, thiserror::Error)]
#[error(
    "key {id} belongs to the plan `{plan}`, which the configuration does not have; add [plans.{plan}] or revoke the key"
)]
pub struct UnknownPlan {
    /// The key's id.
    pub id: String,
    /// The plan's name.
    pub plan: String,
}

/// How the format of a presented key looks.
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
    pub fn new(plans: &[Plan], keys: &Keys, digest_of: Box<DigestOf>) -> Self {
        let plans = plans.iter().map(|plan| (plan.name.clone(), plan.limits.clone().into())).collect();
        // The same text once more, over bytes: what a client presents need not be UTF-8.
        let pattern = keys.pattern.as_ref().and_then(|pattern| Regex::new(pattern.as_str()).ok());
        Self { keys: papaya::HashMap::new(), digest_of, plans, pattern, has_imported: AtomicBool::new(false) }
    }

    /// Adds a key, or replaces one with the same digest.
    ///
    /// # Errors
    /// The plan is not known: such a key would have no limits, so it is not let in.
    pub fn insert(&self, key: NewKey) -> Result<(), UnknownPlan> {
        let Some(limits) = self.plans.get(&key.plan) else {
            return Err(UnknownPlan { id: key.id, plan: key.plan });
        };
        if key.imported {
            self.has_imported.store(true, Ordering::Relaxed);
        }
        let known = KnownKey {
            account: Account::new(Arc::clone(limits), &key.used),
            id: key.id.into(),
            plan: key.plan.into(),
            permissions: key.permissions.into_iter().map(Into::into).collect(),
            expires_at: key.expires_at.unwrap_or(u64::MAX),
            revoked: AtomicBool::new(key.revoked),
        };
        self.keys.pin().insert(key.digest, Arc::new(known));
        Ok(())
    }

    /// Revokes a key at once, also on connections that are open.
    pub fn revoke(&self, digest: &Digest) {
        if let Some(key) = self.keys.pin().get(digest) {
            key.revoked.store(true, Ordering::Release);
        }
    }

    /// Keys that are known.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this could be a key, without a look-up.
    pub(crate) fn format(&self, presented: &[u8]) -> Format {
        let possible = contract::key::is_well_formed(presented)
            || match &self.pattern {
                Some(pattern) => pattern.is_match(presented),
                // Without a pattern an imported key may have any format, if there is any.
                None => {
                    self.has_imported.load(Ordering::Relaxed) && presented.len() <= contract::key::LONGEST
                }
            };
        if possible { Format::Possible } else { Format::Wrong }
    }

    pub(crate) fn find(&self, presented: &[u8]) -> Option<Arc<KnownKey>> {
        self.keys.pin().get(&(self.digest_of)(presented)).cloned()
    }
}

// === impl KnownKey ===

impl KnownKey {
    /// The key's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of its plan.
    pub fn plan(&self) -> &str {
        &self.plan
    }

    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|held| **held == *permission || **held == *"*")
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    pub(crate) const fn is_expired(&self, now: u64) -> bool {
        self.expires_at <= now
    }

    /// Whether its answers carry the limits' headers.
    pub(crate) fn is_valid(&self, now: u64) -> bool {
        !self.is_revoked() && !self.is_expired(now)
    }
}

impl HasAccount for KnownKey {
    fn account(&self) -> &Account {
        &self.account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(pattern: Option<&str>) -> Keyring {
        let plan = Plan { name: "free".into(), limits: vec!["1 per day".parse().unwrap()] };
        let keys =
            Keys { headers: vec![], pattern: pattern.map(|pattern| regex::Regex::new(pattern).unwrap()) };
        let digest_of = |key: &[u8]| {
            let mut digest = [0; 32];
            digest[..key.len().min(32)].copy_from_slice(&key[..key.len().min(32)]);
            digest
        };
        Keyring::new(&[plan], &keys, Box::new(digest_of))
    }

    fn new_key(plan: &str, imported: bool) -> NewKey {
        NewKey {
            id: "key_1".into(),
            digest: [b'a'; 32],
            plan: plan.into(),
            permissions: vec![],
            expires_at: None,
            revoked: false,
            imported,
            used: vec![],
        }
    }

    #[test]
    fn a_key_of_an_unknown_plan_is_not_let_in() {
        assert!(keyring(None).insert(new_key("gone", false)).is_err());
    }

    #[test]
    fn without_imported_keys_only_our_own_format_is_possible() {
        let keyring = keyring(None);
        assert_eq!(keyring.format(b"anything"), Format::Wrong);
        keyring.insert(new_key("free", true)).unwrap();
        assert_eq!(keyring.format(b"anything"), Format::Possible);
        assert_eq!(keyring.format(&[b'x'; 600]), Format::Wrong);
    }

    #[test]
    fn the_pattern_is_the_format_of_imported_keys() {
        let keyring = keyring(Some("^(?:[a-z]{4})$"));
        keyring.insert(new_key("free", true)).unwrap();
        assert_eq!(keyring.format(b"abcd"), Format::Possible);
        assert_eq!(keyring.format(b"abcde"), Format::Wrong);
        assert_eq!(keyring.format(b"\xff\xff\xff\xff"), Format::Wrong);
    }

    #[test]
    fn a_revocation_is_seen_by_whoever_holds_the_key_already() {
        let keyring = keyring(None);
        keyring.insert(new_key("free", false)).unwrap();
        let held = keyring.find(&[b'a'; 32]).unwrap();
        keyring.revoke(&[b'a'; 32]);
        assert!(held.is_revoked());
    }
}
