//! The table of members: each node with a number that it gets once and nobody gets again.

use crate::{
    changes::finish,
    fault::{Failed, count, get, signed},
};
use postgres::{Row, Session};
use serde::{Deserialize, Serialize};
use store::StoreError;

/// The advisory lock of who becomes a member.
const LINE: i64 = 0x6661_6972_0005;
/// A member that was seen within so many milliseconds lives.
const ALIVE: i64 = 3_000;
// The report is looked for in the row as a whole: tables that no newer node has been at yet do not have it.
const MEMBERS: &str = "SELECT number, name, version, run, floor(extract(epoch FROM since))::bigint, \
     floor(extract(epoch FROM seen))::bigint, floor(extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint, \
     clock_offset_millis, applied, coalesce(to_jsonb(member) ->> 'report', '') \
     FROM fairgate.members member WHERE removed IS NULL AND ($1::bigint IS NULL OR number = $1) ORDER BY number";

/// Who wants to be a member.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The number that it has, if it was a member before.
    pub number: Option<i64>,
    /// Its name.
    pub name: String,
    /// The version of its Fairgate.
    pub version: String,
    /// Of this process alone.
    pub run: String,
}

/// A member says that it lives.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Its number.
    pub number: i64,
    /// Of its process alone.
    pub run: String,
    /// How far its clock is ahead of the server's, as far as it knows.
    pub clock_offset_millis: i64,
    /// The number of the last change that it has.
    pub applied: u64,
    /// What it has of shared limits. None: it says nothing new about that.
    pub report: Option<Report>,
}

/// What a member hears when it says that it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The server's time, in milliseconds since the Unix epoch.
    pub millis: i64,
    /// How many members there are.
    pub members: u32,
}

/// What a member says of how it shares limits. One of an older version says less, or nothing: then all is as in `default`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Whether the ledger replies to it.
    pub is_ledger_reached: Option<bool>,
    /// How far its clock is ahead of the ledger's.
    pub ledger_clock_offset_millis: Option<i64>,
    /// Leases that it has.
    pub leases: u64,
    /// Units in them that it has not used.
    pub units: u64,
    /// Messages that it sent to the ledger since it began.
    pub messages: u64,
    /// Questions in them.
    pub questions: u64,
    /// Units that it granted beyond its leases since it began.
    pub beyond: u64,
    /// What is wrong at it.
    pub alarms: Vec<String>,
}

/// A member. Times are seconds since the Unix epoch, by the server's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The version of its Fairgate.
    pub version: String,
    /// Whether it was seen within seconds and has not said that it ends.
    pub is_alive: bool,
    /// When it began.
    pub since: u64,
    /// When it was seen last.
    pub seen: u64,
    /// How far its clock is ahead of the server's.
    pub clock_offset_millis: i64,
    /// The number of the last change that it has.
    pub applied: u64,
    /// What it said last of how it shares limits.
    pub report: Report,
}

pub(crate) async fn join(session: &mut Session, standing: &Standing) -> Result<i64, Failed> {
    let transaction = session.begin().await?;
    transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    let Standing { number, name, version, run } = standing;
    let before = match number {
        Some(number) => of_number(&transaction, *number).await?,
        None => None,
    };
    if let Some((member, its_run)) = &before
        && member.is_alive
        && its_run != run
    {
        return Err(StoreError::MemberRuns { name: member.name.clone() }.into());
    }
    let own = before.as_ref().map_or(0, |(member, _)| member.number);
    let text = "SELECT number FROM fairgate.members WHERE name = $1 AND number <> $2 AND removed IS NULL";
    if transaction.query_opt(text, &[name, &own]).await?.is_some() {
        let why = format!(
            "another node of the cluster is called `{name}`: give this one a name of its own by `[cluster] node`; or, if the other is gone for good, remove it by `fairgate cluster remove {name}`"
        );
        return Err(StoreError::Shared { why }.into());
    }
    let number = if before.is_some() {
        let text = "UPDATE fairgate.members SET name = $2, version = $3, run = $4, since = clock_timestamp(), \
                    seen = clock_timestamp(), report = '' WHERE number = $1";
        transaction.execute(text, &[&own, name, version, run]).await?;
        own
    } else {
        let text = "INSERT INTO fairgate.members (name, version, run, since, seen) \
                    VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp()) RETURNING number";
        get(&transaction.query_one(text, &[name, version, run]).await?, 0, "members")?
    };
    finish(transaction).await?;
    Ok(number)
}

