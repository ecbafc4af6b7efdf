//! Gives memory back: a walk through all keys in slices, which drops accounts that are not needed.

use super::{Keyring, KnownKey, who::Seeded};
use papaya::{HashSetRef, LocalGuard};
use std::sync::Arc;

/// Keeps the table in place for a walk. Requests, and keys that come in, are not held up by it.
pub struct Sweep<'k> {
    keys: HashSetRef<'k, Arc<KnownKey>, Seeded, LocalGuard<'k>>,
}

impl Keyring {
    /// Begins a walk through all keys that are known now.
    pub fn sweep(&self) -> Sweep<'_> {
        self.grants.forget_unused();
        Sweep { keys: self.keys.pin() }
    }
}

impl Sweep<'_> {
    /// Walks through the keys, so many of them in a slice. Each item is a slice that is done: how many
    /// accounts were given back, of those in which nothing is used or reserved at `now` (Unix milliseconds).
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
