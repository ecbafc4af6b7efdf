//! Usage in a file of its own: made when it is needed, and told when it is damaged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is how a fault is told, also outside of the test functions themselves"
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
fn damage_is_told_and_keys_work_all_the_same() {
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
fn flipped_bytes_are_told_or_harmless() {
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
    let mut told = 0;
    // A stride without a common factor with the size of a page, so that every kind of place is met.
    for place in (0..bytes.len()).step_by(bytes.len() / 150 + 1) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x55;
        fs::write(&file, &flipped).unwrap();
        let (store, _) = Embedded::open(&path).unwrap();
        let query = UsageQuery { whose: Whose::Everyone, grain: Grain::Minute, buckets: 0..u32::MAX };
        match wait(store.usage(&query, 1000)) {
            Ok(page) => assert_eq!(page.rows, whole, "a byte flipped at {place} changed what is told"),
            Err(_) => told += 1,
        }
    }
    assert!(told > 0);
}
