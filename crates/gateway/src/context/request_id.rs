//! The ID of a request: the client's own if it is harmless, otherwise a new one.

use std::fmt;

/// Maximum length of an ID from a client.
const LONGEST: usize = 128;
/// `req_` and 26 characters: 48 bits of time and 80 random bits, like a ULID.
const MADE: usize = 30;

/// The ID of a request. Always visible ASCII.
#[derive(Clone)]
pub(crate) struct RequestId {
    bytes: [u8; LONGEST],
    length: u8,
}

impl RequestId {
    /// The client's own ID, if it has 1 to 128 characters of a harmless alphabet.
    pub(crate) fn of_client(value: &[u8]) -> Option<Self> {
        let harmless =
            |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'=');
        if value.is_empty() || !value.iter().all(harmless) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { bytes, length: u8::try_from(value.len()).ok()? })
    }

    /// A new ID. IDs sort by the time (Unix milliseconds) of their creation.
    pub(crate) fn new(millis: u64, random: &mut fastrand::Rng) -> Self {
        const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let number = (u128::from(millis) << 80) | (random.u128(..) >> 48);
        let mut bytes = [0; LONGEST];
        if let Some((prefix, digits)) = bytes.get_mut(..MADE).and_then(|made| made.split_at_mut_checked(4)) {
            prefix.copy_from_slice(b"req_");
            // In words of 60 bits: shifting both halves for each digit takes twice as long.
            for (turn, digits) in digits.rchunks_mut(12).enumerate() {
                let mut word = (number >> (60 * turn)) as u64;
                for digit in digits.iter_mut().rev() {
                    *digit = CROCKFORD.get((word % 32) as usize).copied().unwrap_or(b'0');
                    word /= 32;
                }
            }
        }
        Self { bytes, length: MADE as u8 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_unique_sort_by_time_and_are_taken_back() {
        let mut random = fastrand::Rng::new();
        let ids: Vec<_> =
            (0..1000).map(|millis| RequestId::new(1_770_000_000_000 + millis, &mut random)).collect();
        for pair in ids.windows(2) {
            assert!(pair[0].as_str() < pair[1].as_str());
        }
        assert_eq!(ids[0].as_str().len(), MADE);
        assert!(ids[0].as_str().starts_with("req_01"));
        assert_eq!(RequestId::of_client(ids[0].as_str().as_bytes()).unwrap().as_str(), ids[0].as_str());
    }

    #[test]
    fn a_clients_id_is_kept_only_if_it_is_harmless() {
        for kept in ["a", "550e8400-e29b-41d4-a716-446655440000", "a/b:c.d_e+f=", &"x".repeat(128)] {
            assert_eq!(RequestId::of_client(kept.as_bytes()).unwrap().as_str(), kept);
        }
        for dropped in ["", " ", "a b", "a\"b", "é", "<script>", &"x".repeat(129)] {
            assert!(RequestId::of_client(dropped.as_bytes()).is_none(), "{dropped}");
        }
    }
}
