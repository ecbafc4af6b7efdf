//! Opening the database file: how much of it is read, and that it is never rolled back nor read by a wrong schema.
//!
//! Reading a database of ten million keys whole takes as long as a start may take. So a large one is opened
//! as it is: a record of a key is whole if its own checksum says so (`encoding`), and the walk over all keys
//! that every start begins with finds each of them, and that none is missing. `fairgate store check` reads
//! the whole file, whatever its size.

use super::fault::Fault;
use crate::StoreError;
use redb::{Builder, Database, ReadableDatabase, RepairSession, TableDefinition};
use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

/// The layout of the tables. A change that an older Fairgate would read wrongly adds one.
pub(super) const SCHEMA: u32 = 1;

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const META_SCHEMA: &str = "schema";
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_to_an_older_commit_is_refused() {
        assert!(rolls_back(0.3));
        for harmless in [0.0, 0.6, 0.9] {
            assert!(!rolls_back(harmless));
        }
    }
}
