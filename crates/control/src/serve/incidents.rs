//! Writes incidents into the store, now and then and before somebody reads them.

use gateway::{Handle, record::Incident};
use std::{rc::Rc, sync::Arc};
use store::{IncidentRecord, Records, StoreError};
use tokio::sync::Mutex;

/// Incidents that wait for a store that cannot be written. The newest are kept.
const MAX_WAITING: usize = 10_000;

/// What is not written yet.
pub(super) struct Incidents {
    handle: Handle,
    records: Rc<dyn Records>,
    waiting: Mutex<Vec<IncidentRecord>>,
}

impl Incidents {
    pub(super) fn new(handle: Handle, records: Rc<dyn Records>) -> Self {
        Self { handle, records, waiting: Mutex::default() }
    }

    /// Writes what is not written yet. What cannot be written stays for the next time.
    pub(super) async fn save(&self) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().await;
        waiting.extend(self.handle.take_incidents().into_iter().map(record));
        let surplus = waiting.len().saturating_sub(MAX_WAITING);
        waiting.drain(..surplus);
        if waiting.is_empty() {
            return Ok(());
        }
        let batch: Arc<[IncidentRecord]> = std::mem::take(&mut *waiting).into();
        let saved = self.records.add_incidents(Arc::clone(&batch)).await;
        if saved.is_err() {
            *waiting = batch.to_vec();
        }
        saved
    }
}

fn record(incident: Incident) -> IncidentRecord {
    IncidentRecord {
        request_id: incident.request_id,
        at_millis: incident.at_millis,
        method: incident.method,
        path: incident.path,
        endpoint: incident.endpoint,
        key_id: incident.key_id,
        address: incident.address,
        more: incident.more,
        cause: incident.cause,
        detail: incident.detail,
    }
}
