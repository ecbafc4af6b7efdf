//! Usage, in a database file of its own beside the store's.
//!
//! Of its own, because it is a report and may be large: opening the store checks every page of what
//! limits rely on, and need not wait for gigabytes of history; and damage here keeps no gateway from
//! starting. The file is opened when it is first needed.
//!
//! Each grain has a table for a stretch of time, so that forgetting is dropping tables. A row's place
//! is (bucket, whose, endpoint): what is written at a time lies together, whatever the number of keys.
//! One key's span is read bucket by bucket; a few microseconds each, and there are at most some thousands.

use super::fault::Fault;
use crate::{
    StoreError, UsageCell, UsageEntry, UsagePage, UsagePlace, UsageQuery, UsageRow, Whose,
    folder::{self, USAGE_FILE},
};
use ::usage::{Grain, Retention, Tally};
use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle,
    WriteTransaction,
};
use std::{
    collections::BTreeMap,
    fs, io,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

type Table<'n> = TableDefinition<'n, (u32, &'static str, &'static str), &'static [u8]>;

/// Pages that are held in memory.
const CACHE_BYTES: usize = 16 << 20;
/// A file up to this size is checked wholly when it is opened, which takes up to about a second. In a
/// larger one damage is met where it is read.
const MAX_CHECKED_SIZE: u64 = 256 << 20;
/// Whose rows these are, as a place in a table. Ids of keys are neither empty nor a star.
const EVERYONE: &str = "*";
const NOBODY: &str = "";
const NO_ENDPOINT: &str = "";

/// The file, which may not be there yet.
pub(super) struct UsageFile {
    path: PathBuf,
    database: Option<Database>,
}

impl UsageFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(USAGE_FILE), database: None }
    }

    pub(super) fn add(&mut self, entries: &[UsageEntry], keep: Retention) -> Result<(), StoreError> {
        let Some(newest) = entries.iter().map(|entry| entry.minute).max() else { return Ok(()) };
        self.with_database(true, |database| {
            let mut transaction = database.begin_write()?;
            // After a crash the file is opened at once, without a walk through all of it.
            transaction.set_quick_repair(true);
            // Forgetting follows the clock that the entries were counted by: one that leaps for a
            // moment must not cost the history before the gateway believes it.
            let now = Grain::Minute.start(newest);
            for grain in Grain::ALL {
                add_to(&transaction, grain, keep.earliest(grain, now), entries)?;
                forget_before(&transaction, grain, keep.earliest(grain, now))?;
            }
            transaction.commit()?;
            Ok(())
        })
        .map(|_| ())
    }

    pub(super) fn find(&mut self, query: &UsageQuery, limit: usize) -> Result<UsagePage, StoreError> {
        let found = self.with_database(false, |database| page(&database.begin_read()?, query, limit))?;
        Ok(found.unwrap_or(UsagePage { rows: Vec::new(), next: None }))
    }

    pub(super) fn after(
        &mut self,
        after: Option<&UsagePlace>,
        limit: usize,
    ) -> Result<Vec<UsageCell>, StoreError> {
        let found = self.with_database(false, |database| cells(&database.begin_read()?, after, limit))?;
        Ok(found.unwrap_or_default())
    }

    pub(super) fn put(&mut self, cells: &[UsageCell]) -> Result<(), StoreError> {
        if cells.is_empty() {
            return Ok(());
        }
        self.with_database(true, |database| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            put_cells(&transaction, cells)?;
            transaction.commit()?;
            Ok(())
        })
        .map(|_| ())
    }

    /// None: there is no file yet, and none was to be made.
    fn with_database<T>(
        &mut self,
        may_create: bool,
        job: impl FnOnce(&Database) -> Result<T, Fault>,
    ) -> Result<Option<T>, StoreError> {
        if self.database.is_none() {
            self.database = open(&self.path, may_create)?;
        }
        let Some(database) = self.database.as_ref() else { return Ok(None) };
        // What stands in a damaged page may make redb panic. A report must not end the gateway for that.
        let done = catch_unwind(AssertUnwindSafe(|| job(database))).unwrap_or(Err(Fault::Record("usage")));
        if done.is_err() {
            // redb answers nothing more after a fault of the disk until it is opened again; and whoever
            // puts another file in this place should not need a restart.
            self.database = None;
        }
        done.map(Some).map_err(|fault| told(fault, &self.path))
    }
}

