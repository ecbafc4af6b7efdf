//! The format of API keys created by Fairgate: `fg_`, 32 random base62 characters, a checksum.
//!
//! The checksum distinguishes a truncated or mistyped key from an unknown one without a lookup: the
//! former is a 400 (`KEY_FORMAT_INCORRECT`), the latter a 403.

use crate::percent::first_decoded;
use std::borrow::Cow;

/// The prefix of every key created by Fairgate.
pub const PREFIX: &str = "fg_";
/// Random base62 characters in a key: 190 bits.
pub const RANDOM_CHARACTERS: usize = 32;
/// Base62 characters of the checksum, which hold a CRC-32.
pub const CHECKSUM_CHARACTERS: usize = 6;
/// The length of a key in bytes.
pub const LENGTH: usize = PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
/// A longer key is refused without a lookup, whatever its format.
pub const LONGEST: usize = 512;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Generates a key from a source of uniformly random bytes.
///
/// Bytes of 248 and above are skipped, so that each character is equally likely (248 is the largest
/// multiple of 62 in a byte).
pub fn generate(mut random_byte: impl FnMut() -> u8) -> String {
    let mut key = String::with_capacity(LENGTH);
    key.push_str(PREFIX);
    while key.len() < PREFIX.len() + RANDOM_CHARACTERS {
        let byte = random_byte();
        if byte < 248 {
            key.push(digit(u32::from(byte)));
        }
    }
    for character in checksum(key.as_bytes()) {
        key.push(character);
    }
    key
}

/// Whether these bytes could be a key created by Fairgate.
pub fn is_well_formed(key: &[u8]) -> bool {
    let Some((body, sent)) = key.split_at_checked(PREFIX.len() + RANDOM_CHARACTERS) else { return false };
    let Some(random) = body.strip_prefix(PREFIX.as_bytes()) else { return false };
    random.iter().all(u8::is_ascii_alphanumeric)
        && sent.len() == CHECKSUM_CHARACTERS
        && checksum(body).into_iter().zip(sent).all(|(made, sent)| made as u32 == u32::from(*sent))
}

/// The offset of a well-formed key in a text, whatever surrounds it.
#[inline]
pub fn position(text: &[u8]) -> Option<usize> {
    // Search for the character of the prefix that is rarest in other text.
    memchr::memchr_iter(b'_', text).find_map(|mark| {
        let start = mark.checked_sub(PREFIX.len() - 1)?;
        text.get(start..start + LENGTH).is_some_and(is_well_formed).then_some(start)
    })
}

/// The first well-formed key in a text, plain or percent-encoded.
pub fn find(text: &[u8]) -> Option<[u8; LENGTH]> {
    let plain = position(text).and_then(|start| text.get(start..)?.first_chunk().copied());
    plain.or_else(|| in_encoded(text))
}

/// A well-formed key in a text with some of its characters percent-encoded.
pub fn in_encoded(text: &[u8]) -> Option<[u8; LENGTH]> {
    // Keys need no encoding, so this is rare.
    memchr::memchr(b'%', text)?;
    (0..text.len()).find_map(|start| {
        let (mut key, mut rest) = ([0; LENGTH], text.get(start..)?);
        for (place, wanted) in key.iter_mut().zip(PREFIX.bytes().map(Some).chain(std::iter::repeat(None))) {
            (*place, rest) = first_decoded(rest)?;
            if wanted.is_some_and(|wanted| wanted != *place) {
                return None;
            }
        }
        is_well_formed(&key).then_some(key)
    })
}

