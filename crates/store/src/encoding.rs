//! The bytes of a key's record in a database: compact, because there may be ten million of them.
//!
//! The digest is the record's place in the table and does not stand in its bytes. Since layout 2 a
//! checksum over both stands at the beginning, and is compared at every read: a flipped bit is found
//! before the record is used, without a check of the whole file. Every length is checked as well:
//! what does not fit is `None`, never a wrong record.

use crate::{
    KeyRecord, StoreError,
    fields::{take_array, take_text, take_time},
    row::{KeyRow, Texts},
};
use std::borrow::Cow;

/// The first byte, so that a later layout can be told apart without a new table.
const LAYOUT: u8 = 2;
/// The layout before: without a checksum and without limits of the key's own.
const LAYOUT_1: u8 = 1;
const IMPORTED: u8 = 1;
const HAS_NAME: u8 = 2;
const EXPIRES: u8 = 4;
const REVOKED: u8 = 8;
/// Where the checksum begins, and what it covers begins behind it.
const CHECKSUM_AT: usize = 2;

/// The bytes of a record.
///
/// # Errors
/// A part of it is too long.
pub fn encode(record: &KeyRecord) -> Result<Vec<u8>, StoreError> {
    let mut flags = 0;
    for (flag, holds) in [
        (IMPORTED, record.imported),
        (HAS_NAME, record.name.is_some()),
        (EXPIRES, record.expires_at.is_some()),
        (REVOKED, record.revoked_at.is_some()),
    ] {
        flags |= if holds { flag } else { 0 };
    }
    let mut bytes = Vec::with_capacity(96);
    bytes.extend([LAYOUT, flags]);
    bytes.extend([0; 4]); // the checksum, once all that it covers is known
    bytes.extend(record.created_at.to_le_bytes());
    for time in [record.expires_at, record.revoked_at].into_iter().flatten() {
        bytes.extend(time.to_le_bytes());
    }
    put_text(&mut bytes, "id", &record.id)?;
    put_text(&mut bytes, "preview", &record.preview)?;
    if let Some(name) = &record.name {
        put_text(&mut bytes, "key's name", name)?;
    }
    // The terms stand together at the end: keys of the same terms have the same bytes here.
    put_text(&mut bytes, "plan's name", &record.plan)?;
    put_texts(&mut bytes, "permission", "list of permissions", &record.permissions)?;
    put_texts(&mut bytes, "limit", "list of limits", &record.limits)?;
    let checksum = checksum(&record.digest, &bytes).unwrap_or_default().to_le_bytes();
    if let Some(place) = bytes.get_mut(CHECKSUM_AT..CHECKSUM_AT + 4) {
        place.copy_from_slice(&checksum);
    }
    Ok(bytes)
}

/// The record of these bytes, copied out of them. None: they are not a record.
pub fn decode(digest: [u8; 32], bytes: &[u8]) -> Option<KeyRecord> {
    read(&digest, bytes).map(|row| row.to_record())
}

/// The record of these bytes, in place. None: they are not a record.
pub fn read<'a>(digest: &'a [u8; 32], bytes: &'a [u8]) -> Option<KeyRow<'a>> {
    match bytes.first() {
        Some(&LAYOUT) => read_layout_2(digest, bytes),
        Some(&LAYOUT_1) => read_layout_1(digest, bytes),
        Some(_) | None => None,
    }
}

