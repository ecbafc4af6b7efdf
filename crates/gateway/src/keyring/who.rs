//! What a key is found by: the first half of its digest, which is random already.

use super::known_key::KnownKey;
use limits::Who;
use papaya::Equivalent;
use std::sync::Arc;

/// A key that is looked for.
#[derive(Hash)]
pub(super) struct Sought(pub(super) Who);

/// Hashes for the table. Digests are random already, but a table that finds too many of them in one place grows
/// for ever, so every bit of them counts.
pub(super) type Seeded = foldhash::fast::RandomState;

// === impl Sought ===

impl Equivalent<Arc<KnownKey>> for Sought {
    fn equivalent(&self, key: &Arc<KnownKey>) -> bool {
        self.0 == *key.who()
    }
}