/// A fault of this file. What is lost with it is less than what the store's own file holds.
fn told(fault: Fault, path: &Path) -> StoreError {
    let error = fault.at(path);
    if let StoreError::Damaged { path, detail } = error {
        return StoreError::UsageDamaged { path, detail };
    }
    error
}

fn open(path: &Path, may_create: bool) -> Result<Option<Database>, StoreError> {
    let length = match fs::metadata(path) {
        Ok(found) if found.len() == 0 => {
            return Err(StoreError::UsageDamaged { path: path.into(), detail: "it is empty".into() });
        }
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_create => {
            create(path)?;
            0
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("look at", path, error)),
    };
    folder::make_private(path)?;
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(length <= MAX_CHECKED_SIZE);
    let opened = catch_unwind(AssertUnwindSafe(|| builder.open(path)));
    let opened = opened.map_or(Err(Fault::Record("usage")), |opened| opened.map_err(Fault::from));
    opened.map(Some).map_err(|fault| told(fault, path))
}

/// Under another name first, so that a crash leaves no half of it.
fn create(path: &Path) -> Result<(), StoreError> {
    let fresh = folder::fresh_name(path);
    drop(folder::private_file(&fresh).map_err(|error| StoreError::io("make", &fresh, error))?);
    drop(Builder::new().create(&fresh).map_err(|error| told(error.into(), &fresh))?);
    folder::put_in_place(&fresh, path).map_err(|error| StoreError::io("make", path, error))
}

/// How many buckets one table holds: some tables for what is kept by default, not hundreds.
const fn buckets_of_a_table(grain: Grain) -> u32 {
    match grain {
        Grain::Minute => 24 * 60,
        Grain::Hour => 10 * 24,
        Grain::Day => 100,
    }
}

fn table_name(grain: Grain, part: u32) -> String {
    format!("{}/{part}", grain.name())
}

/// The part of its grain that a table holds. None: a table of another grain, or of a later Fairgate.
fn part_of(grain: Grain, name: &str) -> Option<u32> {
    name.strip_prefix(grain.name())?.strip_prefix('/')?.parse().ok()
}

fn add_to(
    transaction: &WriteTransaction,
    grain: Grain,
    earliest: u32,
    entries: &[UsageEntry],
) -> Result<(), Fault> {
    let mut parts: BTreeMap<u32, BTreeMap<(u32, &str, &str), Tally>> = BTreeMap::new();
    for entry in entries {
        let bucket = grain.bucket(Grain::Minute.start(entry.minute));
        if bucket < earliest {
            continue;
        }
        let rows = parts.entry(bucket / buckets_of_a_table(grain)).or_default();
        let endpoint = entry.endpoint.as_deref().unwrap_or(NO_ENDPOINT);
        for whose in [entry.key_id.as_deref().unwrap_or(NOBODY), EVERYONE] {
            rows.entry((bucket, whose, endpoint)).or_default().merge(&entry.tally);
        }
    }
    for (part, rows) in parts {
        let name = table_name(grain, part);
        let mut table = transaction.open_table(Table::new(&name))?;
        for (place, mut tally) in rows {
            let before = table.get(place)?.map(|bytes| decode(bytes.value())).transpose()?;
            if let Some(before) = before {
                tally.merge(&before);
            }
            table.insert(place, tally.to_bytes().as_slice())?;
        }
    }
    Ok(())
}

fn forget_before(transaction: &WriteTransaction, grain: Grain, earliest: u32) -> Result<(), Fault> {
    let first_part = earliest / buckets_of_a_table(grain);
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    for name in tables {
        if part_of(grain, &name).is_some_and(|part| part < first_part) {
            transaction.delete_table(Table::new(&name))?;
        }
    }
    Ok(())
}

