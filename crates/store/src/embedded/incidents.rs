//! The tables of incidents: the records by a running number, and the newest number of a request id.

use super::Fault;
use crate::{INCIDENTS_KEPT, IncidentRecord};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

const INCIDENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("incidents");
// Clients may choose their request ids, so that one id can belong to several incidents.
const INCIDENT_IDS: TableDefinition<'_, &str, u64> = TableDefinition::new("incident_ids");

pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(INCIDENTS)?;
    transaction.open_table(INCIDENT_IDS)?;
    Ok(())
}

pub(super) fn add(transaction: &WriteTransaction, incidents: &[IncidentRecord]) -> Result<(), Fault> {
    let mut table = transaction.open_table(INCIDENTS)?;
    let mut ids = transaction.open_table(INCIDENT_IDS)?;
    let last = table.last()?.map_or(0, |(number, _)| number.value());
    // Of a batch larger than what is kept, the oldest need not be written at all.
    let too_many = incidents.len().saturating_sub(INCIDENTS_KEPT as usize);
    for (number, incident) in (last + 1..).zip(incidents.iter().skip(too_many)) {
        let bytes = serde_json::to_vec(incident).map_err(|_| Fault::Record("incidents"))?;
        table.insert(number, bytes.as_slice())?;
        ids.insert(incident.request_id.as_str(), number)?;
    }
    while table.len()? > INCIDENTS_KEPT {
        let Some((number, bytes)) = table.pop_first()? else { break };
        let (number, gone) = (number.value(), decode(bytes.value())?);
        let newest = ids.get(gone.request_id.as_str())?.map(|newest| newest.value());
        if newest == Some(number) {
            ids.remove(gone.request_id.as_str())?;
        }
    }
    Ok(())
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

pub(super) fn by_request_id(
    transaction: &ReadTransaction,
    request_id: &str,
) -> Result<Option<IncidentRecord>, Fault> {
    let Some(number) = transaction.open_table(INCIDENT_IDS)?.get(request_id)?.map(|number| number.value())
    else {
        return Ok(None);
    };
    let bytes = transaction.open_table(INCIDENTS)?.get(number)?.ok_or(Fault::Record("incident_ids"))?;
    decode(bytes.value()).map(Some)
}

fn decode(bytes: &[u8]) -> Result<IncidentRecord, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::Record("incidents"))
}
