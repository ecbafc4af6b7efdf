//! Random bytes, ids and keys from the system's generator.

use crate::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Microseconds until the year 2398, in base62. Its digits are in the order of ASCII, so ids sort by time.
const TIME_DIGITS: usize = 9;

/// So many random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StoreError::NoRandomness)?;
    Ok(bytes)
}

/// `prefix` and so many base62 characters.
pub fn id(prefix: &str, characters: usize) -> Result<String, StoreError> {
    let mut id = String::with_capacity(prefix.len() + characters);
    id.push_str(prefix);
    while id.len() < prefix.len() + characters {
        for byte in bytes::<32>()? {
            // 248 is the largest multiple of 62 in a byte: above it some characters would be likelier.
            if byte < 248
                && id.len() < prefix.len() + characters
                && let Some(&character) = BASE62.get(usize::from(byte % 62))
            {
                id.push(char::from(character));
            }
        }
    }
    Ok(id)
}

/// The id of a new key, made at this time (microseconds since the Unix epoch). Ids that one process makes come one
/// after the other in their order, also within a second, so that lists have an order; the rest is random.
pub fn key_id(micros: u64) -> Result<String, StoreError> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let next = |last: u64| micros.max(last.saturating_add(1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
    let mut rest = next(last.unwrap_or_default());
    let mut digits = [b'0'; TIME_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(rest % 62).ok().and_then(|at| BASE62.get(at).copied()).unwrap_or(b'0');
        rest /= 62;
    }
    id(&format!("key_{}", String::from_utf8_lossy(&digits)), 16 - TIME_DIGITS)
}

/// A new key in the format of [`contract::key`].
pub fn key() -> Result<String, StoreError> {
    let mut pool = bytes::<64>()?.into_iter();
    let mut failure = None;
    let key = contract::key::generate(|| {
        pool.next().unwrap_or_else(|| {
            let refill = bytes::<64>().unwrap_or_else(|error| {
                failure = Some(error);
                [0; 64]
            });
            pool = refill.into_iter();
            pool.next().unwrap_or(0)
        })
    });
    // A key that was filled up with zeros must never be handed out.
    failure.map_or(Ok(key), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_keys_have_their_form_and_never_repeat() {
        let ids: HashSet<String> = (0..1000).map(|_| key_id(1_795_399_200_000_000).unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 20 && id.starts_with("key_")));
        let keys: HashSet<String> = (0..1000).map(|_| key().unwrap()).collect();
        assert_eq!(keys.len(), 1000);
        assert!(keys.iter().all(|key| contract::key::is_well_formed(key.as_bytes())));
    }
}
