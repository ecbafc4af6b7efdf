//! The last key of a connection.

use super::KnownKey;
use limits::{Remembered, Who};
use std::sync::Arc;

/// The last key of a connection, so that the next request with the same header needs neither a
/// digest nor a search for the account. Revocation and expiry are checked each time.
#[derive(Debug, Default)]
pub(crate) struct LastKey(Option<Last>);

#[derive(Debug)]
struct Last {
    /// The whole header value, by which the key is recognized.
    value: Vec<u8>,
    key: Arc<KnownKey>,
    /// The account of this key, never of another one.
    account: Remembered,
}

/// The account that a request was charged to, and its owner.
pub(crate) struct Settled {
    pub(crate) who: Who,
    pub(crate) account: Remembered,
}

impl LastKey {
    /// The remembered account of this key.
    pub(crate) fn account(&mut self, who: &Who) -> Remembered {
        let last = self.0.as_mut().filter(|last| last.key.who() == who);
        last.map_or(Remembered::nothing(), |last| std::mem::take(&mut last.account))
    }

    /// Remembers the account that a request was charged to, if it belongs to the key and not to an address.
    pub(crate) fn remember(&mut self, settled: Option<Settled>) {
        if let (Some(last), Some(settled)) = (&mut self.0, settled)
            && last.key.who() == &settled.who
        {
            last.account = settled.account;
        }
    }

    /// The key, if it was found by this value.
    pub(crate) fn find(&self, value: &[u8]) -> Option<Arc<KnownKey>> {
        self.0.as_ref().filter(|last| same(&last.value, value)).map(|last| Arc::clone(&last.key))
    }

    /// Remembers another key, found by this value.
    pub(crate) fn replace(&mut self, found_by: &[u8], key: &Arc<KnownKey>) {
        let mut value = self.0.take().map(|last| last.value).unwrap_or_default();
        value.clear();
        value.extend_from_slice(found_by);
        self.0 = Some(Last { value, key: Arc::clone(key), account: Remembered::nothing() });
    }
}

/// Compares in constant time, which does not reveal where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}
