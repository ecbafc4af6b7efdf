//! Reading all keys at once, each part of them on a thread of its own.

use super::{fault::Fault, keys::KEYS};
use crate::{KeyRow, encoding};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata};
use std::{ops::Bound, thread};

/// Takes the records of one part of the keys.
pub(super) type Visitor<'v> = &'v mut (dyn FnMut(KeyRow<'_>) + Send);

type Keys = ReadOnlyTable<&'static [u8; 32], &'static [u8]>;

/// Hands every key to one of the visitors. Digests are spread evenly, so equal ranges are equal parts.
pub(super) fn visit(database: &Database, visitors: &mut [Visitor<'_>]) -> Result<u64, Fault> {
    let table = database.begin_read()?.open_table(KEYS)?;
    let parts = visitors.len().max(1) as u64;
    let border = |part: u64| {
        let mut digest = [0; 32];
        if let Some(first) = digest.first_chunk_mut() {
            *first = ((u64::MAX / parts) * part).to_be_bytes();
        }
        digest
    };
    let visited = thread::scope(|scope| {
        let table = &table;
        let mut running = Vec::new();
        for (part, visitor) in (0..).zip(visitors) {
            let begin = border(part);
            let end = (part + 1 < parts).then(|| border(part + 1));
            running.push(scope.spawn(move || visit_part(table, &begin, end.as_ref(), *visitor)));
        }
        let mut visited = 0;
        for part in running {
            visited += part.join().map_err(|_| Fault::Panic)??;
        }
        Ok::<u64, Fault>(visited)
    })?;
    // Each record's checksum says that it is whole; only the count says that none is missing.
    if visited == table.len()? { Ok(visited) } else { Err(Fault::Record("keys")) }
}

fn visit_part(
    table: &Keys,
    begin: &[u8; 32],
    end: Option<&[u8; 32]>,
    visitor: Visitor<'_>,
) -> Result<u64, Fault> {
    let mut visited = 0;
    let mut last = None;
    let range = (Bound::Included(begin), end.map_or(Bound::Unbounded, Bound::Excluded));
    for row in table.range::<&[u8; 32]>(range)? {
        let (digest, bytes) = row?;
        // A page that is reached twice would stand for one that is not reached, and the count would fit.
        let digest_value = *digest.value();
        let is_in_order =
            last.is_none_or(|last| last < digest_value) && end.is_none_or(|end| digest_value < *end);
        if digest_value < *begin || !is_in_order {
            return Err(Fault::Record("keys"));
        }
        last = Some(digest_value);
        visitor(encoding::read(digest.value(), bytes.value()).ok_or(Fault::Record("keys"))?);
        visited += 1;
    }
    Ok(visited)
}