/// The text with each well-formed key in it cut to its [`preview`]: what may be kept of a path.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = position(rest.as_bytes())
        && let Some((before, key)) = rest.split_at_checked(start)
        && let Some((key, behind)) = key.split_at_checked(LENGTH)
    {
        masked.push_str(before);
        masked.push_str(&preview(key));
        rest = behind;
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// The part of a key to show in lists: its beginning, never enough to use it.
pub fn preview(key: &str) -> String {
    key.chars().take(PREFIX.len() + 4).chain("…".chars()).collect()
}

fn checksum(body: &[u8]) -> [char; CHECKSUM_CHARACTERS] {
    let mut rest = crc32fast::hash(body);
    let mut characters = ['0'; CHECKSUM_CHARACTERS];
    for character in characters.iter_mut().rev() {
        *character = digit(rest);
        rest /= 62;
    }
    characters
}

fn digit(number: u32) -> char {
    BASE62.get((number % 62) as usize).copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_found_in_any_text_plain_or_encoded() {
        let key = generate(|| 7);
        let encoded = |all: bool| -> String {
            let is_encoded = |at: usize| all || at == 2 || at == 9;
            let of = |(at, b): (usize, u8)| {
                if is_encoded(at) { format!("%{b:02x}") } else { char::from(b).to_string() }
            };
            key.bytes().enumerate().map(of).collect()
        };
        for text in [key.clone(), format!("a_b=fg_{key};c"), format!("_{key}_"), format!("fg{key}")] {
            let at = position(text.as_bytes()).unwrap();
            assert_eq!(&text[at..at + LENGTH], key, "{text}");
        }
        for text in [String::new(), "_fg_".into(), key[1..].into(), key[..LENGTH - 1].into(), encoded(true)] {
            assert_eq!(position(text.as_bytes()), None, "{text}");
        }
        for text in [encoded(true), format!("a=%20&b={}%", encoded(false)), format!("%66{}", &key[1..])] {
            assert_eq!(in_encoded(text.as_bytes()), Some(key.as_bytes().try_into().unwrap()), "{text}");
        }
        for text in [key.clone(), "%66%67%5F".into(), "%".into(), "%zz%f".into()] {
            assert_eq!(in_encoded(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_panic(text: Vec<u8>) {
            assert_eq!((position(&text), in_encoded(&text)), (None, None));
        }

        #[test]
        fn a_key_that_was_made_is_well_formed(seed: [u8; 32]) {
            let mut bytes = seed.iter().copied().cycle().map(|byte| byte % 248);
            let key = generate(|| bytes.next().unwrap());
            prop_assert_eq!(key.len(), LENGTH);
            prop_assert!(is_well_formed(key.as_bytes()));
        }

        #[test]
        fn one_wrong_character_is_detected(at in 0..LENGTH, to in "[0-9A-Za-z]") {
            let mut bytes = (0..=255u8).cycle();
            let mut key = generate(|| bytes.next().unwrap()).into_bytes();
            prop_assume!(key[at] != to.as_bytes()[0]);
            key[at] = to.as_bytes()[0];
            prop_assert!(!is_well_formed(&key));
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes: Vec<u8>) {
            is_well_formed(&bytes);
        }
    }

    #[test]
    fn a_key_that_is_in_use_stays_well_formed() {
        let mut bytes = 0..=255u8;
        assert_eq!(generate(|| bytes.next().unwrap()), "fg_0123456789ABCDEFGHIJKLMNOPQRSTUV17oTdx");
    }

    #[test]
    fn each_character_is_equally_likely() {
        // Each byte is equally frequent, so each character must be.
        let mut bytes = (0..=255u8).cycle();
        let keys: Vec<String> = (0..31).map(|_| generate(|| bytes.next().unwrap())).collect();
        let drawn: String = keys.iter().map(|key| &key[PREFIX.len()..][..RANDOM_CHARACTERS]).collect();
        for &character in BASE62 {
            assert_eq!(drawn.matches(char::from(character)).count(), 16, "{}", char::from(character));
        }
    }

    #[test]
    fn a_truncated_or_extended_key_is_detected() {
        let mut bytes = (0..=255u8).cycle();
        let key = generate(|| bytes.next().unwrap());
        assert!(!is_well_formed(&key.as_bytes()[..LENGTH - 1]));
        assert!(!is_well_formed(format!("{key}0").as_bytes()));
        assert!(!is_well_formed(b""));
    }

    #[test]
    fn every_key_in_a_text_is_masked() {
        let key = generate(|| 7);
        let text = format!("/é/{key}/a_b/fg_{key}é{key}");
        let expected = format!("/é/{0}/a_b/fg_{0}é{0}", preview(&key));
        assert_eq!(masked(&text), expected);
        for text in ["", "/items/fg_7", &key[..LENGTH - 1]] {
            assert!(matches!(masked(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a_preview_gives_away_four_characters() {
        assert_eq!(preview("fg_abcdefgh"), "fg_abcd…");
    }
}
