//! The table of keys: the records by digest and by id, in the bytes that the embedded store has, too.

use crate::fault::{Failed, count, get};
use postgres::{Row, Session};
use std::collections::{HashMap, HashSet};
use store::{KeyRecord, StoreError, encoding};

/// Keys that are written by one statement.
const BATCH: usize = 2000;

pub(crate) async fn page(
    session: &Session,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<KeyRecord>, Failed> {
    let (after, limit) = (after.unwrap_or_default(), i64::try_from(limit).unwrap_or(i64::MAX));
    let text = "SELECT digest, record FROM fairgate.keys WHERE id > $1 ORDER BY id LIMIT $2";
    session.query(text, &[&after, &limit]).await?.iter().map(|row| decode(row, 0)).collect()
}

pub(crate) async fn after(
    session: &Session,
    after: Option<&[u8; 32]>,
    limit: usize,
) -> Result<Vec<KeyRecord>, Failed> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.map(<[u8; 32]>::as_slice);
    // Two texts: with a condition that is only sometimes there, the server sorts all keys for each page.
    let rows = match after {
        Some(after) => {
            let text = "SELECT digest, record FROM fairgate.keys WHERE digest > $1 ORDER BY digest LIMIT $2";
            session.query(text, &[&after, &limit]).await?
        }
        None => {
            let text = "SELECT digest, record FROM fairgate.keys ORDER BY digest LIMIT $1";
            session.query(text, &[&limit]).await?
        }
    };
    rows.iter().map(|row| decode(row, 0)).collect()
}

pub(crate) async fn count_all(session: &Session) -> Result<u64, Failed> {
    count(&session.query_one("SELECT count(*) FROM fairgate.keys", &[]).await?, 0, "keys")
}

pub(crate) async fn by_id(session: &Session, id: &str) -> Result<Option<KeyRecord>, Failed> {
    let row = session.query_opt("SELECT digest, record FROM fairgate.keys WHERE id = $1", &[&id]).await?;
    row.map(|row| decode(&row, 0)).transpose()
}

pub(crate) async fn by_digests(
    session: &Session,
    digests: &[[u8; 32]],
) -> Result<Vec<Option<KeyRecord>>, Failed> {
    let mut found = HashMap::new();
    for some in digests.chunks(BATCH) {
        let some: Vec<&[u8]> = some.iter().map(<[u8; 32]>::as_slice).collect();
        let text = "SELECT digest, record FROM fairgate.keys WHERE digest = ANY($1)";
        for row in session.query(text, &[&some]).await? {
            let key = decode(&row, 0)?;
            found.insert(key.digest, key);
        }
    }
    Ok(digests.iter().map(|digest| found.get(digest).cloned()).collect())
}

/// Adds all, or says which are there already.
pub(crate) async fn insert(
    session: &Session,
    records: impl Iterator<Item = KeyRecord>,
) -> Result<(), Failed> {
    let (mut known, mut known_ids) = (Vec::new(), Vec::new());
    let mut records = records.peekable();
    while records.peek().is_some() {
        let batch: Vec<KeyRecord> = records.by_ref().take(BATCH).collect();
        insert_batch(session, &batch, &mut known, &mut known_ids).await?;
    }
    if known.is_empty() {
        known.extend(known_ids.into_iter().next());
    }
    if known.is_empty() { Ok(()) } else { Err(StoreError::KeysExist { ids: known }.into()) }
}

/// `known`: ids of those that have a digest of the batch. `known_ids`: ids that another key has.
async fn insert_batch(
    session: &Session,
    batch: &[KeyRecord],
    known: &mut Vec<String>,
    known_ids: &mut Vec<String>,
) -> Result<(), Failed> {
    let bytes = batch.iter().map(encoding::encode).collect::<Result<Vec<_>, StoreError>>()?;
    let digests: Vec<&[u8]> = batch.iter().map(|key| key.digest.as_slice()).collect();
    let ids: Vec<&str> = batch.iter().map(|key| key.id.as_str()).collect();
    let text = "INSERT INTO fairgate.keys (digest, id, record) \
                SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[]) \
                ON CONFLICT DO NOTHING RETURNING digest";
    let added = session.query(text, &[&digests, &ids, &bytes]).await?;
    if added.len() == batch.len() {
        return Ok(());
    }
    let mut added =
        added.iter().map(|row| digest(get(row, 0, "keys")?)).collect::<Result<HashSet<_>, _>>()?;
    // Whoever is there under the digest: one of before, or one of the batch that came first.
    let text = "SELECT digest, id FROM fairgate.keys WHERE digest = ANY($1)";
    let mut owners: HashMap<Vec<u8>, String> = HashMap::new();
    for row in session.query(text, &[&digests]).await? {
        owners.insert(get(&row, 0, "keys")?, get(&row, 1, "keys")?);
    }
    for key in batch {
        // The first of its digest is the one that was added.
        if !added.remove(&key.digest) {
            match owners.get(key.digest.as_slice()) {
                Some(owner) => known.push(owner.clone()),
                None => known_ids.push(key.id.clone()),
            }
        }
    }
    Ok(())
}

