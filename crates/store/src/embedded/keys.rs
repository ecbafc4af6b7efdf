//! The tables of keys: the records by digest, and the digests by id.

use super::fault::Fault;
use crate::{KeyRecord, StoreError, encoding};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
use std::ops::Bound;

pub(super) const KEYS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("keys");
const KEY_IDS: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("key_ids");

pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(KEYS)?;
    transaction.open_table(KEY_IDS)?;
    Ok(())
}

pub(super) fn page(
    transaction: &ReadTransaction,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<KeyRecord>, Fault> {
    let records = transaction.open_table(KEYS)?;
    let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut page = Vec::new();
    for row in transaction.open_table(KEY_IDS)?.range::<&str>((begin, Bound::Unbounded))?.take(limit) {
        let (id, digest) = row?;
        page.push(named(&records, id.value(), digest.value())?);
    }
    Ok(page)
}

pub(super) fn after(
    transaction: &ReadTransaction,
    after: Option<&[u8; 32]>,
    limit: usize,
) -> Result<Vec<KeyRecord>, Fault> {
    let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
    let table = transaction.open_table(KEYS)?;
    let rows = table.range::<&[u8; 32]>((begin, Bound::Unbounded))?.take(limit);
    rows.map(|row| {
        let (digest, bytes) = row?;
        decode(digest.value(), bytes.value())
    })
    .collect()
}

pub(super) fn count(transaction: &ReadTransaction) -> Result<u64, Fault> {
    Ok(transaction.open_table(KEYS)?.len()?)
}

pub(super) fn by_id(transaction: &ReadTransaction, id: &str) -> Result<Option<KeyRecord>, Fault> {
    let Some(digest) = transaction.open_table(KEY_IDS)?.get(id)?.map(|found| *found.value()) else {
        return Ok(None);
    };
    named(&transaction.open_table(KEYS)?, id, &digest).map(Some)
}

pub(super) fn by_digests(
    transaction: &ReadTransaction,
    digests: &[[u8; 32]],
) -> Result<Vec<Option<KeyRecord>>, Fault> {
    let table = transaction.open_table(KEYS)?;
    digests.iter().map(|digest| find(&table, digest)).collect()
}

pub(super) fn insert(
    transaction: &WriteTransaction,
    records: impl Iterator<Item = KeyRecord>,
) -> Result<(), Fault> {
    let mut table = transaction.open_table(KEYS)?;
    let mut known = Vec::new();
    // Ids are inserted in their order afterwards: neighbours then share pages that are at hand.
    let mut ids = Vec::new();
    for record in records {
        let bytes = encoding::encode(&record).map_err(Fault::Store)?;
        match table.insert(&record.digest, bytes.as_slice())? {
            None => ids.push((record.id, record.digest)),
            Some(before) => known.push(decode(&record.digest, before.value())?.id),
        }
    }
    if !known.is_empty() {
        return Err(Fault::Store(StoreError::KeysExist { ids: known }));
    }
    ids.sort_unstable();
    let mut index = transaction.open_table(KEY_IDS)?;
    for (id, digest) in &ids {
        if index.insert(id.as_str(), digest)?.is_some() {
            return Err(Fault::Store(StoreError::KeysExist { ids: vec![id.clone()] }));
        }
    }
    Ok(())
}

/// Adds these, or puts them in the place of those with their digests.
pub(super) fn put(
    transaction: &WriteTransaction,
    records: impl Iterator<Item = KeyRecord>,
) -> Result<(), Fault> {
    let mut table = transaction.open_table(KEYS)?;
    let mut ids = Vec::new();
    for record in records {
        table.insert(&record.digest, encoding::encode(&record).map_err(Fault::Store)?.as_slice())?;
        ids.push((record.id, record.digest));
    }
    ids.sort_unstable();
    let mut index = transaction.open_table(KEY_IDS)?;
    for (id, digest) in &ids {
        index.insert(id.as_str(), digest)?;
    }
    Ok(())
}

/// As [`put`], of keys that come from elsewhere: one that was revoked here stays revoked, and no id gets another digest.
pub(super) fn take_in(transaction: &WriteTransaction, mut keys: Vec<KeyRecord>) -> Result<(), Fault> {
    {
        let (table, index) = (transaction.open_table(KEYS)?, transaction.open_table(KEY_IDS)?);
        for key in &mut keys {
            if index.get(key.id.as_str())?.is_some_and(|found| *found.value() != key.digest) {
                return Err(Fault::Store(StoreError::KeysExist { ids: vec![key.id.clone()] }));
            }
            if let Some(before) = find(&table, &key.digest)? {
                if before.id != key.id {
                    return Err(Fault::Store(StoreError::KeysExist { ids: vec![before.id] }));
                }
                key.revoked_at = before.revoked_at.or(key.revoked_at);
            }
        }
    }
    put(transaction, keys.into_iter())
}

/// Removes all.
pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.delete_table(KEYS)?;
    transaction.delete_table(KEY_IDS)?;
    create_tables(transaction)
}

pub(super) fn replace(transaction: &WriteTransaction, record: &KeyRecord) -> Result<bool, Fault> {
    let mut table = transaction.open_table(KEYS)?;
    if find(&table, &record.digest)?.is_none_or(|before| before.id != record.id) {
        return Ok(false);
    }
    table.insert(&record.digest, encoding::encode(record).map_err(Fault::Store)?.as_slice())?;
    Ok(true)
}

pub(super) fn revoke(transaction: &WriteTransaction, id: &str, at: u64) -> Result<Option<KeyRecord>, Fault> {
    let Some(digest) = transaction.open_table(KEY_IDS)?.get(id)?.map(|found| *found.value()) else {
        return Ok(None);
    };
    let mut table = transaction.open_table(KEYS)?;
    let mut record = named(&table, id, &digest)?;
    record.revoked_at.get_or_insert(at);
    table.insert(&digest, encoding::encode(&record).map_err(Fault::Store)?.as_slice())?;
    Ok(Some(record))
}

/// The record that the index of ids leads to. The index has no checksum of its own: the record knows
/// its id, so a wrong turn is found here.
fn named(
    table: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    id: &str,
    digest: &[u8; 32],
) -> Result<KeyRecord, Fault> {
    find(table, digest)?.filter(|record| record.id == id).ok_or(Fault::Record("key_ids"))
}

fn find(
    table: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    digest: &[u8; 32],
) -> Result<Option<KeyRecord>, Fault> {
    table.get(digest)?.map(|bytes| decode(digest, bytes.value())).transpose()
}

fn decode(digest: &[u8; 32], bytes: &[u8]) -> Result<KeyRecord, Fault> {
    encoding::decode(*digest, bytes).ok_or(Fault::Record("keys"))
}
