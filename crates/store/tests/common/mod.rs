//! Records for the tests of the store.

#![allow(dead_code, reason = "each test file uses its own part")]

use store::{IncidentRecord, KeyRecord, MaintenanceWindow};

pub(crate) fn key(number: u32) -> KeyRecord {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest[31] = 1;
    KeyRecord {
        id: format!("key_{number:016}"),
        name: number.is_multiple_of(2).then(|| format!("Key number {number} ✓")),
        plan: "free".into(),
        permissions: vec!["items:read".into(), "items:write".into()],
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
        created_at: 1,
    }
}
