//! A copy of records that live elsewhere: which ones, and up to which change.

use super::{database::META, fault::Fault, keys, maintenance};
use crate::{Change, Changed, KeyRecord, MaintenanceWindow, StoreError};
use redb::{ReadTransaction, WriteTransaction};
use serde::{Deserialize, Serialize};

const META_COPY: &str = "copy";

/// How far a copy of records has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which records it is of.
    pub of: String,
    /// The number of the last change that it has.
    pub number: u64,
    /// When it was the same as they, in seconds since the Unix epoch.
    pub at: u64,
}

/// What a copy is made of anew.
pub enum Portion {
    /// Some of the keys.
    Keys(Vec<KeyRecord>),
    /// What comes behind the last keys. Without it all is as before.
    End(Vec<MaintenanceWindow>, Position),
}

pub(super) fn position(transaction: &ReadTransaction) -> Result<Option<Position>, Fault> {
    let table = transaction.open_table(META)?;
    let found = table.get(META_COPY)?;
    // What a later Fairgate wrote is copied anew.
    Ok(found.and_then(|found| serde_json::from_slice(found.value()).ok()))
}

/// Takes over what was changed.
pub(super) fn follow(
    transaction: &WriteTransaction,
    changes: &[Change],
    position: &Position,
) -> Result<(), Fault> {
    for change in changes {
        match &change.what {
            Changed::KeyAdded(key) | Changed::KeyChanged(key) | Changed::KeyRevoked(key) => {
                keys::put(transaction, std::iter::once(key.clone()))?;
            }
            Changed::KeysImported(batch) => keys::put(transaction, batch.records())?,
            Changed::MaintenancePut(window) => maintenance::put(transaction, window)?,
            Changed::MaintenanceRemoved(id) => drop(maintenance::remove(transaction, id)?),
        }
    }
    set_position(transaction, position)
}

/// Puts what comes in the place of all that is there.
pub(super) fn replace(
    transaction: &WriteTransaction,
    portions: impl Iterator<Item = Portion>,
) -> Result<(), Fault> {
    keys::clear(transaction)?;
    maintenance::clear(transaction)?;
    for portion in portions {
        match portion {
            Portion::Keys(some) => {
                keys::put(transaction, some.into_iter())?;
            }
            Portion::End(windows, position) => {
                windows.iter().try_for_each(|window| maintenance::put(transaction, window))?;
                set_position(transaction, &position)?;
                return Ok(());
            }
        }
    }
    let why = "what a copy is made of ended too soon".to_owned();
    Err(Fault::Store(StoreError::Away { why }))
}

fn set_position(transaction: &WriteTransaction, position: &Position) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(position).map_err(|_| Fault::Record("meta"))?;
    transaction.open_table(META)?.insert(META_COPY, bytes.as_slice())?;
    Ok(())
}
