//! The store in files of a folder, on redb: the records in one, usage in another, each worked on by a thread of its own.

mod changes;
mod copy;
mod database;
mod fault;
mod incidents;
mod keys;
mod maintenance;
mod opening;
mod records_file;
mod usage;
mod visiting;
mod worker;

use crate::{
    Change, Changed, Footprint, IncidentGroup, IncidentRecord, KeyBatch, KeyRecord, KeyVisitor,
    MaintenanceWindow, Pending, Records, Secret, Since, StoreError, UsageCell, UsageEntry, UsagePage,
    UsagePlace, UsageQuery, UsageStore,
};
use ::usage::Retention;
pub use copy::{Portion, Position};
use database::Check;
use fault::Fault;
use records_file::RecordsFile;
use redb::{ReadTransaction, WriteTransaction};
use std::{
    path::Path,
    sync::{Arc, mpsc::Receiver},
};
use usage::UsageFile;
use worker::Worker;

/// The store in a folder. It is closed, and free for another process, once this is dropped.
pub struct Embedded {
    records: Worker<RecordsFile>,
    usage: Worker<UsageFile>,
    footprint: Footprint,
    is_new: bool,
}

impl Embedded {
    /// Opens the store in this folder, or makes a new one if there is none.
    ///
    /// A small file is checked whole. Of a large one a record is checked when it is read.
    pub fn open(folder: &Path) -> Result<(Self, Secret), StoreError> {
        let opened = opening::open(folder, Check::IfSmall, None)?;
        let secret = opened.secret.clone();
        Ok((Self::start(folder, opened)?, secret))
    }

    /// Opens a copy of records that live elsewhere, or makes an empty one. Its keys have this secret, which lies in a file
    /// elsewhere.
    ///
    /// # Errors
    /// It cannot be read, or its keys have another secret.
    pub fn open_copy(folder: &Path, secret: &Secret, file: &Path) -> Result<Self, StoreError> {
        Self::start(folder, opening::open(folder, Check::IfSmall, Some((secret, file)))?)
    }

    fn start(folder: &Path, opened: opening::Opened) -> Result<Self, StoreError> {
        let footprint = opened.records.footprint().clone();
        Ok(Self {
            records: Worker::start("records", folder, opened.records)?,
            usage: Worker::start("usage", folder, UsageFile::new(folder))?,
            footprint,
            is_new: opened.is_new,
        })
    }

    /// How far this copy has come. None: it is none, or empty.
    pub fn position(&self) -> Pending<'_, Option<Position>> {
        self.read(copy::position)
    }

    /// Takes over what was changed in the records that this is a copy of.
    pub fn follow(&self, changes: Vec<Change>, position: Position) -> Pending<'_, ()> {
        self.records.run(move |file| file.write(|transaction| copy::follow(transaction, &changes, &position)))
    }

    /// Puts what comes in the place of all that this copy has, at once. Without [`Portion::End`] it changes nothing.
    pub fn replace(&self, portions: Receiver<Portion>) -> Pending<'_, ()> {
        self.records
            .run(move |file| file.write(|transaction| copy::replace(transaction, portions.into_iter())))
    }

    /// Opens the store in this folder and checks every page and every key; that takes about a second for a
    /// million keys. Tells how many keys there are.
    pub fn check(folder: &Path) -> Result<u64, StoreError> {
        opening::open(folder, Check::Whole, None)?.records.visit_keys(&mut [&mut |_| ()])
    }

    /// Where it lies, for whoever looks after that.
    pub const fn footprint(&self) -> &Footprint {
        &self.footprint
    }

    /// Whether it was made when it was opened.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    fn change(
        &self,
        by: &str,
        job: impl FnOnce(&WriteTransaction) -> Result<Changed, Fault> + Send + 'static,
    ) -> Pending<'_, Change> {
        let by = by.to_owned();
        self.records.run(move |file| file.change(by, job))
    }

    fn change_if(
        &self,
        by: &str,
        job: impl FnOnce(&WriteTransaction) -> Result<Option<Changed>, Fault> + Send + 'static,
    ) -> Pending<'_, Option<Change>> {
        let by = by.to_owned();
        self.records.run(move |file| file.change_if(by, job))
    }

    fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&ReadTransaction) -> Result<T, Fault> + Send + 'static,
    ) -> Pending<'_, T> {
        self.records.run(move |file| file.read(job))
    }
}

// === impl Records ===