fn page(transaction: &ReadTransaction, query: &UsageQuery, limit: usize) -> Result<UsagePage, Fault> {
    let whose = match &query.whose {
        Whose::Everyone => EVERYONE,
        Whose::Nobody => NOBODY,
        Whose::Key(id) => id,
    };
    let size = buckets_of_a_table(query.grain);
    // From the tables that are there: a span may be as long as whoever asks cares to say.
    let mut parts: Vec<u32> =
        transaction.list_tables()?.filter_map(|table| part_of(query.grain, table.name())).collect();
    parts.retain(|part| (query.buckets.start / size..query.buckets.end.div_ceil(size)).contains(part));
    parts.sort_unstable();
    let mut rows: Vec<UsageRow> = Vec::new();
    for part in parts {
        let name = table_name(query.grain, part);
        let table = transaction.open_table(Table::new(&name))?;
        let first = part.saturating_mul(size);
        let last = first.saturating_add(size).min(query.buckets.end);
        for bucket in first.max(query.buckets.start)..last {
            // A page ends with a bucket, so that the next one can begin with one.
            if rows.len() >= limit {
                return Ok(UsagePage { rows, next: Some(bucket) });
            }
            read_bucket(&table, bucket, whose, &mut rows)?;
        }
    }
    Ok(UsagePage { rows, next: None })
}

fn read_bucket(
    table: &impl ReadableTable<(u32, &'static str, &'static str), &'static [u8]>,
    bucket: u32,
    whose: &str,
    rows: &mut Vec<UsageRow>,
) -> Result<(), Fault> {
    for row in table.range::<(u32, &str, &str)>((bucket, whose, "")..)? {
        let (place, bytes) = row?;
        let (found, of, endpoint) = place.value();
        if (found, of) != (bucket, whose) {
            break;
        }
        let endpoint = (endpoint != NO_ENDPOINT).then(|| endpoint.to_owned());
        rows.push(UsageRow { bucket, endpoint, tally: decode(bytes.value())? });
    }
    Ok(())
}

/// The tallies behind a place: by grain, bucket, whose and endpoint.
fn cells(
    transaction: &ReadTransaction,
    after: Option<&UsagePlace>,
    limit: usize,
) -> Result<Vec<UsageCell>, Fault> {
    let mut cells = Vec::new();
    for grain in Grain::ALL.into_iter().filter(|grain| after.is_none_or(|after| after.grain <= *grain)) {
        let after = after.filter(|after| after.grain == grain);
        let first = after.map_or(0, |after| after.bucket / buckets_of_a_table(grain));
        let mut parts: Vec<u32> =
            transaction.list_tables()?.filter_map(|table| part_of(grain, table.name())).collect();
        parts.retain(|part| *part >= first);
        parts.sort_unstable();
        for part in parts {
            let table = transaction.open_table(Table::new(&table_name(grain, part)))?;
            let begin = after.map_or(Bound::Unbounded, |after| {
                Bound::Excluded((after.bucket, after.whose.as_kept(), after.endpoint_as_kept()))
            });
            for row in table.range::<(u32, &str, &str)>((begin, Bound::Unbounded))? {
                if cells.len() >= limit {
                    return Ok(cells);
                }
                let (place, bytes) = row?;
                let (bucket, whose, endpoint) = place.value();
                let endpoint = UsagePlace::endpoint_of_kept(endpoint);
                let place = UsagePlace { grain, bucket, whose: Whose::of_kept(whose), endpoint };
                cells.push(UsageCell { place, tally: decode(bytes.value())? });
            }
        }
    }
    Ok(cells)
}

fn put_cells(transaction: &WriteTransaction, cells: &[UsageCell]) -> Result<(), Fault> {
    let mut parts: BTreeMap<(Grain, u32), Vec<&UsageCell>> = BTreeMap::new();
    for cell in cells {
        let UsagePlace { grain, bucket, .. } = cell.place;
        parts.entry((grain, bucket / buckets_of_a_table(grain))).or_default().push(cell);
    }
    for ((grain, part), cells) in parts {
        let mut table = transaction.open_table(Table::new(&table_name(grain, part)))?;
        for UsageCell { place, tally } in cells {
            let at = (place.bucket, place.whose.as_kept(), place.endpoint_as_kept());
            let before = table.get(at)?.map(|bytes| decode(bytes.value())).transpose()?;
            if before.is_none_or(|before| before.requests() < tally.requests()) {
                table.insert(at, tally.to_bytes().as_slice())?;
            }
        }
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<Tally, Fault> {
    Tally::from_bytes(bytes).map_err(|_| Fault::Record("usage"))
}
