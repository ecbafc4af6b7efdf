//! The table of usage: tallies by grain, bucket, whose and endpoint.

use crate::{
    changes::finish,
    fault::{Failed, get},
};
use postgres::Session;
use std::collections::BTreeMap;
use store::{UsageCell, UsageEntry, UsagePage, UsagePlace, UsageQuery, UsageRow, Whose};
use usage::{Grain, Retention, Tally};

/// The advisory lock of those who add usage: a tally is read, added to and written back.
const LINE: i64 = 0x6661_6972_0004;
/// Rows that are read and written by one statement.
const BATCH: usize = 2000;
/// Whose rows these are. Ids of keys are neither empty nor a star.
const EVERYONE: &str = "*";
const NOBODY: &str = "";
const NO_ENDPOINT: &str = "";

/// Where a tally belongs.
type Place<'e> = (i64, &'e str, &'e str);

pub(crate) async fn add(
    session: &mut Session,
    entries: &[UsageEntry],
    keep: Retention,
) -> Result<(), Failed> {
    let Some(newest) = entries.iter().map(|entry| entry.minute).max() else { return Ok(()) };
    let transaction = session.begin().await?;
    transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    // Forgetting follows the clock that the entries were counted by.
    let now = Grain::Minute.start(newest);
    for grain in Grain::ALL {
        let earliest = keep.earliest(grain, now);
        let rows: Vec<(Place<'_>, Tally)> = rows(grain, earliest, entries).into_iter().collect();
        for some in rows.chunks(BATCH) {
            merge(&transaction, grain, some).await?;
        }
        let text = "DELETE FROM fairgate.usage WHERE grain = $1 AND bucket < $2";
        transaction.execute(text, &[&number(grain), &i64::from(earliest)]).await?;
    }
    finish(transaction).await
}

/// What the entries add to each place of a grain, old ones left out.
fn rows(grain: Grain, earliest: u32, entries: &[UsageEntry]) -> BTreeMap<Place<'_>, Tally> {
    let mut rows: BTreeMap<Place<'_>, Tally> = BTreeMap::new();
    for entry in entries {
        let bucket = grain.bucket(Grain::Minute.start(entry.minute));
        if bucket < earliest {
            continue;
        }
        let endpoint = entry.endpoint.as_deref().unwrap_or(NO_ENDPOINT);
        for whose in [entry.key_id.as_deref().unwrap_or(NOBODY), EVERYONE] {
            rows.entry((i64::from(bucket), whose, endpoint)).or_default().merge(&entry.tally);
        }
    }
    rows
}