impl Records for Embedded {
    fn check_place(&self) -> Pending<'_, ()> {
        self.records.run(|file| file.footprint().check())
    }

    fn changes_since(&self, after: Option<u64>) -> Pending<'_, Since> {
        self.read(move |transaction| changes::since(transaction, after))
    }

    fn visit_keys(&self, mut visitors: Vec<KeyVisitor>) -> Pending<'_, u64> {
        self.records.run(move |file| {
            let mut each: Vec<visiting::Visitor<'_>> = Vec::new();
            for visitor in &mut visitors {
                each.push(visitor);
            }
            file.visit_keys(&mut each)
        })
    }

    fn page_of_keys(&self, after: Option<String>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        self.read(move |transaction| keys::page(transaction, after.as_deref(), limit))
    }

    fn keys_after(&self, after: Option<[u8; 32]>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        self.read(move |transaction| keys::after(transaction, after.as_ref(), limit))
    }

    fn count_keys(&self) -> Pending<'_, u64> {
        self.read(keys::count)
    }

    fn key_by_id(&self, id: &str) -> Pending<'_, Option<KeyRecord>> {
        let id = id.to_owned();
        self.read(move |transaction| keys::by_id(transaction, &id))
    }

    fn keys_by_digests(&self, digests: Vec<[u8; 32]>) -> Pending<'_, Vec<Option<KeyRecord>>> {
        self.read(move |transaction| keys::by_digests(transaction, &digests))
    }

    fn add_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Change> {
        self.change(by, move |transaction| {
            keys::insert(transaction, std::iter::once(key.clone()))?;
            Ok(Changed::KeyAdded(key))
        })
    }

    fn import_keys(&self, keys: KeyBatch, by: &str) -> Pending<'_, Change> {
        self.change(by, move |transaction| {
            keys::insert(transaction, keys.records())?;
            Ok(Changed::KeysImported(keys))
        })
    }

    fn put_keys(&self, keys: Vec<KeyRecord>) -> Pending<'_, ()> {
        self.records.run(move |file| file.write(|transaction| keys::take_in(transaction, keys)))
    }

    fn replace_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Option<Change>> {
        self.change_if(by, move |transaction| {
            Ok(keys::replace(transaction, &key)?.then_some(Changed::KeyChanged(key)))
        })
    }

    fn revoke_key(&self, id: &str, at: u64, by: &str) -> Pending<'_, Option<Change>> {
        let id = id.to_owned();
        self.change_if(
            by,
            move |transaction| Ok(keys::revoke(transaction, &id, at)?.map(Changed::KeyRevoked)),
        )
    }

    fn add_incidents(&self, incidents: Arc<[IncidentRecord]>) -> Pending<'_, ()> {
        self.records.run(move |file| file.write(|transaction| incidents::add(transaction, &incidents)))
    }

    fn incidents(&self, limit: usize, cause: Option<String>) -> Pending<'_, Vec<IncidentRecord>> {
        self.read(move |transaction| incidents::newest(transaction, limit, cause.as_deref()))
    }

    fn incident_groups(&self) -> Pending<'_, Vec<IncidentGroup>> {
        self.read(incidents::groups)
    }

    fn incidents_of(&self, request_id: &str) -> Pending<'_, Vec<IncidentRecord>> {
        let request_id = request_id.to_owned();
        self.read(move |transaction| incidents::by_request_id(transaction, &request_id))
    }

    fn put_maintenance(&self, window: MaintenanceWindow, by: &str) -> Pending<'_, Change> {
        self.change(by, move |transaction| {
            maintenance::put(transaction, &window)?;
            Ok(Changed::MaintenancePut(window))
        })
    }

    fn remove_maintenance(&self, id: &str, by: &str) -> Pending<'_, Option<Change>> {
        let id = id.to_owned();
        self.change_if(by, move |transaction| {
            Ok(maintenance::remove(transaction, &id)?.then_some(Changed::MaintenanceRemoved(id)))
        })
    }

    fn maintenance(&self) -> Pending<'_, Vec<MaintenanceWindow>> {
        self.read(maintenance::all)
    }
}

// === impl UsageStore ===

impl UsageStore for Embedded {
    fn add_usage(&self, entries: Arc<[UsageEntry]>, keep: Retention) -> Pending<'_, ()> {
        self.usage.run(move |file| file.add(&entries, keep))
    }

    fn usage(&self, query: &UsageQuery, limit: usize) -> Pending<'_, UsagePage> {
        let query = query.clone();
        self.usage.run(move |file| file.find(&query, limit))
    }

    fn usage_after(&self, after: Option<UsagePlace>, limit: usize) -> Pending<'_, Vec<UsageCell>> {
        self.usage.run(move |file| file.after(after.as_ref(), limit))
    }

    fn put_usage(&self, cells: Vec<UsageCell>) -> Pending<'_, ()> {
        self.usage.run(move |file| file.put(&cells))
    }
}
