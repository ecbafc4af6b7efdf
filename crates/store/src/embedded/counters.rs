//! The table of counters: for each key and period the latest window and what is used of it.

use super::Fault;
use crate::CounterRow;
use contract::Period;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

const COUNTERS: TableDefinition<'_, (&str, u8), (u32, u32)> = TableDefinition::new("counters");

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(COUNTERS)?;
    Ok(())
}

pub(super) fn for_each(transaction: &ReadTransaction, each: &mut dyn FnMut(CounterRow)) -> Result<(), Fault> {
    for row in transaction.open_table(COUNTERS)?.range::<(&str, u8)>(..)? {
        let (place, count) = row?;
        let (key_id, period) = place.value();
        let (window, used) = count.value();
        let period = period_of(period).ok_or(Fault::Record("counters"))?;
        each(CounterRow { key_id: key_id.to_owned(), period, window, used });
    }
    Ok(())
}

pub(super) fn save(transaction: &WriteTransaction, rows: &[CounterRow]) -> Result<(), Fault> {
    let mut table = transaction.open_table(COUNTERS)?;
    for row in rows {
        let place = (row.key_id.as_str(), code_of(row.period));
        // A row of an earlier window that comes late must not undo the count of the later one.
        let is_late = table.get(place)?.is_some_and(|before| before.value().0 > row.window);
        if !is_late {
            table.insert(place, (row.window, row.used))?;
        }
    }
    Ok(())
}

pub(super) fn forget_before(transaction: &WriteTransaction, time: u64) -> Result<u64, Fault> {
    let mut forgotten = 0;
    transaction.open_table(COUNTERS)?.retain(|(_, period), (window, _)| {
        // A period that we do not know is a later Fairgate's: it is left alone.
        let over = period_of(period).is_some_and(|period| period.end(window) <= time);
        forgotten += u64::from(over);
        !over
    })?;
    Ok(forgotten)
}

/// The number that stands for a period in the file. It must never change.
fn code_of(period: Period) -> u8 {
    match period {
        Period::Second => 0,
        Period::Minute => 1,
        Period::Hour => 2,
        Period::Day => 3,
        Period::Month => 4,
    }
}

fn period_of(code: u8) -> Option<Period> {
    Period::ALL.into_iter().find(|&period| code_of(period) == code)
}
