//! Keys that were sent without TLS where TLS is required: which of them were logged in the current hour.

use super::KeyId;
use papaya::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum number of keys logged in an hour. More means a leaked list, which is obvious by then.
const MAX_KEYS: usize = 10_000;
const HOUR: u64 = 3_600;

/// Keys that were logged in the current hour. Shared by all data threads; never blocks.
#[derive(Debug, Default)]
pub(crate) struct ExposedKeys {
    hour: AtomicU64,
    named: HashSet<KeyId>,
}

impl ExposedKeys {
    /// Whether to log this key now, at this Unix second: true once an hour.
    pub(crate) fn is_new(&self, id: KeyId, now: u64) -> bool {
        let hour = now / HOUR;
        // The first caller in an hour clears the set. A key added in between may be logged twice.
        if self.hour.swap(hour, Ordering::Relaxed) != hour {
            self.named.pin().clear();
        }
        let named = self.named.pin();
        named.len() < MAX_KEYS && named.insert(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> KeyId {
        KeyId::read(&format!("key_{number:016}")).unwrap()
    }

    #[test]
    fn a_key_is_named_once_an_hour() {
        let keys = ExposedKeys::default();
        let (one, other) = (id(1), id(2));
        assert!(keys.is_new(one, 7_200) && keys.is_new(other, 7_201));
        assert!(!keys.is_new(one, 7_201) && !keys.is_new(one, 10_799));
        assert!(keys.is_new(one, 10_800) && !keys.is_new(one, 10_801));
    }

    #[test]
    fn the_keys_of_an_hour_are_bounded() {
        let keys = ExposedKeys::default();
        let named = (0..MAX_KEYS as u64 + 5).filter(|&n| keys.is_new(id(n), 0)).count();
        assert_eq!(named, MAX_KEYS);
    }
}