pub(crate) async fn beat(session: &Session, beat: &Beat) -> Result<Heard, Failed> {
    let text = "UPDATE fairgate.members SET seen = clock_timestamp(), clock_offset_millis = $3, applied = $4, \
                report = coalesce($5, report) WHERE number = $1 AND run = $2 AND removed IS NULL \
                RETURNING floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
                (SELECT count(*) FROM fairgate.members WHERE removed IS NULL)";
    let Beat { number, run, clock_offset_millis, applied, report } = beat;
    let report = report.as_ref().map(|report| serde_json::to_string(report).unwrap_or_default());
    match session.query_opt(text, &[number, run, clock_offset_millis, &signed(*applied), &report]).await? {
        Some(row) => {
            let members = u32::try_from(count(&row, 1, "members")?).unwrap_or(u32::MAX);
            Ok(Heard { millis: get(&row, 0, "members")?, members })
        }
        None => Err(StoreError::Shared {
            why: format!(
                "this node (number {number}) is no member of the cluster any more: it was removed, or another process has taken its place. Stop it; to let it join as a new node, remove the file `node` from its store's folder"
            ),
        }
        .into()),
    }
}

pub(crate) async fn leave(session: &Session, number: i64, run: &str) -> Result<(), Failed> {
    let text =
        "UPDATE fairgate.members SET run = '', seen = clock_timestamp() WHERE number = $1 AND run = $2";
    session.execute(text, &[&number, &run]).await?;
    Ok(())
}

pub(crate) async fn all(session: &Session) -> Result<Vec<Member>, Failed> {
    let rows = session.query(MEMBERS, &[&None::<i64>]).await?;
    rows.iter().map(|row| member(row).map(|(member, _)| member)).collect()
}

/// The numbers of all that are or were members, and whether they were removed.
pub(crate) async fn numbers(session: &Session) -> Result<Vec<(i64, bool)>, Failed> {
    let rows = session
        .query("SELECT number, removed IS NOT NULL FROM fairgate.members ORDER BY number", &[])
        .await?;
    rows.iter().map(|row| Ok((get(row, 0, "members")?, get(row, 1, "members")?))).collect()
}

pub(crate) async fn remove(session: &mut Session, name: &str) -> Result<Option<Member>, Failed> {
    let members = all(session).await?;
    let Some(member) = members.into_iter().find(|member| member.name == name) else { return Ok(None) };
    if member.is_alive {
        return Err(StoreError::MemberRuns { name: name.to_owned() }.into());
    }
    let text = "UPDATE fairgate.members SET removed = clock_timestamp(), run = '' WHERE number = $1";
    session.execute(text, &[&member.number]).await?;
    Ok(Some(member))
}

async fn of_number(session: &Session, number: i64) -> Result<Option<(Member, String)>, Failed> {
    session.query_opt(MEMBERS, &[&Some(number)]).await?.as_ref().map(member).transpose()
}

/// A member, and the process that it is.
fn member(row: &Row) -> Result<(Member, String), Failed> {
    let run: String = get(row, 3, "members")?;
    let member = Member {
        number: get(row, 0, "members")?,
        name: get(row, 1, "members")?,
        version: get(row, 2, "members")?,
        is_alive: !run.is_empty() && get::<i64>(row, 6, "members")? < ALIVE,
        since: count(row, 4, "members")?,
        seen: count(row, 5, "members")?,
        clock_offset_millis: get(row, 7, "members")?,
        applied: count(row, 8, "members")?,
        // One that cannot be read is a newer node's, and no reason not to show the rest.
        report: serde_json::from_str(get(row, 9, "members")?).unwrap_or_default(),
    };
    Ok((member, run))
}