fn read_layout_2<'a>(digest: &'a [u8; 32], bytes: &'a [u8]) -> Option<KeyRow<'a>> {
    let mut rest = bytes;
    let [_, flags] = take_array::<2>(&mut rest)?;
    if u32::from_le_bytes(take_array(&mut rest)?) != checksum(digest, bytes)? {
        return None;
    }
    let has = flags_of(flags)?;
    let created_at = take_time(&mut rest)?;
    let expires_at = if has(EXPIRES) { Some(take_time(&mut rest)?) } else { None };
    let revoked_at = if has(REVOKED) { Some(take_time(&mut rest)?) } else { None };
    let id = take_text(&mut rest)?;
    let preview = take_text(&mut rest)?;
    let name = if has(HAS_NAME) { Some(take_text(&mut rest)?) } else { None };
    let terms = rest;
    let plan = take_text(&mut rest)?;
    let permissions = take_texts(&mut rest)?;
    let limits = take_texts(&mut rest)?;
    rest.is_empty().then_some(KeyRow {
        digest,
        id,
        name,
        plan,
        permissions,
        limits,
        created_at,
        expires_at,
        revoked_at,
        imported: has(IMPORTED),
        preview,
        terms: Cow::Borrowed(terms),
    })
}

fn read_layout_1<'a>(digest: &'a [u8; 32], bytes: &'a [u8]) -> Option<KeyRow<'a>> {
    let mut rest = bytes;
    let [_, flags] = take_array::<2>(&mut rest)?;
    let has = flags_of(flags)?;
    let created_at = take_time(&mut rest)?;
    let expires_at = if has(EXPIRES) { Some(take_time(&mut rest)?) } else { None };
    let revoked_at = if has(REVOKED) { Some(take_time(&mut rest)?) } else { None };
    let id = take_text(&mut rest)?;
    let before_plan = rest;
    let plan = take_text(&mut rest)?;
    let plan_bytes = before_plan.get(..before_plan.len() - rest.len())?;
    let preview = take_text(&mut rest)?;
    let name = if has(HAS_NAME) { Some(take_text(&mut rest)?) } else { None };
    let permission_bytes = rest;
    let permissions = take_texts(&mut rest)?;
    let no_limits = [0, 0];
    let terms = Cow::Owned([plan_bytes, permission_bytes, &no_limits].concat());
    rest.is_empty().then_some(KeyRow {
        digest,
        id,
        name,
        plan,
        permissions,
        limits: Texts::default(),
        created_at,
        expires_at,
        revoked_at,
        imported: has(IMPORTED),
        preview,
        terms,
    })
}

/// Tells which flags are set. None: one that we do not know is.
fn flags_of(flags: u8) -> Option<impl Fn(u8) -> bool> {
    (flags & !(IMPORTED | HAS_NAME | EXPIRES | REVOKED) == 0).then_some(move |flag| flags & flag != 0)
}

/// The checksum of a record: CRC-32 finds every change of up to 32 bits side by side.
fn checksum(digest: &[u8; 32], bytes: &[u8]) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(digest);
    hasher.update(bytes.get(..CHECKSUM_AT)?);
    hasher.update(bytes.get(CHECKSUM_AT + 4..)?);
    Some(hasher.finalize())
}

fn put_length(bytes: &mut Vec<u8>, what: &'static str, length: usize) -> Result<(), StoreError> {
    let most = usize::from(u16::MAX);
    let length = u16::try_from(length).map_err(|_| StoreError::TooLong { what, most })?;
    bytes.extend(length.to_le_bytes());
    Ok(())
}

fn put_text(bytes: &mut Vec<u8>, what: &'static str, text: &str) -> Result<(), StoreError> {
    put_length(bytes, what, text.len())?;
    bytes.extend(text.as_bytes());
    Ok(())
}

fn put_texts(
    bytes: &mut Vec<u8>,
    one: &'static str,
    all: &'static str,
    texts: &[String],
) -> Result<(), StoreError> {
    put_length(bytes, all, texts.len())?;
    texts.iter().try_for_each(|text| put_text(bytes, one, text))
}

