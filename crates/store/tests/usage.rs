//! Usage in its own file: created when it is needed, and reported when it is damaged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod suite;

use std::{fs, sync::Arc};
use store::{Embedded, Records, StoreError, USAGE_FILE, UsageQuery, UsageStore, Whose, wait};
use suite::usage::{BEGIN, KEEP, entry, rows};
use tempfile::TempDir;
use usage::Grain;

fn fresh() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Embedded::open(&folder.path().join("data")).unwrap();
    (folder, store)
}

#[test]
fn asking_makes_no_file() {
    let (folder, store) = fresh();
    assert_eq!(rows(&store, &Whose::Everyone, Grain::Day, 0..u32::MAX), []);
    wait(store.add_usage(Arc::from([]), KEEP)).unwrap();
    assert!(!folder.path().join("data").join(USAGE_FILE).exists());
}

#[test]
fn damage_is_reported_and_keys_still_work() {
    let (folder, store) = fresh();
    let path = folder.path().join("data");
    wait(store.add_usage(Arc::from([entry(None, None, BEGIN, 1)]), KEEP)).unwrap();
    drop(store);
    for content in [&b""[..], b"this is no database at all"] {
        fs::write(path.join(USAGE_FILE), content).unwrap();
        let (store, _) = Embedded::open(&path).unwrap();
        assert_eq!(wait(store.count_keys()).unwrap(), 0);
        let error = wait(store.add_usage(Arc::from([entry(None, None, BEGIN, 1)]), KEEP)).unwrap_err();
        assert!(matches!(error, StoreError::UsageDamaged { .. }), "{error}");
        assert!(error.to_string().contains("keys and limits are not touched"), "{error}");
        fs::remove_file(path.join(USAGE_FILE)).unwrap();
        wait(store.add_usage(Arc::from([entry(None, None, BEGIN, 1)]), KEEP)).unwrap();
    }
}

#[test]
fn flipped_bytes_are_reported_or_harmless() {
    let (folder, store) = fresh();
    let path = folder.path().join("data");
    let entries: Vec<_> =
        (0..200).map(|minute| entry(Some("key_a"), Some("GET /items"), BEGIN + minute, 3)).collect();
    wait(store.add_usage(entries.clone().into(), KEEP)).unwrap();
    let whole = rows(&store, &Whose::Everyone, Grain::Minute, 0..u32::MAX);
    assert_eq!(whole.len(), 200);
    drop(store);
    let file = path.join(USAGE_FILE);
    let bytes = fs::read(&file).unwrap();
    let mut reported = 0;
    // A stride without a common factor with the size of a page, so that every kind of position is hit.
    for place in (0..bytes.len()).step_by(bytes.len() / 150 + 1) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x55;
        fs::write(&file, &flipped).unwrap();
        let (store, _) = Embedded::open(&path).unwrap();
        let query = UsageQuery { whose: Whose::Everyone, grain: Grain::Minute, buckets: 0..u32::MAX };
        match wait(store.usage(&query, 1000)) {
            Ok(page) => assert_eq!(page.rows, whole, "a byte flipped at {place} changed what is reported"),
            Err(_) => reported += 1,
        }
    }
    assert!(reported > 0);
}