/// Adds keys that come from elsewhere, or puts them in the place of those with their digests. One that was revoked here stays
/// revoked, and no id gets another digest.
pub(crate) async fn take_in(session: &Session, mut keys: Vec<KeyRecord>) -> Result<(), Failed> {
    for batch in keys.chunks_mut(BATCH) {
        let digests: Vec<&[u8]> = batch.iter().map(|key| key.digest.as_slice()).collect();
        let ids: Vec<&str> = batch.iter().map(|key| key.id.as_str()).collect();
        let text =
            "SELECT digest, record FROM fairgate.keys WHERE digest = ANY($1) OR id = ANY($2) FOR UPDATE";
        let mut known: HashMap<[u8; 32], KeyRecord> = HashMap::new();
        for row in session.query(text, &[&digests, &ids]).await? {
            let key = decode(&row, 0)?;
            known.insert(key.digest, key);
        }
        let ids_known: HashMap<String, [u8; 32]> =
            known.values().map(|key| (key.id.clone(), key.digest)).collect();
        for key in batch.iter_mut() {
            let before = known.get(&key.digest);
            let is_another = before.is_some_and(|before| before.id != key.id)
                || ids_known.get(&key.id).is_some_and(|digest| *digest != key.digest);
            if is_another {
                let id = before.map_or_else(|| key.id.clone(), |before| before.id.clone());
                return Err(StoreError::KeysExist { ids: vec![id] }.into());
            }
            key.revoked_at = before.and_then(|before| before.revoked_at).or(key.revoked_at);
        }
        put_batch(session, batch).await?;
    }
    Ok(())
}

async fn put_batch(session: &Session, batch: &[KeyRecord]) -> Result<(), Failed> {
    let bytes = batch.iter().map(encoding::encode).collect::<Result<Vec<_>, StoreError>>()?;
    let digests: Vec<&[u8]> = batch.iter().map(|key| key.digest.as_slice()).collect();
    let ids: Vec<&str> = batch.iter().map(|key| key.id.as_str()).collect();
    let text = "INSERT INTO fairgate.keys (digest, id, record) \
                SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[]) \
                ON CONFLICT (digest) DO UPDATE SET record = excluded.record";
    session.execute(text, &[&digests, &ids, &bytes]).await?;
    Ok(())
}

pub(crate) async fn replace(session: &Session, key: &KeyRecord) -> Result<bool, Failed> {
    let bytes = encoding::encode(key)?;
    let text = "UPDATE fairgate.keys SET record = $3 WHERE digest = $1 AND id = $2";
    Ok(session.execute(text, &[&key.digest.as_slice(), &key.id, &bytes]).await? > 0)
}

pub(crate) async fn revoke(session: &Session, id: &str, at: u64) -> Result<Option<KeyRecord>, Failed> {
    let text = "SELECT digest, record FROM fairgate.keys WHERE id = $1 FOR UPDATE";
    let Some(row) = session.query_opt(text, &[&id]).await? else { return Ok(None) };
    let mut key = decode(&row, 0)?;
    key.revoked_at.get_or_insert(at);
    replace(session, &key).await?;
    Ok(Some(key))
}

/// The key whose digest stands at this place of a row, and its record behind it.
pub(crate) fn decode(row: &Row, at: usize) -> Result<KeyRecord, Failed> {
    let digest = digest(get(row, at, "keys")?)?;
    encoding::decode(digest, get(row, at + 1, "keys")?).ok_or_else(|| Failed::damaged("keys"))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<[u8; 32], Failed> {
    bytes.try_into().map_err(|_| Failed::damaged("keys"))
}
