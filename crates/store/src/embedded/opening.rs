//! Opening the database and its secret: made anew only where there was nothing, else checked.

use super::{
    changes,
    database::{Check, META, META_SCHEMA, SCHEMA, open_database},
    fault::Fault,
    incidents, keys, maintenance,
    records_file::RecordsFile,
};
use crate::{
    Footprint, Secret, StoreError,
    folder::{self, Folder},
};
use redb::Builder;
use std::{fs, io, path::Path};

const META_SECRET: &str = "secret";

/// A store that was opened.
pub(super) struct Opened {
    pub(super) records: RecordsFile,
    pub(super) secret: Secret,
    /// It was made just now.
    pub(super) is_new: bool,
}

/// `elsewhere`: the secret, and the file that it is from, if that is not in the folder.
pub(super) fn open(
    path: &Path,
    check: Check,
    elsewhere: Option<(&Secret, &Path)>,
) -> Result<Opened, StoreError> {
    let folder = Folder::prepare(path)?;
    let (home, path) = (path, folder.database());
    let is_new = is_new(&folder)?;
    if is_new {
        create(&path)?;
    }
    folder::make_private(&path)?;
    let database = open_database(&path, check)?;
    let footprint =
        Footprint::of(home, elsewhere.is_none()).map_err(|error| StoreError::io("look at", &path, error))?;
    let mut records = RecordsFile::new(path, database, footprint);
    let secret = open_secret(&folder, &mut records, elsewhere)?;
    Ok(Opened { records, secret, is_new })
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
        changes::create_table(&transaction)?;
        transaction.commit()?;
        Ok(())
    };
    fill().map_err(|fault| fault.at(&fresh))?;
    folder::put_in_place(&fresh, path).map_err(|error| StoreError::io("make", path, error))
}

/// Reads the secret and compares it with what the database remembers of it.
fn open_secret(
    folder: &Folder,
    store: &mut RecordsFile,
    elsewhere: Option<(&Secret, &Path)>,
) -> Result<Secret, StoreError> {
    let keys = store.read(keys::count)?;
    let path = elsewhere.map_or_else(|| folder.secret(), |(_, file)| file.to_owned());
    let secret = match elsewhere.map(|(secret, _)| secret.clone()) {
        Some(secret) => secret,
        None => match Secret::read(&path)? {
            Some(secret) => secret,
            None if keys > 0 => return Err(StoreError::SecretMissing { path, keys }),
            None => Secret::create(&path)?,
        },
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
    use redb::TableDefinition;
    use std::panic;

    #[test]
    fn a_database_of_a_later_schema_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), Check::Whole, None).unwrap().records;
        let pretend = |transaction: &redb::WriteTransaction| {
            let later = (SCHEMA + 1).to_le_bytes();
            transaction.open_table(META)?.insert(META_SCHEMA, later.as_slice())?;
            Ok(())
        };
        store.write(pretend).unwrap();
        drop(store);
        let error = open(folder.path(), Check::Whole, None).err().unwrap();
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
        let mut store = open(folder.path(), Check::Whole, None).unwrap().records;
        store.write(|transaction| keys::insert(transaction, (0..3).map(key))).unwrap();
        let add_counters = |transaction: &redb::WriteTransaction| {
            const COUNTERS: TableDefinition<'_, (&str, u8), (u32, u32)> = TableDefinition::new("counters");
            transaction.open_table(COUNTERS)?.insert(("key_a", 3), (20_000, 7))?;
            Ok(())
        };
        store.write(add_counters).unwrap();
        drop(store);
        let mut store = open(folder.path(), Check::Whole, None).unwrap().records;
        assert_eq!(store.visit_keys(&mut [&mut |_| ()]).unwrap(), 3);
        store.write(|transaction| keys::insert(transaction, std::iter::once(key(3)))).unwrap();
        assert_eq!(store.read(keys::count).unwrap(), 4);
    }

    /// What a large file is opened like: nothing of it is checked but what is read.
    #[test]
    fn without_a_check_no_wrong_key_is_handed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), Check::Whole, None).unwrap().records;
        let keys: Vec<_> = (0..300).map(key).collect();
        store.write(|transaction| keys::insert(transaction, keys.iter().cloned())).unwrap();
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
        let mut store = open(folder, Check::Nothing, None)?.records;
        let mut found = vec![];
        let mut visit = |row: crate::KeyRow<'_>| found.push(row.to_record());
        store.visit_keys(&mut [&mut visit])?;
        found.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }
}