/// A count and so many texts, each of them looked at.
fn take_texts<'a>(rest: &mut &'a [u8]) -> Option<Texts<'a>> {
    let count = u16::from_le_bytes(take_array(rest)?);
    let begin = *rest;
    for _ in 0..count {
        take_text(rest)?;
    }
    begin.get(..begin.len() - rest.len()).map(Texts::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*};

    fn records() -> impl Strategy<Value = KeyRecord> {
        let texts = (".*", option::of(".*"), ".*", vec(".*", 0..5), vec(".*", 0..3), ".*");
        let times = (any::<u64>(), any::<Option<u64>>(), any::<Option<u64>>());
        (texts, times, any::<bool>(), any::<[u8; 32]>()).prop_map(|(texts, times, imported, digest)| {
            let (id, name, plan, permissions, limits, preview) = texts;
            let (created_at, expires_at, revoked_at) = times;
            KeyRecord {
                id,
                name,
                plan,
                permissions,
                limits,
                created_at,
                expires_at,
                revoked_at,
                imported,
                preview,
                digest,
            }
        })
    }

    fn encode_layout_1(record: &KeyRecord) -> Vec<u8> {
        let has = |flag: u8, holds: bool| if holds { flag } else { 0 };
        let flags = has(IMPORTED, record.imported)
            | has(HAS_NAME, record.name.is_some())
            | has(EXPIRES, record.expires_at.is_some())
            | has(REVOKED, record.revoked_at.is_some());
        let mut bytes = vec![LAYOUT_1, flags];
        bytes.extend(record.created_at.to_le_bytes());
        for time in [record.expires_at, record.revoked_at].into_iter().flatten() {
            bytes.extend(time.to_le_bytes());
        }
        for text in [&record.id, &record.plan, &record.preview].into_iter().chain(&record.name) {
            put_text(&mut bytes, "text", text).unwrap();
        }
        put_texts(&mut bytes, "text", "texts", &record.permissions).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_it_was(record in records()) {
            let bytes = encode(&record).unwrap();
            prop_assert_eq!(decode(record.digest, &bytes), Some(record));
        }

        #[test]
        fn bytes_cut_short_or_prolonged_are_no_record(record in records(), at: prop::sample::Index) {
            let mut bytes = encode(&record).unwrap();
            prop_assert_eq!(decode(record.digest, &bytes[..at.index(bytes.len())]), None);
            bytes.push(0);
            prop_assert_eq!(decode(record.digest, &bytes), None);
        }

        #[test]
        fn a_flipped_bit_is_found(record in records(), at: prop::sample::Index, bit in 0..8u8) {
            let mut bytes = encode(&record).unwrap();
            let at = at.index(bytes.len() - 1) + 1; // the layout itself is the next test's
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(decode(record.digest, &bytes), None);
        }

        #[test]
        fn a_record_in_the_place_of_another_is_found(record in records(), at in 0..32usize, bit in 0..8u8) {
            let bytes = encode(&record).unwrap();
            let mut place = record.digest;
            place[at] ^= 1 << bit;
            prop_assert_eq!(decode(place, &bytes), None);
        }

        #[test]
        fn no_flip_turns_a_record_into_one_of_the_layout_before(record in records()) {
            let mut bytes = encode(&record).unwrap();
            bytes[0] = LAYOUT_1;
            prop_assert_eq!(decode(record.digest, &bytes), None);
        }

        #[test]
        fn the_layout_before_is_still_read(mut record in records()) {
            record.limits.clear();
            prop_assert_eq!(decode(record.digest, &encode_layout_1(&record)), Some(record.clone()));
            // Keys of the same terms are recognised as such, whatever their layout.
            let (one, two) = (encode_layout_1(&record), encode(&record).unwrap());
            let (one, two) = (read(&record.digest, &one).unwrap(), read(&record.digest, &two).unwrap());
            prop_assert_eq!(one.terms, two.terms);
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes: Vec<u8>) {
            decode([0; 32], &bytes);
        }
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused_not_cut() {
        let record = KeyRecord {
            id: "key_0".into(),
            name: Some("x".repeat(70_000)),
            plan: "free".into(),
            permissions: vec![],
            limits: vec![],
            created_at: 0,
            expires_at: None,
            revoked_at: None,
            imported: false,
            preview: String::new(),
            digest: [0; 32],
        };
        assert!(matches!(encode(&record), Err(StoreError::TooLong { what: "key's name", .. })));
    }
}
