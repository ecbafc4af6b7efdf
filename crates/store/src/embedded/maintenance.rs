//! The table of windows of maintenance, by their ids.

use super::fault::Fault;
use crate::MaintenanceWindow;
use redb::{ReadTransaction, TableDefinition, WriteTransaction};

const MAINTENANCE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("maintenance");

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(MAINTENANCE)?;
    Ok(())
}

pub(super) fn put(transaction: &WriteTransaction, window: &MaintenanceWindow) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(window).map_err(|_| Fault::Record("maintenance"))?;
    transaction.open_table(MAINTENANCE)?.insert(window.id.as_str(), bytes.as_slice())?;
    Ok(())
}

pub(super) fn remove(transaction: &WriteTransaction, id: &str) -> Result<bool, Fault> {
    let mut table = transaction.open_table(MAINTENANCE)?;
    let removed = table.remove(id)?.is_some();
    Ok(removed)
}

/// Removes all.
pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.delete_table(MAINTENANCE)?;
    create_table(transaction)
}

pub(super) fn by_id(transaction: &ReadTransaction, id: &str) -> Result<Option<MaintenanceWindow>, Fault> {
    let found = transaction.open_table(MAINTENANCE)?.get(id)?;
    found.map(|bytes| decode(bytes.value())).transpose()
}

pub(super) fn all(transaction: &ReadTransaction) -> Result<Vec<MaintenanceWindow>, Fault> {
    let mut windows = Vec::new();
    for row in transaction.open_table(MAINTENANCE)?.range::<&str>(..)? {
        windows.push(decode(row?.1.value())?);
    }
    windows.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
    Ok(windows)
}

fn decode(bytes: &[u8]) -> Result<MaintenanceWindow, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::Record("maintenance"))
}
