//! Hands keys and maintenance from the store to the data plane.

use config::limit;
use contract::Limit;
use gateway::{
    Handle,
    keyring::{Grant, Keyring, NewKey, Standing, Terms},
    maintenance::{Pattern, Window},
    record::{Level, LogSink, Value},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use store::{KeyRecord, KeyRow, KeyVisitor, MaintenanceWindow};

/// Terms that a thread remembers the grants of. Keys of a plan mostly have the same.
const MAX_REMEMBERED: usize = 4096;
/// Keys that are not let in and named in the log. A plan that was taken out may have had a million.
const MAX_NAMED: u64 = 10;

/// What one thread reads.
struct Loader {
    handle: Handle,
    grants: HashMap<Vec<u8>, Result<Arc<Grant>, String>>,
    left_out: Arc<LeftOut>,
}

/// Keys that are stored and not let in.
#[derive(Default)]
pub(super) struct LeftOut {
    count: AtomicU64,
    named: Mutex<Vec<String>>,
}

/// What hands all keys over that the data plane can take, with a thread for each core; those that it has already are changed.
pub(super) fn visitors(handle: &Handle, keys: u64, left_out: &Arc<LeftOut>) -> Vec<KeyVisitor> {
    let keys = usize::try_from(keys).unwrap_or_default();
    handle.keyring().reserve(keys.saturating_sub(handle.keyring().len()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let visitor = || -> KeyVisitor {
        let (handle, left_out) = (handle.clone(), Arc::clone(left_out));
        let mut loader = Loader { handle, grants: HashMap::new(), left_out };
        Box::new(move |row| loader.take(&row))
    };
    std::iter::repeat_with(visitor).take(threads).collect()
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

// === impl LeftOut ===

impl LeftOut {
    /// Writes into the log how many there are, and some of them.
    pub(super) fn log(&self, log: &LogSink) {
        for reason in self.named().iter() {
            log.event(Level::Warn, "a key is not let in", &[("reason", reason)]);
        }
        let count = self.count.load(Ordering::Relaxed);
        if count > 0 {
            log.event_of(Level::Warn, "keys were not let in", &[("count", Value::Number(count))]);
        }
    }

    fn add(&self, row: &KeyRow<'_>, reason: &str) {
        if self.count.fetch_add(1, Ordering::Relaxed) < MAX_NAMED {
            self.named().push(format!("{}: {reason}", row.id));
        }
    }

    fn named(&self) -> MutexGuard<'_, Vec<String>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Loader ===

impl Loader {
    fn take(&mut self, row: &KeyRow<'_>) {
        if let Err(reason) = self.try_take(row) {
            let keyring = self.handle.keyring();
            if row.revoked_at.is_some() {
                // It may have been let in by another configuration.
                keyring.revoke(row.digest);
            }
            keyring.leave_out(row.digest);
            self.left_out.add(row, &reason);
        }
    }

    fn try_take(&mut self, row: &KeyRow<'_>) -> Result<(), String> {
        let standing = Standing {
            grant: self.grant_of(row)?,
            expires_at: row.expires_at,
            revoked: row.revoked_at.is_some(),
        };
        let key = NewKey { id: row.id, digest: row.digest, imported: row.imported, standing };
        self.handle.keyring().insert(key).map_err(|error| error.to_string())
    }

    fn grant_of(&mut self, row: &KeyRow<'_>) -> Result<Arc<Grant>, String> {
        if let Some(known) = self.grants.get(row.terms.as_ref()) {
            return known.clone();
        }
        let permissions = row.permissions.map(str::to_owned).collect();
        let made = grant(self.handle.keyring(), row.plan, permissions, row.limits);
        if self.grants.len() >= MAX_REMEMBERED {
            self.grants.clear();
        }
        self.grants.insert(row.terms.to_vec(), made.clone());
        made
    }
}

/// A stored window, as the data plane knows it.
pub fn window(window: &MaintenanceWindow) -> Window {
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
