//! Hands keys and maintenance from the store to the data plane.

use crate::failure::Failure;
use config::limit;
use contract::Limit;
use gateway::{
    Handle,
    keyring::{Grant, Keyring, NewKey, Standing, Terms},
    maintenance::{Pattern, Window},
    record::{Level, Value},
};
use std::{collections::HashMap, sync::Arc, thread};
use store::{KeyRecord, KeyRow, KeyVisitor, MaintenanceWindow, Store, StoreError};

/// Terms that a thread remembers the grants of. Keys of a plan mostly have the same.
const MAX_REMEMBERED: usize = 4096;
/// Keys that are not let in and named in the log. A plan that was taken out may have had a million.
const MAX_NAMED: usize = 10;

/// What one thread reads.
struct Loader<'a> {
    keyring: &'a Keyring,
    grants: HashMap<Vec<u8>, Result<Arc<Grant>, String>>,
    left_out: u64,
    named: Vec<String>,
}

/// Hands over all that is kept. Reads keys with a thread for each core.
pub(super) fn load(store: &dyn Store, handle: &Handle) -> Result<(), Failure> {
    load_keys(store, handle)?;
    handle.set_maintenance(store.maintenance()?.iter().map(window).collect());
    Ok(())
}

/// Hands over all keys that the data plane can take; those that it has already are changed.
pub(super) fn load_keys(store: &dyn Store, handle: &Handle) -> Result<(), StoreError> {
    let keyring = handle.keyring();
    let count = usize::try_from(store.count_keys()?).unwrap_or_default();
    keyring.reserve(count.saturating_sub(keyring.len()));
    let loader = || Loader { keyring, grants: HashMap::new(), left_out: 0, named: vec![] };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut loaders: Vec<Loader<'_>> = std::iter::repeat_with(loader).take(threads).collect();
    let mut visits: Vec<_> = loaders.iter_mut().map(|loader| |row: KeyRow<'_>| loader.take(&row)).collect();
    let mut visitors: Vec<KeyVisitor<'_>> = Vec::new();
    for visit in &mut visits {
        visitors.push(visit);
    }
    store.visit_keys(&mut visitors)?;
    for reason in loaders.iter().flat_map(|loader| &loader.named).take(MAX_NAMED) {
        handle.log().event(Level::Warn, "a key is not let in", &[("reason", reason)]);
    }
    let left_out: u64 = loaders.iter().map(|loader| loader.left_out).sum();
    if left_out > 0 {
        handle.log().event_of(Level::Warn, "keys were not let in", &[("count", Value::Number(left_out))]);
    }
    Ok(())
}

/// Hands over one key that was made or changed.
///
/// # Errors
/// Why it is not let in.
pub(super) fn load_one(keyring: &Keyring, record: &KeyRecord) -> Result<(), String> {
    let limits = record.limits.iter().map(String::as_str);
    let grant = grant(keyring, &record.plan, record.permissions.clone(), limits)?;
    let standing = Standing { grant, expires_at: record.expires_at, revoked: record.revoked_at.is_some() };
    let key = NewKey { id: &record.id, digest: &record.digest, imported: record.imported, standing };
    keyring.insert(key).map_err(|error| error.to_string())
}

fn grant<'a>(
    keyring: &Keyring,
    plan: &str,
    permissions: Vec<String>,
    limits: impl Iterator<Item = &'a str>,
) -> Result<Arc<Grant>, String> {
    let terms =
        Terms { plan: plan.to_owned(), permissions, limits: limits.map(read).collect::<Result<_, _>>()? };
    keyring.grant(terms).map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<Limit, String> {
    limit::read(text).map_err(|wrong| format!("its limit \"{text}\": {}", wrong.why))
}

// === impl Loader ===

impl Loader<'_> {
    fn take(&mut self, row: &KeyRow<'_>) {
        if let Err(reason) = self.try_take(row) {
            self.left_out += 1;
            self.keyring.leave_out(row.digest);
            if self.named.len() < MAX_NAMED {
                self.named.push(format!("{}: {reason}", row.id));
            }
        }
    }

    fn try_take(&mut self, row: &KeyRow<'_>) -> Result<(), String> {
        let standing = Standing {
            grant: self.grant_of(row)?,
            expires_at: row.expires_at,
            revoked: row.revoked_at.is_some(),
        };
        let key = NewKey { id: row.id, digest: row.digest, imported: row.imported, standing };
        self.keyring.insert(key).map_err(|error| error.to_string())
    }

    fn grant_of(&mut self, row: &KeyRow<'_>) -> Result<Arc<Grant>, String> {
        if let Some(known) = self.grants.get(row.terms.as_ref()) {
            return known.clone();
        }
        let permissions = row.permissions.map(str::to_owned).collect();
        let made = grant(self.keyring, row.plan, permissions, row.limits);
        if self.grants.len() >= MAX_REMEMBERED {
            self.grants.clear();
        }
        self.grants.insert(row.terms.to_vec(), made.clone());
        made
    }
}

/// A stored window, as the data plane knows it.
pub(crate) fn window(window: &MaintenanceWindow) -> Window {
    Window {
        message: window.message.clone(),
        from: window.from,
        until: window.until,
        pass: window.pass.clone(),
        // What cannot be read was written by a later Fairgate; to leave it out would close nothing, so it closes all.
        endpoints: window
            .endpoints
            .iter()
            .map(|text| Pattern::parse(text))
            .collect::<Result<_, _>>()
            .unwrap_or_default(),
    }
}