async fn merge(session: &Session, grain: Grain, rows: &[(Place<'_>, Tally)]) -> Result<(), Failed> {
    let buckets: Vec<i64> = rows.iter().map(|((bucket, ..), _)| *bucket).collect();
    let whose: Vec<&str> = rows.iter().map(|((_, whose, _), _)| *whose).collect();
    let endpoints: Vec<&str> = rows.iter().map(|((.., endpoint), _)| *endpoint).collect();
    let text = "SELECT wanted.place, u.tally FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY \
                AS wanted (bucket, whose, endpoint, place) \
                JOIN fairgate.usage u ON u.grain = $1 AND u.bucket = wanted.bucket \
                AND u.whose = wanted.whose AND u.endpoint = wanted.endpoint";
    let mut tallies: Vec<Tally> = rows.iter().map(|(_, tally)| tally.clone()).collect();
    for row in &session.query(text, &[&number(grain), &buckets, &whose, &endpoints]).await? {
        let place = usize::try_from(get::<i64>(row, 0, "usage")? - 1).unwrap_or(usize::MAX);
        if let Some(tally) = tallies.get_mut(place) {
            tally.merge(&decode(get(row, 1, "usage")?)?);
        }
    }
    let bytes: Vec<Vec<u8>> = tallies.iter().map(Tally::to_bytes).collect();
    let text = "INSERT INTO fairgate.usage (grain, bucket, whose, endpoint, tally) \
                SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[]) \
                ON CONFLICT (grain, bucket, whose, endpoint) DO UPDATE SET tally = excluded.tally";
    session.execute(text, &[&number(grain), &buckets, &whose, &endpoints, &bytes]).await?;
    Ok(())
}

pub(crate) async fn find(session: &Session, query: &UsageQuery, limit: usize) -> Result<UsagePage, Failed> {
    let whose = match &query.whose {
        Whose::Everyone => EVERYONE,
        Whose::Nobody => NOBODY,
        Whose::Key(id) => id,
    };
    let (begin, end) = (i64::from(query.buckets.start), i64::from(query.buckets.end));
    let most = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    // A page ends with a bucket, so that the next one can begin with one.
    let text = "SELECT bucket, endpoint, tally FROM (SELECT bucket, endpoint, tally FROM fairgate.usage \
                WHERE grain = $1 AND whose = $2 AND bucket >= $3 AND bucket < $4 \
                ORDER BY bucket FETCH FIRST ($5) ROWS WITH TIES) AS page ORDER BY bucket, endpoint";
    let mut rows = Vec::new();
    for row in &session.query(text, &[&number(query.grain), &whose, &begin, &end, &most]).await? {
        let bucket = u32::try_from(get::<i64>(row, 0, "usage")?).map_err(|_| Failed::damaged("usage"))?;
        let endpoint: String = get(row, 1, "usage")?;
        let endpoint = (endpoint != NO_ENDPOINT).then_some(endpoint);
        rows.push(UsageRow { bucket, endpoint, tally: decode(get(row, 2, "usage")?)? });
    }
    let is_full = rows.len() >= limit.max(1);
    let next = rows
        .last()
        .map(|row| row.bucket.saturating_add(1))
        .filter(|next| is_full && *next < query.buckets.end);
    Ok(UsagePage { rows, next })
}

/// The tallies behind a place: by grain, whose, bucket and endpoint, as the table's index has them.
pub(crate) async fn after(
    session: &Session,
    after: Option<&UsagePlace>,
    limit: usize,
) -> Result<Vec<UsageCell>, Failed> {
    let (grain, whose, bucket, endpoint) = after.map_or((-1, NOBODY, 0, NO_ENDPOINT), |after| {
        (number(after.grain), after.whose.as_kept(), i64::from(after.bucket), after.endpoint_as_kept())
    });
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let text = "SELECT grain, bucket, whose, endpoint, tally FROM fairgate.usage \
                WHERE (grain, whose, bucket, endpoint) > ($1, $2, $3, $4) \
                ORDER BY grain, whose, bucket, endpoint LIMIT $5";
    let rows = session.query(text, &[&grain, &whose, &bucket, &endpoint, &most]).await?;
    rows.iter()
        .map(|row| {
            let kept = get::<i16>(row, 0, "usage")?;
            let grain = Grain::ALL.into_iter().find(|grain| number(*grain) == kept);
            let place = UsagePlace {
                grain: grain.ok_or_else(|| Failed::damaged("usage"))?,
                bucket: u32::try_from(get::<i64>(row, 1, "usage")?).map_err(|_| Failed::damaged("usage"))?,
                whose: Whose::of_kept(get(row, 2, "usage")?),
                endpoint: UsagePlace::endpoint_of_kept(get(row, 3, "usage")?),
            };
            Ok(UsageCell { place, tally: decode(get(row, 4, "usage")?)? })
        })
        .collect()
}

/// Puts tallies in their places, unless there is one of as many requests.
pub(crate) async fn put(session: &mut Session, cells: &[UsageCell]) -> Result<(), Failed> {
    let transaction = session.begin().await?;
    transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    for some in cells.chunks(BATCH) {
        put_batch(&transaction, some).await?;
    }
    finish(transaction).await
}

async fn put_batch(session: &Session, cells: &[UsageCell]) -> Result<(), Failed> {
    let grains: Vec<i16> = cells.iter().map(|cell| number(cell.place.grain)).collect();
    let buckets: Vec<i64> = cells.iter().map(|cell| i64::from(cell.place.bucket)).collect();
    let whose: Vec<&str> = cells.iter().map(|cell| cell.place.whose.as_kept()).collect();
    let endpoints: Vec<&str> = cells.iter().map(|cell| cell.place.endpoint_as_kept()).collect();
    let text = "SELECT wanted.place, u.tally \
                FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY \
                AS wanted (grain, bucket, whose, endpoint, place) \
                JOIN fairgate.usage u USING (grain, bucket, whose, endpoint)";
    let mut tallies: Vec<Tally> = cells.iter().map(|cell| cell.tally.clone()).collect();
    for row in &session.query(text, &[&grains, &buckets, &whose, &endpoints]).await? {
        let place = usize::try_from(get::<i64>(row, 0, "usage")? - 1).unwrap_or(usize::MAX);
        let before = decode(get(row, 1, "usage")?)?;
        if let Some(tally) = tallies.get_mut(place)
            && tally.requests() < before.requests()
        {
            *tally = before;
        }
    }
    let bytes: Vec<Vec<u8>> = tallies.iter().map(Tally::to_bytes).collect();
    let text = "INSERT INTO fairgate.usage (grain, bucket, whose, endpoint, tally) \
                SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[]) \
                ON CONFLICT (grain, bucket, whose, endpoint) DO UPDATE SET tally = excluded.tally";
    session.execute(text, &[&grains, &buckets, &whose, &endpoints, &bytes]).await?;
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<Tally, Failed> {
    Tally::from_bytes(bytes).map_err(|_| Failed::damaged("usage"))
}

const fn number(grain: Grain) -> i16 {
    match grain {
        Grain::Minute => 0,
        Grain::Hour => 1,
        Grain::Day => 2,
    }
}
