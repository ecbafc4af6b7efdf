//! The store in one file, on redb. This file owns opening it, its transactions and their faults.
//!
//! Every commit is a two-phase commit, so that what was told to be saved is never rolled back
//! when the file is repaired after a crash, and a file that was altered from outside is refused
//! and not "repaired" to something older.

mod incidents;
mod keys;
mod maintenance;
mod opening;
mod usage;
mod visiting;

use crate::{
    Footprint, Holder, IncidentGroup, IncidentRecord, KeyRecord, KeyRow, KeyVisitor, MaintenanceWindow,
    Secret, Store, StoreError, UsageEntry, UsagePage, UsageQuery,
};
use ::usage::Retention;
use opening::Check;
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
};

/// The store in one file of a folder.
pub struct Embedded {
    path: PathBuf,
    // None only while it is being opened again.
    database: RefCell<Option<Database>>,
    // The last call met a fault of the disk; redb answers nothing more until it is opened again.
    broken: Cell<bool>,
    usage: usage::UsageFile,
    footprint: Footprint,
    is_new: bool,
}

/// A fault inside a transaction: redb's own, or one that we found.
enum Fault {
    Redb(redb::Error),
    Store(StoreError),
    /// Bytes that no Fairgate wrote, in this table.
    Record(&'static str),
    /// redb stumbled over a page.
    Panic,
}

impl Embedded {
    /// Opens the store in this folder, or makes a new one if there is none.
    ///
    /// A small file is checked whole. Of a large one a record is checked when it is read.
    pub fn open(folder: &Path) -> Result<(Self, Secret), StoreError> {
        opening::open(folder, Check::IfSmall)
    }

    /// Opens the store in this folder and checks every page and every key; that takes about a second for a
    /// million keys. Tells how many keys there are.
    pub fn check(folder: &Path) -> Result<u64, StoreError> {
        let (store, _) = opening::open(folder, Check::Whole)?;
        let mut visit = |_: KeyRow<'_>| ();
        store.visit_keys(&mut [&mut visit])
    }

    /// Where it lies, for whoever looks after that.
    pub const fn footprint(&self) -> &Footprint {
        &self.footprint
    }

    /// Whether it was made when it was opened.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    fn read<T>(&self, job: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.with_database(|database| job(&database.begin_read()?))
    }

    fn write<T>(&self, job: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
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

    /// After a fault of the disk (a full one, say) the next call opens the file again, so that the
    /// gateway recovers once there is room, without a restart.
    fn with_database<T>(&self, job: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        if self.broken.get() {
            // Never another store that was put in the place of this one.
            self.footprint.check()?;
            // Closed first: the file cannot be open twice.
            let before = self.database.borrow_mut().take();
            opening::close(before).map_err(|fault| fault.at(&self.path))?;
            *self.database.borrow_mut() = Some(opening::open_database(&self.path, Check::IfSmall)?);
            self.broken.set(false);
        }
        let place = self.database.borrow();
        let Some(database) = place.as_ref() else {
            return Err(StoreError::Damaged { path: self.path.clone(), detail: "it is not open".into() });
        };
        opening::caught(|| job(database)).map_err(|fault| {
            if let Fault::Redb(redb::Error::Io(_) | redb::Error::PreviousIo) | Fault::Panic = fault {
                self.broken.set(true);
            }
            fault.at(&self.path)
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Whoever is interested in damage has met it before.
        let _ = opening::close(self.database.get_mut().take());
    }
}

// === impl Fault ===

impl Fault {
    /// The fault as it is told, with the file's name.
    fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Store(error) => error,
            Self::Record(table) => {
                StoreError::Damaged { path, detail: format!("a record of `{table}` cannot be read") }
            }
            Self::Panic => StoreError::Damaged { path, detail: "a page of it cannot be read".into() },
            Self::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
                let holder = Holder::of(&path);
                StoreError::Locked { path, holder }
            }
            Self::Redb(redb::Error::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                StoreError::Damaged { path, detail: error.to_string() }
            }
            Self::Redb(redb::Error::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                StoreError::Damaged { path, detail: "its end is missing".into() }
            }
            Self::Redb(redb::Error::Io(error)) => StoreError::io("read or write", path, error),
            Self::Redb(redb::Error::RepairAborted) => {
                StoreError::Damaged { path, detail: "what was saved last does not match its checksum".into() }
            }
            Self::Redb(error) => StoreError::Damaged { path, detail: error.to_string() },
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

// === impl Store ===

impl Store for Embedded {
    fn check_place(&self) -> Result<(), StoreError> {
        self.footprint.check()
    }

    fn visit_keys(&self, visitors: &mut [KeyVisitor<'_>]) -> Result<u64, StoreError> {
        self.with_database(|database| visiting::visit(database, visitors))
    }

    fn page_of_keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<KeyRecord>, StoreError> {
        self.read(|transaction| keys::page(transaction, after, limit))
    }

    fn count_keys(&self) -> Result<u64, StoreError> {
        self.read(keys::count)
    }

    fn key_by_id(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.read(|transaction| keys::by_id(transaction, id))
    }

    fn keys_by_digests(&self, digests: &[[u8; 32]]) -> Result<Vec<Option<KeyRecord>>, StoreError> {
        self.read(|transaction| keys::by_digests(transaction, digests))
    }

    fn insert_keys(&self, records: &mut dyn Iterator<Item = KeyRecord>) -> Result<u64, StoreError> {
        self.write(|transaction| keys::insert(transaction, records))
    }

    fn replace_key(&self, record: &KeyRecord) -> Result<bool, StoreError> {
        self.write(|transaction| keys::replace(transaction, record))
    }

    fn revoke_key(&self, id: &str, at: u64) -> Result<Option<KeyRecord>, StoreError> {
        self.write(|transaction| keys::revoke(transaction, id, at))
    }

    fn add_incidents(&self, incidents: &[IncidentRecord]) -> Result<(), StoreError> {
        self.write(|transaction| incidents::add(transaction, incidents))
    }

    fn incidents(&self, limit: usize, cause: Option<&str>) -> Result<Vec<IncidentRecord>, StoreError> {
        self.read(|transaction| incidents::newest(transaction, limit, cause))
    }

    fn incident_groups(&self) -> Result<Vec<IncidentGroup>, StoreError> {
        self.read(incidents::groups)
    }

    fn incidents_of(&self, request_id: &str) -> Result<Vec<IncidentRecord>, StoreError> {
        self.read(|transaction| incidents::by_request_id(transaction, request_id))
    }

    fn put_maintenance(&self, window: &MaintenanceWindow) -> Result<(), StoreError> {
        self.write(|transaction| maintenance::put(transaction, window))
    }

    fn remove_maintenance(&self, id: &str) -> Result<bool, StoreError> {
        self.write(|transaction| maintenance::remove(transaction, id))
    }

    fn maintenance(&self) -> Result<Vec<MaintenanceWindow>, StoreError> {
        self.read(maintenance::all)
    }

    fn add_usage(&self, entries: &[UsageEntry], keep: Retention) -> Result<(), StoreError> {
        self.usage.add(entries, keep)
    }

    fn usage(&self, query: &UsageQuery, limit: usize) -> Result<UsagePage, StoreError> {
        self.usage.find(query, limit)
    }
}
