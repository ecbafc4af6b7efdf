//! Opening the database and its secret: made anew only where there was nothing, else checked in full.

use super::{Embedded, Fault, counters, incidents, keys, maintenance, usage::UsageFile};
use crate::{
    Secret, Store, StoreError,
    folder::{self, Folder},
};
use redb::{Builder, Database, ReadableDatabase, RepairSession, TableDefinition};
use std::{
    cell::{Cell, RefCell},
    fs, io,
    path::Path,
};

/// The layout of the tables. A change that an older Fairgate would read wrongly adds one.
pub(super) const SCHEMA: u32 = 1;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const META_SCHEMA: &str = "schema";
const META_SECRET: &str = "secret";
/// Pages that are held in memory. The data plane holds the keys itself, so this can be small.
const CACHE_BYTES: usize = 64 << 20;

pub(super) fn open(path: &Path) -> Result<(Embedded, Secret), StoreError> {
    let folder = Folder::prepare(path)?;
    let usage = UsageFile::new(path);
    let path = folder.database();
    if is_new(&folder)? {
        create(&path)?;
    }
    folder::make_private(&path)?;
    let database = open_database(&path)?;
    let store = Embedded { path, database: RefCell::new(Some(database)), broken: Cell::new(false), usage };
    let secret = open_secret(&folder, &store)?;
    Ok((store, secret))
}

/// Opens a database that exists and checks every page of it.
pub(super) fn open_database(path: &Path) -> Result<Database, StoreError> {
    let open = || -> Result<Database, Fault> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        builder.set_repair_callback(refuse_to_roll_back);
        let database = builder.open(path)?;
        check_schema(&database, path)?;
        Ok(database)
    };
    open().map_err(|fault| fault.at(path))
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
        counters::create_table(&transaction)?;
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
        let (store, _) = open(folder.path()).unwrap();
        let pretend = |transaction: &redb::WriteTransaction| {
            let later = (SCHEMA + 1).to_le_bytes();
            transaction.open_table(META)?.insert(META_SCHEMA, later.as_slice())?;
            Ok(())
        };
        store.write(pretend).unwrap();
        drop(store);
        let error = open(folder.path()).err().unwrap();
        assert!(
            matches!(error, StoreError::Newer { found, known: SCHEMA, .. } if found == SCHEMA + 1),
            "{error}"
        );
        assert!(error.to_string().contains("at least as new"));
    }

    #[test]
    fn going_back_to_an_older_commit_is_refused() {
        assert!(rolls_back(0.3));
        for harmless in [0.0, 0.6, 0.9] {
            assert!(!rolls_back(harmless));
        }
    }
}
