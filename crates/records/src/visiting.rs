//! Reading all keys: over a connection and on a thread of its own, row by row, never all of them at once.

use crate::{
    fault::{Failed, get},
    keys,
};
use postgres::{Link, Row, Session};
use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};
use store::{KeyVisitor, Pending, StoreError, encoding};
use tokio::{runtime::Builder, sync::oneshot};

/// Rows that are handed to a visitor at once.
const BATCH: usize = 1000;
/// Batches that wait for a visitor.
const WAITING: usize = 2;

/// Begins, and tells at the end how many there were.
pub(crate) fn begin<'a>(link: Link, visitors: Vec<KeyVisitor>) -> Pending<'a, u64> {
    let (done, on_done) = oneshot::channel();
    let no_thread = |source: io::Error, place: &str| {
        Err(StoreError::Io { doing: "start a thread for", path: place.into(), source })
    };
    let place = link.place().to_owned();
    let begun = thread::Builder::new().name("all keys".to_owned()).spawn(move || {
        let _ = done.send(visit(link, visitors));
    });
    Box::pin(async move {
        if let Err(error) = begun {
            return no_thread(error, &place);
        }
        on_done.await.unwrap_or_else(|_| Err(StoreError::Stopped { path: place.into() }))
    })
}

fn visit(mut link: Link, visitors: Vec<KeyVisitor>) -> Result<u64, StoreError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| StoreError::Io {
        doing: "start a thread for",
        path: link.place().into(),
        source,
    })?;
    thread::scope(|scope| {
        let mut ways = Vec::new();
        let mut running = Vec::new();
        for visitor in visitors {
            let (way, batches) = sync_channel(WAITING);
            ways.push(way);
            running.push(scope.spawn(move || take(batches, visitor)));
        }
        // Not tried again: what a visitor was handed it cannot be handed once more.
        let read = runtime.block_on(async { read_all(link.session().await?, &ways).await });
        drop(ways);
        let mut is_whole = true;
        for visitor in running {
            is_whole &= visitor.join().unwrap_or(false);
        }
        let count = read.map_err(Failed::told)?;
        if is_whole { Ok(count) } else { Err(Failed::damaged("keys").told()) }
    })
}

/// Gives the rows of a batch to a visitor. False: one of them is no key.
fn take(batches: Receiver<Vec<Row>>, mut visitor: KeyVisitor) -> bool {
    for row in batches.into_iter().flatten() {
        let Ok(digest) = get(&row, 0, "keys").and_then(keys::digest) else { return false };
        let bytes: Result<&[u8], Failed> = get(&row, 1, "keys");
        let Some(row) = bytes.ok().and_then(|bytes| encoding::read(&digest, bytes)) else { return false };
        visitor(row);
    }
    true
}

async fn read_all(session: &mut Session, ways: &[SyncSender<Vec<Row>>]) -> Result<u64, Failed> {
    let transaction = session.begin_reading().await?;
    let mut rows = transaction.stream("SELECT digest, record FROM fairgate.keys", &[]).await?;
    let mut batch = Vec::with_capacity(BATCH);
    let (mut count, mut next) = (0, 0);
    loop {
        let row = rows.next().await?;
        let is_last = row.is_none();
        count += u64::from(!is_last);
        batch.extend(row);
        if batch.len() >= BATCH || is_last {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            // A visitor that is gone has met a record that is none, which is told at the end.
            if let Some(way) = ways.get(next % ways.len().max(1)) {
                let _ = way.send(full);
            }
            next += 1;
        }
        if is_last {
            break;
        }
    }
    drop(rows);
    transaction.commit().await?;
    Ok(count)
}
