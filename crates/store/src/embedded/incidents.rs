//! The tables of incidents: the records by a running number, and what is counted: by cause, and by cause and client.
//!
//! Of one cause and client (a key, or an address) the newest are kept and the rest is counted, so that nobody who
//! provokes errors pushes those of others out. What is kept in all is shared out among the causes.

use super::fault::Fault;
use crate::{INCIDENTS_KEPT, INCIDENTS_OF_CLIENT, IncidentGroup, IncidentRecord, share};
use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, TableError,
    WriteTransaction,
};
use serde::{Deserialize, Serialize};

const INCIDENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("incidents");
const CAUSES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("incident_causes");
/// By cause and client, those that are kept.
const CLIENTS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("incident_clients");

/// What is counted of a cause.
#[derive(Default, Serialize, Deserialize)]
struct Count {
    count: u64,
    first_millis: u64,
    last_millis: u64,
    /// The number of the newest that was kept.
    newest: u64,
    /// So many are kept.
    kept: u64,
}

/// The tables that are written together.
struct Tables<'t> {
    incidents: Table<'t, u64, &'static [u8]>,
    causes: Table<'t, &'static str, &'static [u8]>,
    clients: Table<'t, (&'static str, &'static str), &'static [u8]>,
}

pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), Fault> {
    Tables::open(transaction).map(|_| ())
}

pub(super) fn add(transaction: &WriteTransaction, incidents: &[IncidentRecord]) -> Result<(), Fault> {
    let mut tables = Tables::open(transaction)?;
    let mut number = tables.incidents.last()?.map_or(0, |(number, _)| number.value());
    for incident in incidents {
        number += 1;
        tables.add(number, incident)?;
    }
    tables.share_out()
}

pub(super) fn newest(
    transaction: &ReadTransaction,
    limit: usize,
    cause: Option<&str>,
) -> Result<Vec<IncidentRecord>, Fault> {
    let mut found = Vec::new();
    for row in transaction.open_table(INCIDENTS)?.range::<u64>(..)?.rev() {
        if found.len() >= limit {
            break;
        }
        let incident = decode(row?.1.value())?;
        if cause.is_none_or(|cause| incident.cause == cause) {
            found.push(incident);
        }
    }
    Ok(found)
}

/// By cause, the one that happened last coming first.
pub(super) fn groups(transaction: &ReadTransaction) -> Result<Vec<IncidentGroup>, Fault> {
    let causes = match transaction.open_table(CAUSES) {
        Ok(causes) => causes,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let incidents = transaction.open_table(INCIDENTS)?;
    let mut groups = Vec::new();
    for row in causes.range::<&str>(..)? {
        let (cause, bytes) = row?;
        let count: Count = of_json(bytes.value())?;
        let latest = incidents.get(count.newest)?.map(|bytes| decode(bytes.value())).transpose()?;
        groups.push(IncidentGroup {
            cause: cause.value().to_owned(),
            count: count.count,
            kept: count.kept,
            first_millis: count.first_millis,
            last_millis: count.last_millis,
            latest,
        });
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.last_millis));
    Ok(groups)
}

/// All with this request id, the newest first.
pub(super) fn by_request_id(
    transaction: &ReadTransaction,
    request_id: &str,
) -> Result<Vec<IncidentRecord>, Fault> {
    // Clients may choose their request ids, so that one id can belong to several incidents; ten thousand are read at once.
    let mut found = newest(transaction, usize::MAX, None)?;
    found.retain(|incident| incident.request_id == request_id);
    Ok(found)
}

fn decode(bytes: &[u8]) -> Result<IncidentRecord, Fault> {
    of_json(bytes)
}

fn of_json<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::Record("incidents"))
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|_| Fault::Record("incidents"))
}

/// Whose an incident is: a key, else an address.
fn client(incident: &IncidentRecord) -> &str {
    incident.key_id.as_deref().or(incident.address.as_deref()).unwrap_or_default()
}

