//! Keys, maintenance, incidents and usage of an export, on their way into a store.

use super::BATCH;
use crate::{
    Stores,
    export::{Cause, Key, Line},
    failure::Failure,
};
use std::collections::{BTreeMap, HashSet};
use store::{IncidentRecord, KeyRecord, UsageCell};

/// What was read and waits to be written.
#[derive(Default)]
struct Waiting {
    keys: Vec<KeyRecord>,
    causes: Vec<Cause>,
    incidents: Vec<IncidentRecord>,
    usage: Vec<UsageCell>,
}

/// Puts all into the store but the counters.
pub(super) fn put(
    stores: &Stores,
    lines: impl Iterator<Item = Result<Line, Failure>>,
) -> Result<(), Failure> {
    let mut waiting = Waiting::default();
    for line in lines {
        match line? {
            Line::Counter(_) | Line::End(_) => {}
            Line::Key(key) => waiting.key(key, stores)?,
            Line::Maintenance(window) => {
                let known = store::wait(stores.records.maintenance())?;
                if !known.contains(&window) {
                    store::wait(stores.records.put_maintenance(window, "import"))?;
                }
            }
            // Together at the end: there are few, and which of them are there already is to be seen.
            Line::Cause(cause) => waiting.causes.push(cause),
            Line::Incident(incident) => waiting.incidents.push(incident),
            Line::Usage(usage) => {
                let cell = UsageCell::try_from(usage);
                waiting
                    .usage
                    .push(cell.map_err(|why| Failure::new(format!("a line of usage is damaged: {why}")))?);
                if waiting.usage.len() >= BATCH {
                    waiting.put_usage(stores)?;
                }
            }
        }
    }
    waiting.put_keys(stores)?;
    waiting.put_incidents(stores)?;
    waiting.put_usage(stores)
}

impl Waiting {
    fn key(&mut self, key: Key, stores: &Stores) -> Result<(), Failure> {
        self.keys.push(key.into());
        if self.keys.len() >= BATCH { self.put_keys(stores) } else { Ok(()) }
    }

    fn put_keys(&mut self, stores: &Stores) -> Result<(), Failure> {
        Ok(store::wait(stores.records.put_keys(std::mem::take(&mut self.keys)))?)
    }

    fn put_usage(&mut self, stores: &Stores) -> Result<(), Failure> {
        Ok(store::wait(stores.usage.put_usage(std::mem::take(&mut self.usage)))?)
    }

    /// Adds the incidents that are not there, and has each cause count at least as many as the file says.
    fn put_incidents(&mut self, stores: &Stores) -> Result<(), Failure> {
        let known = store::wait(stores.records.incidents(usize::MAX, None))?;
        let known: HashSet<(&str, u64, &str)> = known.iter().map(named).collect();
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for group in store::wait(stores.records.incident_groups())? {
            counted.insert(group.cause, group.count);
        }
        self.incidents.retain(|incident| !known.contains(&named(incident)));
        for incident in &self.incidents {
            *counted.entry(incident.cause.clone()).or_default() += 1;
        }
        let mut all = Vec::new();
        for Cause { cause, count, first_millis } in self.causes.drain(..) {
            let missing = count.saturating_sub(counted.get(&cause).copied().unwrap_or(0));
            if missing > 0 {
                all.push(standing_for(cause, missing, first_millis));
            }
        }
        all.append(&mut self.incidents);
        if all.is_empty() {
            return Ok(());
        }
        Ok(store::wait(stores.records.add_incidents(all.into()))?)
    }
}

/// What distinguishes an incident from others.
fn named(incident: &IncidentRecord) -> (&str, u64, &str) {
    (&incident.request_id, incident.at_millis, &incident.cause)
}

/// Incidents that were counted and not kept. They come first, so that the cause begins when it did.
const fn standing_for(cause: String, more: u64, at_millis: u64) -> IncidentRecord {
    IncidentRecord {
        request_id: String::new(),
        at_millis,
        method: String::new(),
        path: String::new(),
        endpoint: None,
        key_id: None,
        address: None,
        cause,
        detail: String::new(),
        more,
    }
}
