//! What a key is found by: the first half of its digest, which is random already.

use super::known_key::KnownKey;
use limits::Who;
use papaya::Equivalent;
use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::Arc,
};

/// A key that is looked for.
#[derive(Hash)]
pub(super) struct Sought(pub(super) Who);

/// Hashes by eight bytes of what is random already: whoever does not know the store's secret cannot choose
/// them. The seed keeps the order of the table from telling anything.
pub(super) struct Seeded(u64);

pub(super) struct SeededHasher(u64);

// === impl Sought ===

impl Equivalent<Arc<KnownKey>> for Sought {
    fn equivalent(&self, key: &Arc<KnownKey>) -> bool {
        self.0 == *key.who()
    }
}

// === impl Seeded ===

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = SeededHasher;

    fn build_hasher(&self) -> SeededHasher {
        SeededHasher(self.0)
    }
}

impl Hasher for SeededHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(29) ^ word;
    }

    // An array's length, which is always the same here.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
