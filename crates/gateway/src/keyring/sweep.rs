//! Releases memory: walks through all keys in slices and drops unneeded accounts.

use super::{Keyring, KnownKey, who::Seeded};
use papaya::{HashSetRef, LocalGuard};
use std::sync::Arc;

/// Keeps the table in place for a walk. It blocks neither requests nor new keys.
pub struct Sweep<'k> {
    keys: HashSetRef<'k, Arc<KnownKey>, Seeded, LocalGuard<'k>>,
}

impl Keyring {
    /// Starts a walk through all keys known now.
    pub fn sweep(&self) -> Sweep<'_> {
        self.grants.forget_unused();
        Sweep { keys: self.keys.pin() }
    }
}

impl Sweep<'_> {
    /// Walks through the keys, this many in a slice. Each item is a finished slice: the number of
    /// dropped accounts, of those without usage or reservations at `now` (Unix milliseconds).
    pub fn slices(&self, keys: usize, now: impl Fn() -> u64) -> impl Iterator<Item = usize> {
        let mut walk = self.keys.iter();
        std::iter::from_fn(move || {
            let now = now();
            let mut slice = walk.by_ref().take(keys).peekable();
            slice.peek()?;
            Some(slice.filter(|key| key.retire(now)).count())
        })
    }
}
