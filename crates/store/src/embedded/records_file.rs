//! The database file of the records, as the one thread has it that works on it: its transactions and their faults.
//!
//! Every commit is a two-phase commit, so that what was told to be saved is never rolled back
//! when the file is repaired after a crash, and a file that was altered from outside is refused
//! and not "repaired" to something older.

use super::{
    changes,
    database::{self, Check},
    fault::Fault,
    visiting::{self, Visitor},
};
use crate::{Change, Changed, Footprint, StoreError};
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::path::PathBuf;

/// The open file.
pub(super) struct RecordsFile {
    path: PathBuf,
    // None only while it is being opened again.
    database: Option<Database>,
    // The last call met a fault of the disk; redb answers nothing more until it is opened again.
    is_broken: bool,
    footprint: Footprint,
}

impl RecordsFile {
    pub(super) const fn new(path: PathBuf, database: Database, footprint: Footprint) -> Self {
        Self { path, database: Some(database), is_broken: false, footprint }
    }

    pub(super) const fn footprint(&self) -> &Footprint {
        &self.footprint
    }

    pub(super) fn read<T>(
        &mut self,
        job: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.with_database(|database| job(&database.begin_read()?))
    }

    pub(super) fn write<T>(
        &mut self,
        job: impl FnOnce(&WriteTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.with_database(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_two_phase_commit(true);
            // With it a file that a crash left is open at once, however large: nothing has to be found again.
            transaction.set_quick_repair(true);
            // An error drops the transaction, and with it everything that it did.
            let done = job(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Writes, and numbers what was changed in the same transaction.
    pub(super) fn change(
        &mut self,
        by: String,
        job: impl FnOnce(&WriteTransaction) -> Result<Changed, Fault>,
    ) -> Result<Change, StoreError> {
        self.write(|transaction| changes::add(transaction, by, job(transaction)?))
    }

    /// The same, where there may be nothing to change.
    pub(super) fn change_if(
        &mut self,
        by: String,
        job: impl FnOnce(&WriteTransaction) -> Result<Option<Changed>, Fault>,
    ) -> Result<Option<Change>, StoreError> {
        self.write(|transaction| {
            job(transaction)?.map(|what| changes::add(transaction, by, what)).transpose()
        })
    }

    /// Hands every key to one of the visitors, each on a thread of its own.
    pub(super) fn visit_keys(&mut self, visitors: &mut [Visitor<'_>]) -> Result<u64, StoreError> {
        self.with_database(|database| visiting::visit(database, visitors))
    }

    /// After a fault of the disk (a full one, say) the next call opens the file again, so that the
    /// gateway recovers once there is room, without a restart.
    fn with_database<T>(&mut self, job: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        if self.is_broken {
            // Never another store that was put in the place of this one.
            self.footprint.check()?;
            // Closed first: the file cannot be open twice.
            database::close(self.database.take()).map_err(|fault| fault.at(&self.path))?;
            self.database = Some(database::open_database(&self.path, Check::IfSmall)?);
            self.is_broken = false;
        }
        let Some(database) = self.database.as_ref() else {
            return Err(StoreError::Damaged { path: self.path.clone(), detail: "it is not open".into() });
        };
        database::caught(|| job(database)).map_err(|fault| {
            if let Fault::Redb(redb::Error::Io(_) | redb::Error::PreviousIo) | Fault::Panic = fault {
                self.is_broken = true;
            }
            fault.at(&self.path)
        })
    }
}

impl Drop for RecordsFile {
    fn drop(&mut self) {
        // Whoever is interested in damage has met it before.
        let _ = database::close(self.database.take());
    }
}
