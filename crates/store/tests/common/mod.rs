//! Records for the tests of the store.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::{Arc, Mutex};
use store::{Change, IncidentRecord, KeyRecord, KeyVisitor, MaintenanceWindow, Records, StoreError, wait};

pub(crate) fn key(number: u32) -> KeyRecord {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest[31] = 1;
    KeyRecord {
        id: format!("key_{number:016}"),
        name: number.is_multiple_of(2).then(|| format!("Key number {number} ✓")),
        plan: "free".into(),
        permissions: vec!["items:read".into(), "items:write".into()],
        limits: if number.is_multiple_of(7) { vec!["5000 per day".into()] } else { vec![] },
        created_at: 1_700_000_000 + u64::from(number),
        expires_at: number.is_multiple_of(3).then_some(1_800_000_000),
        revoked_at: None,
        imported: number.is_multiple_of(5),
        preview: format!("fg_{number:04}…"),
        digest,
    }
}

pub(crate) fn incident(number: u64) -> IncidentRecord {
    IncidentRecord {
        request_id: format!("req_{number}"),
        at_millis: 1_700_000_000_000 + number,
        method: "GET".into(),
        path: "/items/7".into(),
        endpoint: Some("/items/{id}".into()),
        key_id: None,
        // Many clients, so that none exceeds the incidents kept of one client.
        address: Some(format!("10.0.{}.{}", number / 256 % 256, number % 256)),
        more: 0,
        cause: if number.is_multiple_of(2) { "upstream closed" } else { "upstream silent" }.into(),
        detail: "connection closed before message completed".into(),
    }
}

pub(crate) fn window(id: &str, from: u64) -> MaintenanceWindow {
    MaintenanceWindow {
        id: id.into(),
        message: "Back soon".into(),
        from,
        until: Some(from + 60),
        pass: vec!["key_1".into()],
        endpoints: vec!["GET /items/{id}".into()],
        created_at: 1,
    }
}

/// All keys, in the order of their ids, read by so many threads.
pub(crate) fn all_keys(store: &impl Records, threads: usize) -> Result<Vec<KeyRecord>, StoreError> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let visitor = || -> KeyVisitor {
        let all = Arc::clone(&all);
        Box::new(move |row| all.lock().unwrap().push(row.to_record()))
    };
    let count = wait(store.visit_keys(std::iter::repeat_with(visitor).take(threads).collect()))?;
    let mut all = std::mem::take(&mut *all.lock().unwrap());
    assert_eq!(all.len() as u64, count);
    all.sort_by(|one: &KeyRecord, other| one.id.cmp(&other.id));
    Ok(all)
}

/// Adds all these keys at once.
pub(crate) fn import(
    store: &impl Records,
    keys: impl Iterator<Item = KeyRecord>,
) -> Result<Change, StoreError> {
    wait(store.import_keys(keys.collect::<Vec<_>>().into(), BY))
}

/// The author of changes in these tests.
pub(crate) const BY: &str = "a test";
