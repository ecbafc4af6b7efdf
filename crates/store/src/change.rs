//! What a write has changed, numbered in the order of the writes.

use crate::{KeyRecord, MaintenanceWindow};
use std::{fmt, sync::Arc};

/// A change that is on the disk. Its number is one more than that of the change before.
#[derive(Debug)]
pub struct Change {
    /// Its number: 1 is the first of a store.
    pub number: u64,
    /// Who made it.
    pub by: String,
    /// What was changed.
    pub what: Changed,
}

/// What was changed, and how it is from then on. Whoever reads a change later may get a record that is newer than the
/// change: to apply it twice, or before a change that made it so, does no harm.
#[derive(Debug)]
pub enum Changed {
    /// A key was made.
    KeyAdded(KeyRecord),
    /// Terms of a key were changed.
    KeyChanged(KeyRecord),
    /// A key was revoked.
    KeyRevoked(KeyRecord),
    /// Keys that were made elsewhere were added.
    KeysImported(KeyBatch),
    /// A window of maintenance was added, or replaced the one with its id.
    MaintenancePut(MaintenanceWindow),
    /// The window of maintenance with this id was removed.
    MaintenanceRemoved(String),
}

/// What was changed since a change.
#[derive(Debug)]
pub enum Since {
    /// These changes, in the order of their numbers.
    Changes(Vec<Change>),
    /// More than can be listed one by one: all records have to be read, which hold at least what was changed up to this number.
    Everything(u64),
}

/// Keys that are added together. Their records are made anew each time that they are walked through, so that those of
/// a million keys need not be held.
#[derive(Clone)]
pub struct KeyBatch(Arc<Make>);

type Make = dyn Fn() -> Box<dyn Iterator<Item = KeyRecord>> + Send + Sync;

impl KeyBatch {
    /// The keys that this makes, the same ones each time.
    pub fn new<I: Iterator<Item = KeyRecord> + 'static>(
        make: impl Fn() -> I + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || Box::new(make())))
    }

    /// All keys.
    pub fn records(&self) -> impl Iterator<Item = KeyRecord> {
        self.0()
    }
}

impl From<Vec<KeyRecord>> for KeyBatch {
    fn from(records: Vec<KeyRecord>) -> Self {
        let records: Arc<[KeyRecord]> = records.into();
        Self::new(move || {
            let records = Arc::clone(&records);
            (0..records.len()).filter_map(move |at| records.get(at).cloned())
        })
    }
}

impl fmt::Debug for KeyBatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("KeyBatch(…)")
    }
}
