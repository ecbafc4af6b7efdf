//! A store that was altered, truncated, locked, lost or is inaccessible is reported: no panic, no silent loss.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod common;

use common::{all_keys, import, key};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use store::{DATABASE_FILE, Embedded, Records, SECRET_FILE, StoreError, wait};
use tempfile::TempDir;

const KEYS: u32 = 300;

/// A folder with a closed store that holds keys.
fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let (store, _) = Embedded::open(&path).unwrap();
    import(&store, (0..KEYS - 1).map(key)).unwrap();
    import(&store, std::iter::once(key(KEYS - 1))).unwrap();
    (folder, path)
}

fn refusal(path: &Path) -> StoreError {
    Embedded::open(path).err().expect("the store must be refused")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Either an error, or every key as it was.
fn is_refused_or_intact(path: &Path) -> bool {
    let Ok((store, _)) = Embedded::open(path) else { return true };
    let Ok(found) = all_keys(&store, 2) else { return true };
    found.len() == KEYS as usize && found.iter().enumerate().all(|(n, k)| *k == key(n as u32))
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let (_folder, path) = filled();
    let file = path.join(DATABASE_FILE);
    let whole = fs::read(&file).unwrap();
    for parts in 0..40 {
        let length = whole.len() * parts / 40;
        fs::write(&file, &whole[..length]).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, StoreError::Damaged { .. }), "{length}: {error}");
        assert!(error.to_string().contains("damaged"), "{error}");
    }
    fs::write(&file, &whole).unwrap();
    assert!(Embedded::open(&path).is_ok());
}

#[test]
fn flipped_bytes_are_refused_or_harmless() {
    let (_folder, path) = filled();
    let file = path.join(DATABASE_FILE);
    let whole = fs::read(&file).unwrap();
    // All of the header, and a walk through the pages with a step that falls on different places in them.
    let places = (0..512).chain((512..whole.len()).step_by((whole.len() / 400) | 1));
    for place in places {
        for flip in [0xff, 0x01] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            fs::write(&file, &bytes).unwrap();
            assert!(is_refused_or_intact(&path), "byte {place} ^ {flip:#x} lost something silently");
        }
    }
}

#[test]
fn a_file_that_is_not_a_database_is_refused() {
    let (_folder, path) = filled();
    for bytes in [&b""[..], b"not a database at all", &[0; 8192]] {
        fs::write(path.join(DATABASE_FILE), bytes).unwrap();
        assert!(matches!(refusal(&path), StoreError::Damaged { .. }));
        assert_eq!(fs::read(path.join(DATABASE_FILE)).unwrap(), bytes, "it must not be changed");
    }
}

#[test]
fn a_lost_database_is_not_made_anew() {
    let (_folder, path) = filled();
    fs::remove_file(path.join(DATABASE_FILE)).unwrap();
    assert!(matches!(refusal(&path), StoreError::DatabaseMissing { .. }));
    assert!(!path.join(DATABASE_FILE).exists());
}

#[test]
fn a_lost_damaged_or_foreign_secret_is_refused_while_keys_exist() {
    let (_folder, path) = filled();
    let secret = path.join(SECRET_FILE);
    fs::remove_file(&secret).unwrap();
    assert!(matches!(refusal(&path), StoreError::SecretMissing { keys: 300, .. }));
    assert!(!secret.exists(), "a new secret would make every key unknown");
    for damaged in ["", "abc", &"g".repeat(64)] {
        fs::write(&secret, damaged).unwrap();
        assert!(matches!(refusal(&path), StoreError::SecretDamaged { .. }));
    }
    fs::write(&secret, "a".repeat(64)).unwrap();
    assert!(matches!(refusal(&path), StoreError::SecretForeign { .. }));
}

#[test]
fn without_keys_another_secret_may_be_put_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let (_, first) = Embedded::open(folder.path()).unwrap();
    fs::remove_file(folder.path().join(SECRET_FILE)).unwrap();
    let (_, second) = Embedded::open(folder.path()).unwrap();
    assert_ne!(first.digest(b"key"), second.digest(b"key"));
    let (_, third) = Embedded::open(folder.path()).unwrap();
    assert_eq!(second.digest(b"key"), third.digest(b"key"));
}

#[test]
fn the_secret_stays_the_same() {
    let (_folder, path) = filled();
    let text = fs::read_to_string(path.join(SECRET_FILE)).unwrap();
    assert!(text.len() == 65 && text.ends_with('\n') && text.trim().bytes().all(|b| b.is_ascii_hexdigit()));
    Embedded::open(&path).unwrap();
    assert_eq!(fs::read_to_string(path.join(SECRET_FILE)).unwrap(), text);
}

#[test]
fn only_the_owner_may_read_any_of_it() {
    let (_folder, path) = filled();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join(DATABASE_FILE)), 0o600);
    assert_eq!(mode(&path.join(SECRET_FILE)), 0o600);
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing else is left behind: {names:?}");
    // Copied back with wide permissions, they are restricted again.
    for name in [DATABASE_FILE, SECRET_FILE] {
        fs::set_permissions(path.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    Embedded::open(&path).unwrap();
    assert_eq!(mode(&path.join(DATABASE_FILE)), 0o600);
    assert_eq!(mode(&path.join(SECRET_FILE)), 0o600);
}

#[test]
fn a_store_in_use_is_refused_and_free_again_afterwards() {
    let (_folder, path) = filled();
    let (store, _) = Embedded::open(&path).unwrap();
    assert!(matches!(refusal(&path), StoreError::Locked { .. }));
    assert_eq!(wait(store.count_keys()).unwrap(), 300);
    drop(store);
    assert!(Embedded::open(&path).is_ok());
}

#[test]
fn what_a_crash_left_of_a_creation_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fairgate.redb.new"), b"half").unwrap();
    fs::write(folder.path().join("secret.new"), b"half").unwrap();
    Embedded::open(folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    fs::write(&path, b"").unwrap();
    for path in [&path, &path.join("deeper")] {
        let error = refusal(path);
        assert!(matches!(error, StoreError::NotAFolder { .. }), "{error}");
    }
}

#[test]
fn a_folder_closed_to_us_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    // The superuser may write everywhere; for everybody else this must be an error.
    if fs::write(folder.path().join("probe"), b"").is_err() {
        let error = refusal(&folder.path().join("data"));
        assert!(matches!(error, StoreError::NoPermission { .. }), "{error}");
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
}
