//! The ID of a key in compact form: 12 bytes, with its text on demand.

use std::{fmt, ops::Deref};

/// The prefix of every ID; it is not stored.
const PREFIX: [u8; 4] = *b"key_";
/// Letters and digits after the prefix.
const CHARACTERS: usize = 16;

/// Letters and digits by their number. There are 62, so each fits six bits.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The ID of a key with six bits a character: four characters in three bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedId([u8; CHARACTERS / 4 * 3]);

/// The text of an ID. On the stack, because each request sends it to the log and to the upstream.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; PREFIX.len() + CHARACTERS]);

/// Not an ID that Fairgate creates.
#[derive(Debug, thiserror::Error)]
#[error("a key id is `key_` followed by 16 letters and digits")]
pub struct BadId;

// === impl PackedId ===

impl PackedId {
    /// Parses an ID.
    pub(super) fn read(id: &str) -> Result<Self, BadId> {
        let text = id.as_bytes().strip_prefix(&PREFIX).ok_or(BadId)?;
        let text: &[u8; CHARACTERS] = text.try_into().map_err(|_| BadId)?;
        let mut packed = [0; CHARACTERS / 4 * 3];
        for (four, three) in text.as_chunks::<4>().0.iter().zip(packed.as_chunks_mut::<3>().0) {
            let mut word = 0;
            for &byte in four {
                word = word << 6 | number(byte).ok_or(BadId)?;
            }
            let [_, bytes @ ..] = word.to_be_bytes();
            *three = bytes;
        }
        Ok(Self(packed))
    }

    /// Its text.
    pub(super) fn text(self) -> KeyId {
        let mut text = [0; PREFIX.len() + CHARACTERS];
        let (prefix, characters) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(&PREFIX);
        for (three, four) in self.0.as_chunks::<3>().0.iter().zip(characters.as_chunks_mut::<4>().0) {
            let [first, second, third] = three.map(u32::from);
            let word = first << 16 | second << 8 | third;
            *four = [18, 12, 6, 0].map(|shift| character(word >> shift & 63));
        }
        KeyId(text)
    }
}

fn number(byte: u8) -> Option<u32> {
    let number = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(u32::from(number))
}

// The two numbers without a character are never packed.
fn character(number: u32) -> u8 {
    ALPHABET.get(number as usize).copied().unwrap_or(b'?')
}

// === impl KeyId ===

impl KeyId {
    /// Parses an ID.
    ///
    /// # Errors
    /// It is not an ID that Fairgate creates.
    pub fn read(id: &str) -> Result<Self, BadId> {
        PackedId::read(id).map(PackedId::text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // only ASCII was accepted
    }
}

impl Deref for KeyId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_letter_and_digit_round_trips_at_every_position() {
        for place in 4..PREFIX.len() + CHARACTERS {
            for byte in 0..=u8::MAX {
                let mut id = b"key_0123456789abcdef".to_vec();
                id[place] = byte;
                let Ok(id) = String::from_utf8(id) else { continue };
                let read = PackedId::read(&id).ok().map(|id| id.text().to_string());
                assert_eq!(read, byte.is_ascii_alphanumeric().then_some(id));
            }
        }
    }

    proptest! {
        #[test]
        fn valid_ids_round_trip_and_others_are_refused(id in "(key_[0-9A-Za-z]{14,18}|\\PC{0,24})") {
            let is_good = id.len() == 20
                && id.strip_prefix("key_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()));
            let read = PackedId::read(&id).ok().map(|id| id.text().to_string());
            prop_assert_eq!(read, is_good.then_some(id));
        }
    }
}
