//! The tables of incidents: the records by a running number, and what is counted of each cause.
//!
//! As in the embedded store, of one cause and client the newest are kept and the rest is counted, and what is kept in all is
//! shared out among the causes.

use crate::{
    changes::finish,
    fault::{Failed, count, get, signed},
};
use postgres::Session;
use std::collections::{BTreeMap, BTreeSet};
use store::{INCIDENTS_KEPT, INCIDENTS_OF_CLIENT, IncidentGroup, IncidentRecord, share};

/// The advisory lock of those who add incidents: what is kept is counted by one at a time.
const LINE: i64 = 0x6661_6972_0003;
/// Incidents that are written by one statement.
const BATCH: usize = 1000;

/// What a batch adds to a cause.
#[derive(Default)]
struct Added {
    count: u64,
    first: u64,
    last: u64,
}

pub(crate) async fn add(session: &mut Session, incidents: &[IncidentRecord]) -> Result<(), Failed> {
    let transaction = session.begin().await?;
    transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LINE]).await?;
    add_to_causes(&transaction, incidents).await?;
    // Those that stand for others are not kept themselves.
    let kept: Vec<&IncidentRecord> = incidents.iter().filter(|incident| incident.more == 0).collect();
    for some in kept.chunks(BATCH) {
        insert(&transaction, some).await?;
    }
    share_out(&transaction).await?;
    finish(transaction).await
}

async fn add_to_causes(session: &Session, incidents: &[IncidentRecord]) -> Result<(), Failed> {
    let mut causes: BTreeMap<&str, Added> = BTreeMap::new();
    for incident in incidents {
        let added = causes.entry(&incident.cause).or_default();
        if added.count == 0 {
            added.first = incident.at_millis;
        }
        added.count += incident.more.max(1);
        added.last = added.last.max(incident.at_millis);
    }
    for (cause, added) in causes {
        let (count, first, last) = (signed(added.count), signed(added.first), signed(added.last));
        let text = "INSERT INTO fairgate.incident_causes AS c (cause, count, first_millis, last_millis) \
                    VALUES ($1, $2, $3, $4) ON CONFLICT (cause) DO UPDATE \
                    SET count = c.count + excluded.count, last_millis = greatest(c.last_millis, excluded.last_millis)";
        session.execute(text, &[&plain(cause), &count, &first, &last]).await?;
    }
    Ok(())
}

async fn insert(session: &Session, incidents: &[&IncidentRecord]) -> Result<(), Failed> {
    let records: Vec<String> = incidents
        .iter()
        .map(|incident| serde_json::to_string(incident).map_err(|_| Failed::damaged("incidents")))
        .collect::<Result<_, _>>()?;
    let causes: Vec<String> = incidents.iter().map(|incident| plain(&incident.cause)).collect();
    let clients: Vec<String> = incidents.iter().map(|incident| plain(client(incident))).collect();
    let ids: Vec<String> = incidents.iter().map(|incident| plain(&incident.request_id)).collect();
    let text = "INSERT INTO fairgate.incidents (cause, client, request_id, record) \
                SELECT cause, client, id, record \
                FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY \
                AS added (cause, client, id, record, place) ORDER BY place";
    session.execute(text, &[&causes, &clients, &ids, &records]).await?;
    let touched: BTreeSet<(&String, &String)> = causes.iter().zip(&clients).collect();
    let (causes, clients): (Vec<&String>, Vec<&String>) = touched.into_iter().unzip();
    let most = i64::try_from(INCIDENTS_OF_CLIENT).unwrap_or(i64::MAX);
    let text = "DELETE FROM fairgate.incidents WHERE number IN (SELECT number FROM (\
                SELECT number, row_number() OVER (PARTITION BY cause, client ORDER BY number DESC) AS place \
                FROM fairgate.incidents JOIN unnest($1::text[], $2::text[]) AS touched (cause, client) \
                USING (cause, client)) AS ranked WHERE place > $3)";
    session.execute(text, &[&causes, &clients, &most]).await?;
    Ok(())
}

/// Takes the oldest of those causes away that have more than their share.
async fn share_out(session: &Session) -> Result<(), Failed> {
    let rows = session.query("SELECT cause, count(*) FROM fairgate.incidents GROUP BY cause", &[]).await?;
    let mut causes: Vec<(String, u64)> = Vec::new();
    for row in &rows {
        causes.push((get(row, 0, "incidents")?, count(row, 1, "incidents")?));
    }
    let share = share(causes.iter().map(|(_, kept)| *kept).collect(), INCIDENTS_KEPT);
    for (cause, kept) in causes.iter().filter(|(_, kept)| *kept > share) {
        let surplus = signed(kept - share);
        let text = "DELETE FROM fairgate.incidents WHERE number IN \
                    (SELECT number FROM fairgate.incidents WHERE cause = $1 ORDER BY number LIMIT $2)";
        session.execute(text, &[cause, &surplus]).await?;
    }
    Ok(())
}

pub(crate) async fn newest(
    session: &Session,
    limit: usize,
    cause: Option<&str>,
) -> Result<Vec<IncidentRecord>, Failed> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let text = "SELECT record FROM fairgate.incidents WHERE $1::text IS NULL OR cause = $1 \
                ORDER BY number DESC LIMIT $2";
    let rows = session.query(text, &[&cause.map(plain), &limit]).await?;
    rows.iter().map(|row| decode(get(row, 0, "incidents")?)).collect()
}

pub(crate) async fn by_request_id(session: &Session, id: &str) -> Result<Vec<IncidentRecord>, Failed> {
    let text = "SELECT record FROM fairgate.incidents WHERE request_id = $1 ORDER BY number DESC";
    let rows = session.query(text, &[&plain(id)]).await?;
    rows.iter().map(|row| decode(get(row, 0, "incidents")?)).collect()
}

/// By cause, the one that happened last coming first.
pub(crate) async fn groups(session: &Session) -> Result<Vec<IncidentGroup>, Failed> {
    let text = "SELECT c.cause, c.count, c.first_millis, c.last_millis, coalesce(kept.count, 0), latest.record \
                FROM fairgate.incident_causes c \
                LEFT JOIN (SELECT cause, count(*), max(number) AS newest FROM fairgate.incidents GROUP BY cause) kept \
                USING (cause) LEFT JOIN fairgate.incidents latest ON latest.number = kept.newest \
                ORDER BY c.last_millis DESC, c.cause";
    let mut groups = Vec::new();
    for row in &session.query(text, &[]).await? {
        groups.push(IncidentGroup {
            cause: get(row, 0, "incident_causes")?,
            count: count(row, 1, "incident_causes")?,
            first_millis: count(row, 2, "incident_causes")?,
            last_millis: count(row, 3, "incident_causes")?,
            kept: count(row, 4, "incidents")?,
            latest: get::<Option<&str>>(row, 5, "incidents")?.map(decode).transpose()?,
        });
    }
    Ok(groups)
}

fn decode(text: &str) -> Result<IncidentRecord, Failed> {
    serde_json::from_str(text).map_err(|_| Failed::damaged("incidents"))
}

/// Whose an incident is: a key, else an address.
fn client(incident: &IncidentRecord) -> &str {
    incident.key_id.as_deref().or(incident.address.as_deref()).unwrap_or_default()
}

/// Without the one character that a text of PostgreSQL cannot have. The record itself is JSON, where it is escaped.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
