//! The bytes of a key's record in the database: compact, because there may be a million of them.
//!
//! The digest is the record's place in the table and does not stand in its bytes. Every length is
//! checked when bytes are read: what does not fit is `None`, never a wrong record.

use crate::{KeyRecord, StoreError};

/// The first byte, so that a later layout can be told apart without a new table.
const LAYOUT: u8 = 1;
const IMPORTED: u8 = 1;
const HAS_NAME: u8 = 2;
const EXPIRES: u8 = 4;
const REVOKED: u8 = 8;

/// The bytes of a record.
pub(crate) fn encode(record: &KeyRecord) -> Result<Vec<u8>, StoreError> {
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
    bytes.extend(record.created_at.to_le_bytes());
    for time in [record.expires_at, record.revoked_at].into_iter().flatten() {
        bytes.extend(time.to_le_bytes());
    }
    put_text(&mut bytes, "id", &record.id)?;
    put_text(&mut bytes, "plan's name", &record.plan)?;
    put_text(&mut bytes, "preview", &record.preview)?;
    if let Some(name) = &record.name {
        put_text(&mut bytes, "key's name", name)?;
    }
    put_length(&mut bytes, "list of permissions", record.permissions.len())?;
    for permission in &record.permissions {
        put_text(&mut bytes, "permission", permission)?;
    }
    Ok(bytes)
}

/// The record of these bytes. None: they are not a record.
pub(crate) fn decode(digest: [u8; 32], bytes: &[u8]) -> Option<KeyRecord> {
    let mut rest = bytes;
    let [layout, flags] = take_array::<2>(&mut rest)?;
    if layout != LAYOUT || flags & !(IMPORTED | HAS_NAME | EXPIRES | REVOKED) != 0 {
        return None;
    }
    let has = |flag| flags & flag != 0;
    let created_at = take_time(&mut rest)?;
    let expires_at = if has(EXPIRES) { Some(take_time(&mut rest)?) } else { None };
    let revoked_at = if has(REVOKED) { Some(take_time(&mut rest)?) } else { None };
    let id = take_text(&mut rest)?;
    let plan = take_text(&mut rest)?;
    let preview = take_text(&mut rest)?;
    let name = if has(HAS_NAME) { Some(take_text(&mut rest)?) } else { None };
    let count = u16::from_le_bytes(take_array(&mut rest)?);
    let permissions = (0..count).map(|_| take_text(&mut rest)).collect::<Option<Vec<_>>>()?;
    let imported = has(IMPORTED);
    rest.is_empty().then_some(KeyRecord {
        id,
        name,
        plan,
        permissions,
        created_at,
        expires_at,
        revoked_at,
        imported,
        preview,
        digest,
    })
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

fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn take_time(rest: &mut &[u8]) -> Option<u64> {
    take_array(rest).map(u64::from_le_bytes)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = u16::from_le_bytes(take_array(rest)?);
    let (taken, left) = rest.split_at_checked(usize::from(length))?;
    *rest = left;
    String::from_utf8(taken.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*};

    fn records() -> impl Strategy<Value = KeyRecord> {
        let texts = (".*", option::of(".*"), ".*", vec(".*", 0..5), ".*");
        let times = (any::<u64>(), any::<Option<u64>>(), any::<Option<u64>>());
        (texts, times, any::<bool>(), any::<[u8; 32]>()).prop_map(|(texts, times, imported, digest)| {
            let (id, name, plan, permissions, preview) = texts;
            let (created_at, expires_at, revoked_at) = times;
            KeyRecord {
                id,
                name,
                plan,
                permissions,
                created_at,
                expires_at,
                revoked_at,
                imported,
                preview,
                digest,
            }
        })
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
