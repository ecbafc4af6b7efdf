//! Opening the database and its secret: made anew only where there was nothing, else checked.
//!
//! Reading a database of ten million keys whole takes as long as a start may take. So a large one is opened
//! as it is: a record of a key is whole if its own checksum says so (`encoding`), and the walk over all keys
//! that every start begins with finds each of them, and that none is missing. `fairgate store check` reads
//! the whole file, whatever its size.

use super::{Embedded, Fault, incidents, keys, maintenance, usage::UsageFile};
use crate::{
    Footprint, Secret, Store, StoreError,
    folder::{self, Folder},
};
use redb::{Builder, Database, ReadableDatabase, RepairSession, TableDefinition};
use std::{
    cell::{Cell, RefCell},
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

/// The layout of the tables. A change that an older Fairgate would read wrongly adds one.
pub(super) const SCHEMA: u32 = 1;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const META_SCHEMA: &str = "schema";
const META_SECRET: &str = "secret";
/// A file up to this size is checked whole each time that it is opened: that takes some tenths of a second.
const SMALL: u64 = 256 << 20;
/// Pages that are held in memory. The data plane holds the keys itself, so this can be small.
const CACHE_BYTES: usize = 64 << 20;

/// How much of a database is read when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Every page.
    Whole,
    /// Every page of a small file; of a large one only what says where the rest is.
    IfSmall,
    /// Only what says where the rest is.
    #[cfg(test)]
    Nothing,
}

pub(super) fn open(path: &Path, check: Check) -> Result<(Embedded, Secret), StoreError> {
    let folder = Folder::prepare(path)?;
    let usage = UsageFile::new(path);
    let (home, path) = (path, folder.database());
    let is_new = is_new(&folder)?;
    if is_new {
        create(&path)?;
    }
    folder::make_private(&path)?;
    let database = open_database(&path, check)?;
    let footprint = Footprint::of(home).map_err(|error| StoreError::io("look at", &path, error))?;
    let (database, broken) = (RefCell::new(Some(database)), Cell::new(false));
    let store = Embedded { path, database, broken, usage, footprint, is_new };
    let secret = open_secret(&folder, &store)?;
    Ok((store, secret))
}

/// Opens a database that exists.
pub(super) fn open_database(path: &Path, check: Check) -> Result<Database, StoreError> {
    let open = || -> Result<Database, Fault> {
        let is_whole = match check {
            Check::Whole => true,
            Check::IfSmall => fs::metadata(path).is_ok_and(|file| file.len() <= SMALL),
            #[cfg(test)]
            Check::Nothing => false,
        };
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(is_whole);
        builder.set_repair_callback(refuse_to_roll_back);
        let database = builder.open(path)?;
        check_schema(&database, path)?;
        Ok(database)
    };
    caught(open).map_err(|fault| fault.at(path))
}

/// redb trusts pages that it has not checked, so an altered one may make it panic: that is damage, told like
/// any other, not the end of the process.
pub(super) fn caught<T>(job: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    panic::catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Err(Fault::Panic))
}

/// Closes a database, which reads pages, too.
pub(super) fn close(database: Option<Database>) -> Result<(), Fault> {
    caught(|| {
        drop(database);
        Ok(())
    })
}

/// Whether there has never been a store in this folder.
fn is_new(folder: &Folder) -> Result<bool, StoreError> {
    let path = folder.database();
    match fs::metadata(&path) {
        // redb would make an empty file a new database; ours are never empty once they have their name.
        Ok(found) if found.len() == 0 => Err(StoreError::Damaged { path, detail: "it is empty".into() }),
        Ok(_) => Ok(false),
        // The secret is made after the database, so it shows that there was one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match folder.secret().try_exists() {
            Ok(false) => Ok(true),
            Ok(true) => Err(StoreError::DatabaseMissing { path }),
            Err(error) => Err(StoreError::io("look at", folder.secret(), error)),
        },
        Err(error) => Err(StoreError::io("look at", path, error)),
    }
}

/// Makes the file with all tables under another name first, so that a crash leaves no half of it.
fn create(path: &Path) -> Result<(), StoreError> {
    let fresh = folder::fresh_name(path);
    drop(folder::private_file(&fresh).map_err(|error| StoreError::io("make", &fresh, error))?);
    let fill = || -> Result<(), Fault> {
        let database = Builder::new().create(&fresh)?;
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.open_table(META)?.insert(META_SCHEMA, SCHEMA.to_le_bytes().as_slice())?;
        keys::create_tables(&transaction)?;
        incidents::create_tables(&transaction)?;
        maintenance::create_table(&transaction)?;
        transaction.commit()?;
        Ok(())
    };
    fill().map_err(|fault| fault.at(&fresh))?;
    folder::put_in_place(&fresh, path).map_err(|error| StoreError::io("make", path, error))
}

/// redb would go back to the commit before the last. All our commits were complete before they
/// were told to be saved, so the last one being unreadable is damage, and going back is loss.
fn refuse_to_roll_back(session: &mut RepairSession) {
    if rolls_back(session.progress()) {
        session.abort();
    }
}

/// redb tells only how far it is: 0.0 is the beginning of a check, 0.6 and above are its later
/// passes, and 0.3 it tells just before it goes back.
fn rolls_back(progress: f64) -> bool {
    progress > 0.0 && progress < 0.6
}

