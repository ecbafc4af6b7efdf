//! The tables: made by steps that only go forwards, by one node at a time; and whose secret they are for.

use crate::{
    changes::finish,
    fault::{Failed, count, get},
    keys,
};
use postgres::Session;
use std::path::{Path, PathBuf};
use store::{Secret, StoreError, random};

/// The advisory lock of who changes the tables.
const LINE: i64 = 0x6661_6972_0002;
/// The newest schema that is known here.
pub const SCHEMA: u32 = STEPS.len() as u32;
/// The oldest schema that is brought up to date here.
pub const OLDEST: u32 = 1;

/// What leads from each schema to the next. A step that was published is never changed.
const STEPS: [&str; 2] = [
    "
CREATE TABLE fairgate.keys (
    digest bytea PRIMARY KEY,
    id text COLLATE \"C\" NOT NULL UNIQUE,
    record bytea NOT NULL
);
CREATE TABLE fairgate.maintenance (
    id text PRIMARY KEY,
    record text NOT NULL
);
CREATE TABLE fairgate.changes (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_whom text NOT NULL,
    what text NOT NULL,
    whose text NOT NULL
);
CREATE TABLE fairgate.incidents (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause text COLLATE \"C\" NOT NULL,
    client text COLLATE \"C\" NOT NULL,
    request_id text COLLATE \"C\" NOT NULL,
    record text NOT NULL
);
CREATE INDEX ON fairgate.incidents (cause, client, number);
CREATE TABLE fairgate.incident_causes (
    cause text COLLATE \"C\" PRIMARY KEY,
    count bigint NOT NULL,
    first_millis bigint NOT NULL,
    last_millis bigint NOT NULL
);
CREATE TABLE fairgate.usage (
    grain smallint NOT NULL,
    bucket bigint NOT NULL,
    whose text COLLATE \"C\" NOT NULL,
    endpoint text COLLATE \"C\" NOT NULL,
    tally bytea NOT NULL,
    PRIMARY KEY (grain, whose, bucket, endpoint)
);
CREATE INDEX ON fairgate.usage (grain, bucket);
CREATE TABLE fairgate.members (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    run text NOT NULL,
    since timestamptz NOT NULL,
    seen timestamptz NOT NULL,
    removed timestamptz,
    clock_offset_millis bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX ON fairgate.members (name) WHERE removed IS NULL;
",
    "
-- What a member says of how it shares limits: JSON, so that what is added later needs no further step.
ALTER TABLE fairgate.members ADD COLUMN report text NOT NULL DEFAULT '';
",
];

/// A secret, and the file that it is from.
pub(crate) struct Fitting {
    fingerprint: Vec<u8>,
    file: PathBuf,
}

/// How the records stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The schema of the tables.
    pub schema: u32,
    /// The version of PostgreSQL.
    pub server: String,
    /// The number of the last change.
    pub change: u64,
    /// How many keys there are.
    pub keys: u64,
}

impl Fitting {
    pub(crate) fn new(secret: &Secret, file: &Path) -> Self {
        Self { fingerprint: secret.fingerprint().to_vec(), file: file.to_owned() }
    }
}

/// Brings the tables up to date and compares the secret. Tells whether there were none before, which is an error unless they
/// may be made.
pub(crate) async fn prepare(session: &mut Session, secret: &Fitting, may_make: bool) -> Result<bool, Failed> {
    let place = session.place().to_owned();
    // Looked at without the lock first: a node that only starts needs no more.
    let found = version(session).await?;
    if found.is_none() && !may_make {
        return Err(shared(format!(
            "the database at {place} has no tables of Fairgate: check the URL of `[cluster] records`, or make them by `fairgate cluster init`"
        )));
    }
    if found != Some(SCHEMA) {
        bring_up_to_date(session, &place).await?;
    }
    check_secret(session, secret, &place).await?;
    Ok(found.is_none())
}

