//! The table of changes: for each number who changed what. The records themselves stand in their own tables.
//!
//! Writers are in line at their end: a number is taken under a lock that is let go of when the transaction is visible. So
//! numbers become visible in their order, and whoever asks for what is greater than the last misses none. The line is joined
//! last, behind all rows that are written, so that a large import holds up nobody but for its commit.

use crate::{
    fault::{Failed, count, get, signed},
    keys, maintenance,
};
use postgres::{Row, Session, Transaction};
use store::{Change, Changed, Since};

/// What is notified at each change.
pub(crate) const CHANNEL: &str = "fairgate_changes";
/// The advisory lock of those who write.
const LINE: i64 = 0x6661_6972_0001;
/// So many are kept. Whoever is farther behind reads all records.
const KEPT: u64 = 1000;
/// So many numbers are left out by the first change at another server. It may lack changes that nodes have applied already, and
/// their numbers must not be given to others: behind a gap, every node reads all records.
const GAP: u64 = 1000;
/// Notes which server this is (another system, or another timeline of one), and tells whether that was another before.
const SERVER: &str = "\
    WITH here AS (SELECT system_identifier::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS server \
                  FROM pg_control_system()), \
         known AS (SELECT value FROM fairgate.meta WHERE name = 'server') \
    INSERT INTO fairgate.meta (name, value) SELECT 'server', convert_to(server, 'UTF8') FROM here \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING (SELECT known.value FROM known) <> value";

/// Numbers a change and commits it with all that was written in the transaction.
pub(crate) async fn commit(transaction: Transaction<'_>, by: &str, what: Changed) -> Result<Change, Failed> {
    let number = add(&transaction, by, &what).await?;
    finish(transaction).await?;
    Ok(Change { number, by: by.to_owned(), what })
}

/// Commits.
pub(crate) async fn finish(transaction: Transaction<'_>) -> Result<(), Failed> {
    transaction
        .commit()
        .await
        .map_err(|fault| if fault.may_be_done() { Failed::Unsure(fault) } else { Failed::Nothing(fault) })
}

async fn add(session: &Session, by: &str, what: &Changed) -> Result<u64, Failed> {
    session.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    let (kind, whose) = noted(what);
    let text = "INSERT INTO fairgate.changes (number, by_whom, what, whose) \
                SELECT coalesce(max(number), 0) + $4, $1, $2, $3 FROM fairgate.changes RETURNING number";
    let step = signed(if is_other_server(session).await? { 1 + GAP } else { 1 });
    let number = count(&session.query_one(text, &[&by, &kind, &whose, &step]).await?, 0, "changes")?;
    let oldest = signed(number.saturating_sub(KEPT));
    session.execute("DELETE FROM fairgate.changes WHERE number <= $1", &[&oldest]).await?;
    session.query_one("SELECT pg_notify($1, '')", &[&CHANNEL]).await?;
    Ok(number)
}

/// Whether the change before this one was made at another server. From now on it is this one.
async fn is_other_server(session: &Session) -> Result<bool, Failed> {
    let row = session.query_one(SERVER, &[]).await?;
    // None before: there is nothing that it could lack.
    Ok(get::<Option<bool>>(&row, 0, "meta")?.unwrap_or(false))
}

fn noted(what: &Changed) -> (&'static str, &str) {
    match what {
        Changed::KeyAdded(key) => ("key_added", &key.id),
        Changed::KeyChanged(key) => ("key_changed", &key.id),
        Changed::KeyRevoked(key) => ("key_revoked", &key.id),
        Changed::KeysImported(_) => ("keys_imported", ""),
        Changed::MaintenancePut(window) => ("maintenance_put", &window.id),
        Changed::MaintenanceRemoved(id) => ("maintenance_removed", id),
    }
}

/// What was changed after this number, with the records as they are now, seen at one moment.
pub(crate) async fn since(session: &Session, after: Option<u64>) -> Result<Since, Failed> {
    let from = after.map_or(i64::MAX, signed);
    let text = "SELECT newest.number, c.number, c.by_whom, c.what, c.whose, k.digest, k.record, m.record \
                FROM (SELECT coalesce(max(number), 0) AS number FROM fairgate.changes) newest \
                LEFT JOIN fairgate.changes c ON c.number > $1 \
                LEFT JOIN fairgate.keys k ON c.what LIKE 'key\\_%' AND k.id = c.whose \
                LEFT JOIN fairgate.maintenance m ON c.what = 'maintenance_put' AND m.id = c.whose \
                ORDER BY c.number";
    let rows = session.query(text, &[&from]).await?;
    let newest = match rows.first() {
        Some(row) => count(row, 0, "changes")?,
        None => return Err(Failed::damaged("changes")),
    };
    // More than there is: of other records, or of a time that a copy does not know.
    let Some(after) = after.filter(|after| *after <= newest) else { return Ok(Since::Everything(newest)) };
    let mut changes = Vec::new();
    if after == newest {
        return Ok(Since::Changes(changes));
    }
    for (row, expected) in rows.iter().zip(after + 1..) {
        let what = if count(row, 1, "changes")? == expected { found(row)? } else { None };
        let Some(what) = what else { return Ok(Since::Everything(newest)) };
        changes.push(Change { number: expected, by: get(row, 2, "changes")?, what });
    }
    Ok(Since::Changes(changes))
}

/// The change with its record. None: it has to be read with all others.
fn found(row: &Row) -> Result<Option<Changed>, Failed> {
    let whose: String = get(row, 4, "changes")?;
    let key = || keys::decode(row, 5);
    Ok(Some(match get::<&str>(row, 3, "changes")? {
        "key_added" => Changed::KeyAdded(key()?),
        "key_changed" => Changed::KeyChanged(key()?),
        "key_revoked" => Changed::KeyRevoked(key()?),
        "maintenance_put" => match get::<Option<&str>>(row, 7, "maintenance")? {
            Some(text) => Changed::MaintenancePut(maintenance::decode(text)?),
            // A later change has removed it.
            None => Changed::MaintenanceRemoved(whose),
        },
        "maintenance_removed" => Changed::MaintenanceRemoved(whose),
        // An import; or what a later Fairgate writes down, while both versions run.
        _ => return Ok(None),
    }))
}
