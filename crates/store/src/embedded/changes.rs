//! The table of changes: for each number who changed what. The records themselves stand in their own tables.

use super::{fault::Fault, keys, maintenance};
use crate::{Change, Changed, KeyRecord, Since};
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::{Deserialize, Serialize};

const CHANGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("changes");
/// So many are kept. Whoever is farther behind reads all records.
const KEPT: u64 = 1000;

#[derive(Serialize, Deserialize)]
struct Row {
    by: String,
    what: What,
}

/// What was changed, by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    KeyAdded(String),
    KeyChanged(String),
    KeyRevoked(String),
    KeysImported,
    MaintenancePut(String),
    MaintenanceRemoved(String),
}

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(CHANGES)?;
    Ok(())
}

/// Writes a change down, and numbers it.
pub(super) fn add(transaction: &WriteTransaction, by: String, what: Changed) -> Result<Change, Fault> {
    let mut table = transaction.open_table(CHANGES)?;
    let number = table.last()?.map_or(0, |(number, _)| number.value()) + 1;
    let row = Row { by, what: noted(&what) };
    let bytes = serde_json::to_vec(&row).map_err(|_| Fault::Record("changes"))?;
    table.insert(number, bytes.as_slice())?;
    if let Some(oldest) = number.checked_sub(KEPT) {
        table.remove(oldest)?;
    }
    Ok(Change { number, by: row.by, what })
}

fn noted(what: &Changed) -> What {
    match what {
        Changed::KeyAdded(key) => What::KeyAdded(key.id.clone()),
        Changed::KeyChanged(key) => What::KeyChanged(key.id.clone()),
        Changed::KeyRevoked(key) => What::KeyRevoked(key.id.clone()),
        Changed::KeysImported(_) => What::KeysImported,
        Changed::MaintenancePut(window) => What::MaintenancePut(window.id.clone()),
        Changed::MaintenanceRemoved(id) => What::MaintenanceRemoved(id.clone()),
    }
}

/// What was changed after this number. None: nothing is known yet.
pub(super) fn since(transaction: &ReadTransaction, after: Option<u64>) -> Result<Since, Fault> {
    let table = match transaction.open_table(CHANGES) {
        Ok(table) => table,
        // An older Fairgate made this store.
        Err(TableError::TableDoesNotExist(_)) => return Ok(Since::Everything(0)),
        Err(error) => return Err(error.into()),
    };
    let newest = table.last()?.map_or(0, |(number, _)| number.value());
    // More than there is: of another store, or of a time that a copy does not know.
    let Some(after) = after.filter(|after| *after <= newest) else { return Ok(Since::Everything(newest)) };
    let mut changes = Vec::new();
    for row in table.range(after + 1..)? {
        let (number, bytes) = row?;
        let expected = after + 1 + changes.len() as u64;
        let row: Row = serde_json::from_slice(bytes.value()).map_err(|_| Fault::Record("changes"))?;
        let what = if number.value() == expected { found(transaction, row.what)? } else { None };
        let Some(what) = what else { return Ok(Since::Everything(newest)) };
        changes.push(Change { number: expected, by: row.by, what });
    }
    Ok(Since::Changes(changes))
}

/// The change with its record. None: it has to be read with all others.
fn found(transaction: &ReadTransaction, what: What) -> Result<Option<Changed>, Fault> {
    let key = |id: &str| -> Result<KeyRecord, Fault> {
        keys::by_id(transaction, id)?.ok_or(Fault::Record("changes"))
    };
    Ok(Some(match what {
        What::KeyAdded(id) => Changed::KeyAdded(key(&id)?),
        What::KeyChanged(id) => Changed::KeyChanged(key(&id)?),
        What::KeyRevoked(id) => Changed::KeyRevoked(key(&id)?),
        What::KeysImported => return Ok(None),
        What::MaintenancePut(id) => match maintenance::by_id(transaction, &id)? {
            Some(window) => Changed::MaintenancePut(window),
            // A later change has removed it.
            None => Changed::MaintenanceRemoved(id),
        },
        What::MaintenanceRemoved(id) => Changed::MaintenanceRemoved(id),
    }))
}