async fn bring_up_to_date(session: &mut Session, place: &str) -> Result<(), Failed> {
    let transaction = session.begin().await?;
    transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    // Another node may have done it meanwhile.
    let found = version(&transaction).await?;
    if found.is_some_and(|found| found > SCHEMA) {
        return Err(shared(format!(
            "the records at {place} have schema {}, and this Fairgate takes {OLDEST} to {SCHEMA}: start a Fairgate at least as new as the newest node of the cluster",
            found.unwrap_or_default()
        )));
    }
    if found.is_none() {
        let begin = "CREATE SCHEMA IF NOT EXISTS fairgate; \
                     CREATE TABLE fairgate.meta (name text PRIMARY KEY, value bytea NOT NULL)";
        transaction.batch(begin).await?;
        set(&transaction, "id", random::id("rec_", 16)?.as_bytes()).await?;
    }
    let done = usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(done) {
        transaction.batch(step).await?;
    }
    set(&transaction, "schema", SCHEMA.to_string().as_bytes()).await?;
    finish(transaction).await
}

/// The schema of the tables. None: there are none.
async fn version(session: &Session) -> Result<Option<u32>, Failed> {
    // Asked of the catalogue as of a table: the server remembers within a transaction that it did not find a name.
    let text = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
                ON n.oid = c.relnamespace WHERE n.nspname = 'fairgate' AND c.relname = 'meta')";
    let there = session.query_one(text, &[]).await?;
    if !get::<bool>(&there, 0, "meta")? {
        return Ok(None);
    }
    let text = "SELECT convert_from(value, 'UTF8') FROM fairgate.meta WHERE name = 'schema'";
    let row = session.query_opt(text, &[]).await?.ok_or_else(|| Failed::damaged("meta"))?;
    get::<&str>(&row, 0, "meta")?.parse().map(Some).map_err(|_| Failed::damaged("meta"))
}

async fn check_secret(session: &mut Session, secret: &Fitting, place: &str) -> Result<(), Failed> {
    let Fitting { fingerprint, file } = secret;
    // The first node that comes has said which it is; of two at once, one.
    let text = "INSERT INTO fairgate.meta (name, value) VALUES ('secret', $1) ON CONFLICT DO NOTHING";
    let known = session.query_opt("SELECT value FROM fairgate.meta WHERE name = 'secret'", &[]).await?;
    if known.is_none() {
        session.execute(text, &[fingerprint]).await?;
    }
    let row = session.query_one("SELECT value FROM fairgate.meta WHERE name = 'secret'", &[]).await?;
    if get::<&[u8]>(&row, 0, "meta")? == fingerprint.as_slice() {
        return Ok(());
    }
    let keys = keys::count_all(session).await?;
    Err(shared(format!(
        "the secret {} is not the one that the records at {place} were made with, and none of their {keys} keys would be known: copy the file from a node that runs, and name it by `[cluster] secret_file`",
        file.display()
    )))
}

/// Puts the fingerprint of another secret in the place of the one that is kept, if no key belongs to that. Tells whether it did.
pub(crate) async fn adopt(session: &mut Session, fingerprint: &[u8]) -> Result<bool, Failed> {
    let transaction = session.begin().await?;
    // Whoever adds a key waits, and finds out at its next start.
    transaction.batch("LOCK TABLE fairgate.keys IN EXCLUSIVE MODE").await?;
    let is_free = keys::count_all(&transaction).await? == 0;
    if is_free {
        set(&transaction, "secret", fingerprint).await?;
    }
    finish(transaction).await?;
    Ok(is_free)
}

async fn set(session: &Session, name: &str, value: &[u8]) -> Result<(), Failed> {
    let text = "INSERT INTO fairgate.meta (name, value) VALUES ($1, $2) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    session.execute(text, &[&name, &value]).await?;
    Ok(())
}

/// What these records are called, so that a copy knows which they are.
pub(crate) async fn id(session: &Session) -> Result<String, Failed> {
    let text = "SELECT convert_from(value, 'UTF8') FROM fairgate.meta WHERE name = 'id'";
    get(&session.query_one(text, &[]).await?, 0, "meta")
}

pub(crate) async fn state(session: &Session) -> Result<State, Failed> {
    let schema = version(session).await?.unwrap_or_default();
    let text = "SELECT current_setting('server_version'), coalesce(max(number), 0) FROM fairgate.changes";
    let row = session.query_one(text, &[]).await?;
    let (server, change) = (get(&row, 0, "changes")?, count(&row, 1, "changes")?);
    Ok(State { schema, server, change, keys: keys::count_all(session).await? })
}

fn shared(why: String) -> Failed {
    Failed::Store(StoreError::Shared { why })
}