// === impl Tables ===

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            incidents: transaction.open_table(INCIDENTS)?,
            causes: transaction.open_table(CAUSES)?,
            clients: transaction.open_table(CLIENTS)?,
        })
    }

    fn add(&mut self, number: u64, incident: &IncidentRecord) -> Result<(), Fault> {
        let mut count = self.count(&incident.cause)?;
        if count.count == 0 {
            count.first_millis = incident.at_millis;
        }
        count.last_millis = count.last_millis.max(incident.at_millis);
        if incident.more > 0 {
            // It stands for others, which were not kept.
            count.count += incident.more;
            return self.set_count(&incident.cause, &count);
        }
        count.count += 1;
        count.kept += 1;
        count.newest = number;
        self.set_count(&incident.cause, &count)?;
        self.incidents.insert(number, to_json(incident)?.as_slice())?;
        let place = (incident.cause.as_str(), client(incident));
        let mut kept = self.kept_of(place)?;
        kept.push(number);
        let surplus = kept.len().saturating_sub(INCIDENTS_OF_CLIENT);
        for number in kept.drain(..surplus).collect::<Vec<_>>() {
            self.remove_record(number)?;
        }
        self.clients.insert(place, to_json(&kept)?.as_slice())?;
        Ok(())
    }

    /// Takes the oldest of those causes away that have more than their share.
    fn share_out(&mut self) -> Result<(), Fault> {
        let surplus = self.incidents.len()?.saturating_sub(INCIDENTS_KEPT);
        if surplus == 0 {
            return Ok(());
        }
        let mut causes = Vec::new();
        for row in self.causes.range::<&str>(..)? {
            let (cause, bytes) = row?;
            causes.push((of_json::<Count>(bytes.value())?.kept, cause.value().to_owned()));
        }
        let share = share(causes.iter().map(|(kept, _)| *kept).collect(), INCIDENTS_KEPT);
        let (mut known, mut removed) = (0, 0);
        for (kept, cause) in &causes {
            known += kept;
            let surplus = kept.saturating_sub(share);
            removed += surplus;
            self.remove_oldest_of(cause, surplus)?;
        }
        // What an older Fairgate has kept belongs to no cause, and goes first in its turn.
        for _ in 0..surplus.saturating_sub(removed).min(self.incidents.len()?.saturating_sub(known - removed))
        {
            let Some(oldest) = self.incidents.first()?.map(|(number, _)| number.value()) else { break };
            self.remove_record(oldest)?;
        }
        Ok(())
    }

    fn remove_oldest_of(&mut self, cause: &str, surplus: u64) -> Result<(), Fault> {
        if surplus == 0 {
            return Ok(());
        }
        let mut kept: Vec<(u64, String)> = Vec::new();
        for row in self.clients.range((cause, "")..)? {
            let (place, numbers) = row?;
            let (of, client) = place.value();
            if of != cause {
                break;
            }
            kept.extend(
                of_json::<Vec<u64>>(numbers.value())?.into_iter().map(|number| (number, client.to_owned())),
            );
        }
        kept.sort();
        for (number, client) in kept.into_iter().take(usize::try_from(surplus).unwrap_or(usize::MAX)) {
            self.remove_record(number)?;
            let mut rest = self.kept_of((cause, &client))?;
            rest.retain(|one| *one != number);
            if rest.is_empty() {
                self.clients.remove((cause, client.as_str()))?;
            } else {
                self.clients.insert((cause, client.as_str()), to_json(&rest)?.as_slice())?;
            }
        }
        Ok(())
    }

    fn remove_record(&mut self, number: u64) -> Result<(), Fault> {
        let Some(gone) = self.incidents.remove(number)?.map(|bytes| decode(bytes.value())).transpose()?
        else {
            return Ok(());
        };
        let mut count = self.count(&gone.cause)?;
        if count.count > 0 {
            count.kept = count.kept.saturating_sub(1);
            self.set_count(&gone.cause, &count)?;
        }
        Ok(())
    }

    fn count(&self, cause: &str) -> Result<Count, Fault> {
        self.causes.get(cause)?.map_or(Ok(Count::default()), |bytes| of_json(bytes.value()))
    }

    fn set_count(&mut self, cause: &str, count: &Count) -> Result<(), Fault> {
        self.causes.insert(cause, to_json(count)?.as_slice())?;
        Ok(())
    }

    fn kept_of(&self, place: (&str, &str)) -> Result<Vec<u64>, Fault> {
        self.clients.get(place)?.map_or(Ok(Vec::new()), |bytes| of_json(bytes.value()))
    }
}