fn check_schema(database: &Database, path: &Path) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let table = transaction.open_table(META)?;
    let found = table.get(META_SCHEMA)?.ok_or(Fault::Record("meta"))?;
    let found = found.value().try_into().map_err(|_| Fault::Record("meta"))?;
    let found = u32::from_le_bytes(found);
    if found > SCHEMA {
        return Err(Fault::Store(StoreError::Newer { path: path.into(), found, known: SCHEMA }));
    }
    Ok(())
}

/// Reads the secret and compares it with what the database remembers of it.
fn open_secret(folder: &Folder, store: &Embedded) -> Result<Secret, StoreError> {
    let keys = store.count_keys()?;
    let path = folder.secret();
    let secret = match Secret::read(&path)? {
        Some(secret) => secret,
        None if keys > 0 => return Err(StoreError::SecretMissing { path, keys }),
        None => Secret::create(&path)?,
    };
    let fingerprint = secret.fingerprint();
    let remembered = store.read(|transaction| {
        let table = transaction.open_table(META)?;
        let found = table.get(META_SECRET)?;
        Ok(found.map(|found| found.value() == fingerprint))
    })?;
    match remembered {
        Some(true) => {}
        Some(false) if keys > 0 => return Err(StoreError::SecretForeign { path, keys }),
        Some(false) | None => store.write(|transaction| {
            transaction.open_table(META)?.insert(META_SECRET, fingerprint.as_slice())?;
            Ok(())
        })?,
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_later_schema_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(folder.path(), Check::Whole).unwrap();
        let pretend = |transaction: &redb::WriteTransaction| {
            let later = (SCHEMA + 1).to_le_bytes();
            transaction.open_table(META)?.insert(META_SCHEMA, later.as_slice())?;
            Ok(())
        };
        store.write(pretend).unwrap();
        drop(store);
        let error = open(folder.path(), Check::Whole).err().unwrap();
        assert!(
            matches!(error, StoreError::Newer { found, known: SCHEMA, .. } if found == SCHEMA + 1),
            "{error}"
        );
        assert!(error.to_string().contains("at least as new"));
    }

    /// Earlier Fairgates kept counters here; the journal has them now.
    #[test]
    fn a_database_with_the_table_of_counters_opens_with_all_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(folder.path(), Check::Whole).unwrap();
        store.insert_keys(&mut (0..3).map(key)).unwrap();
        let add_counters = |transaction: &redb::WriteTransaction| {
            const COUNTERS: TableDefinition<'_, (&str, u8), (u32, u32)> = TableDefinition::new("counters");
            transaction.open_table(COUNTERS)?.insert(("key_a", 3), (20_000, 7))?;
            Ok(())
        };
        store.write(add_counters).unwrap();
        drop(store);
        assert_eq!(Embedded::check(folder.path()).unwrap(), 3);
        let (store, _) = open(folder.path(), Check::Whole).unwrap();
        store.insert_keys(&mut std::iter::once(key(3))).unwrap();
        assert_eq!(store.count_keys().unwrap(), 4);
    }

    /// What a large file is opened like: nothing of it is checked but what is read.
    #[test]
    fn without_a_check_no_wrong_key_is_handed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(folder.path(), Check::Whole).unwrap();
        let keys: Vec<_> = (0..300).map(key).collect();
        store.insert_keys(&mut keys.iter().cloned()).unwrap();
        drop(store);
        let file = folder.path().join(crate::DATABASE_FILE);
        let whole = fs::read(&file).unwrap();
        let (mut refused, mut harmless, mut wrong) = (0, 0, vec![]);
        panic::set_hook(Box::new(|_| ())); // redb's panics are expected, and many
        for place in (0..512).chain((512..whole.len()).step_by((whole.len() / 1500) | 1)) {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            fs::write(&file, &bytes).unwrap();
            match all_keys(folder.path()) {
                Err(_) => refused += 1,
                Ok(found) if found == keys => harmless += 1,
                Ok(found) => wrong.push((place, found.len())),
            }
        }
        let _ = panic::take_hook();
        assert_eq!(wrong, [], "a wrong key was handed over, or one is missing");
        assert!(refused > 100 && harmless > 100, "{refused} refused, {harmless} harmless");
    }

    fn key(number: u32) -> crate::KeyRecord {
        let mut digest = [7; 32];
        digest[..4].copy_from_slice(&(number.wrapping_mul(0x9e37_79b9)).to_be_bytes());
        crate::KeyRecord {
            id: format!("key_{number:016}"),
            name: None,
            plan: "free".into(),
            permissions: vec!["items:read".into()],
            limits: vec![],
            created_at: 1,
            expires_at: None,
            revoked_at: None,
            imported: false,
            preview: "fg_abcd…".into(),
            digest,
        }
    }

    fn all_keys(folder: &Path) -> Result<Vec<crate::KeyRecord>, StoreError> {
        let (store, _) = open(folder, Check::Nothing)?;
        let mut found = vec![];
        let mut visit = |row: crate::KeyRow<'_>| found.push(row.to_record());
        store.visit_keys(&mut [&mut visit])?;
        found.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }

    #[test]
    fn going_back_to_an_older_commit_is_refused() {
        assert!(rolls_back(0.3));
        for harmless in [0.0, 0.6, 0.9] {
            assert!(!rolls_back(harmless));
        }
    }
}
