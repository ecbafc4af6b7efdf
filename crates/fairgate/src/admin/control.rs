//! Carries out operations on the store and tells the running gateway what has changed.
//!
//! The store comes first, the gateway second: what a client may rely on has reached the disk.

mod import;
mod maintenance;
mod reload;

pub(crate) use reload::{Preparing, carry_out};

use super::{
    handing::Sockets,
    operation::{
        AddressView, Expiry, KeyChange, KeyView, NewKey, Operation, OperationError, Outcome, Reloaded, Status,
    },
    own_limits::{self, ReadLimit},
};
use gateway::{
    maintenance::Pattern,
    settings::{NamedEndpoint, Plan},
};
use import::Staged;
use regex::Regex;
use std::{
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};
use store::{KeyRecord, MaintenanceWindow, Secret, Store, StoreError, UsageQuery, Whose, random};
use tokio::sync::Mutex;

/// Most keys in one page, so that an answer stays small.
const LONGEST_PAGE: usize = 10_000;
const LONGEST_NAME: usize = 200;
const LONGEST_PERMISSION: usize = 128;
const MAX_PERMISSIONS: usize = 256;

/// What a running gateway does when something has changed. Called on the control thread.
pub(crate) trait Live {
    /// A key was made or imported: it must work from now on.
    fn key_added(&self, record: &KeyRecord);
    /// A key was revoked: it must be refused from now on, also on connections that are open.
    fn key_revoked(&self, id: &str, digest: &[u8; 32]);
    /// A key was changed: what it is granted holds from its next request on.
    fn key_changed(&self, record: &KeyRecord);
    /// What reads the configuration again. It may take seconds, and is for another thread.
    ///
    /// # Errors
    /// No gateway runs.
    fn prepare(&self) -> Result<Preparing, OperationError>;
    /// Takes over what was prepared, or tells why there is nothing.
    ///
    /// # Errors
    /// A sentence about what is wrong; then nothing was changed.
    fn take_over(
        &self,
        store: &dyn Store,
        prepared: Result<(), OperationError>,
    ) -> Result<(Rules, Reloaded), OperationError>;
    /// The listening sockets, for the gateway that takes the place of this one, which drains and ends from
    /// now on.
    ///
    /// # Errors
    /// No gateway runs, or it drains already.
    fn hand_over(&self) -> Result<Sockets, OperationError> {
        Err(OperationError::NothingRuns)
    }
    /// How the gateway stands.
    ///
    /// # Errors
    /// No gateway runs.
    fn status(&self) -> Result<Status, OperationError> {
        Err(OperationError::NothingRuns)
    }
    /// These are all windows of maintenance from now on.
    fn maintenance_changed(&self, windows: &[MaintenanceWindow]);
    /// Whether there are endpoints that maintenance can be of. Without a gateway nobody knows them.
    fn has_endpoints(&self, _: &Pattern) -> bool {
        true
    }
    /// The endpoints that are operations with a name. None: no gateway runs, so nobody knows them.
    fn operations(&self) -> Option<Vec<NamedEndpoint>> {
        None
    }
    /// Somebody is about to read: save queued incidents first.
    fn before_read(&self, store: &dyn Store) -> Result<(), StoreError>;
    /// The addresses of all upstreams.
    ///
    /// # Errors
    /// No gateway runs.
    fn upstreams(&self) -> Result<Vec<AddressView>, OperationError> {
        Err(OperationError::NothingRuns)
    }
    /// Somebody is about to read usage: write what was counted until now.
    fn before_usage(&self, _: &dyn Store) -> Result<(), StoreError> {
        Ok(())
    }
}

/// No gateway runs: nobody has to be told.
pub(crate) struct Offline;

/// What the configuration says about keys.
pub(crate) struct Rules {
    /// The plans.
    pub(crate) plans: Vec<Plan>,
    /// Reads limits of keys' own.
    pub(crate) read_limit: ReadLimit,
    /// The whole of an imported key matches this. None: any format.
    pub(crate) pattern: Option<Regex>,
}

/// Carries out operations, one after the other.
pub(crate) struct Control {
    pub(super) store: Box<dyn Store>,
    pub(super) secret: Secret,
    pub(super) rules: Rules,
    pub(super) live: Box<dyn Live>,
    staged: Option<Staged>,
    /// Held while the configuration is read again.
    pub(super) turn: Rc<Mutex<()>>,
    clock: fn() -> u64,
}

/// Seconds since the Unix epoch.
pub(crate) fn system_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether what is asked for would be forgotten in a restart if the store's folder is gone, and should not seem
/// done. What protects the API, revoking and maintenance, is done all the same, and so is what only reads.
fn is_lost_with_the_store(operation: &Operation) -> bool {
    match operation {
        Operation::CreateKey(_)
        | Operation::ChangeKey { .. }
        | Operation::ImportBegin(_)
        | Operation::ImportAdd { .. }
        | Operation::ImportCommit { .. }
        | Operation::HandOver => true,
        Operation::ListKeys { .. }
        | Operation::RevokeKeys { .. }
        | Operation::Reload
        | Operation::BeginMaintenance(_)
        | Operation::EndMaintenance { .. }
        | Operation::ListMaintenance
        | Operation::ListIncidents { .. }
        | Operation::GroupIncidents
        | Operation::ShowIncident { .. }
        | Operation::Status
        | Operation::ListUpstreams
        | Operation::ShowUsage(_) => false,
    }
}

/// Microseconds since the Unix epoch.
pub(crate) fn system_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The known name that is most like one that is not known, if it is like it at all.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |known: &&str| (strsim::jaro_winkler(known, name) * 1000.0) as u32;
    known.max_by_key(likeness).filter(|known| likeness(known) > 700)
}

// === impl Offline ===

impl Live for Offline {
    fn key_added(&self, _: &KeyRecord) {}
    fn key_revoked(&self, _: &str, _: &[u8; 32]) {}
    fn key_changed(&self, _: &KeyRecord) {}
    fn prepare(&self) -> Result<Preparing, OperationError> {
        Err(OperationError::NoGateway)
    }
    fn take_over(
        &self,
        _: &dyn Store,
        _: Result<(), OperationError>,
    ) -> Result<(Rules, Reloaded), OperationError> {
        Err(OperationError::NoGateway)
    }
    fn maintenance_changed(&self, _: &[MaintenanceWindow]) {}
    fn before_read(&self, _: &dyn Store) -> Result<(), StoreError> {
        Ok(())
    }
}

// === impl Control ===

impl Control {
    /// A control plane over this store. `clock` gives seconds since the Unix epoch.
    pub(crate) fn new(
        store: Box<dyn Store>,
        secret: Secret,
        rules: Rules,
        live: Box<dyn Live>,
        clock: fn() -> u64,
    ) -> Self {
        Self { store, secret, rules, live, staged: None, turn: Rc::default(), clock }
    }

    /// Has the gateway save what is queued there.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        self.live.before_read(self.store.as_ref())
    }

    /// Has the gateway write what it counted of usage.
    pub(crate) fn save_usage(&self) -> Result<(), StoreError> {
        self.live.before_usage(self.store.as_ref())
    }

    /// Carries out one operation, wholly or not at all.
    pub(crate) fn execute(&mut self, operation: Operation) -> Result<Outcome, OperationError> {
        let now = (self.clock)();
        import::give_up_if_left_alone(self, now);
        if is_lost_with_the_store(&operation) {
            self.store.check_place()?;
        }
        match operation {
            Operation::CreateKey(wanted) => self.create_key(wanted, now),
            Operation::ListKeys { after, limit } => self.list_keys(after.as_deref(), limit),
            Operation::RevokeKeys { ids, keys } => self.revoke_keys(ids, &keys, now),
            Operation::ChangeKey { id, change } => self.change_key(id, change, now),
            Operation::Reload => {
                let prepared = self.live.prepare()?();
                self.take_over(prepared)
            }
            Operation::ImportBegin(wanted) => import::begin(self, wanted, now),
            Operation::ImportAdd { import, keys } => import::add(self, &import, keys, now),
            Operation::ImportCommit { import } => import::commit(self, &import, now),
            Operation::BeginMaintenance(wanted) => maintenance::begin(self, wanted, now),
            Operation::EndMaintenance { id } => maintenance::end(self, id),
            Operation::ListMaintenance => Ok(Outcome::Maintenance(self.store.maintenance()?)),
            Operation::ListIncidents { limit, cause } => {
                self.live.before_read(self.store.as_ref())?;
                Ok(Outcome::Incidents(self.store.incidents(limit, cause.as_deref())?))
            }
            Operation::GroupIncidents => {
                self.live.before_read(self.store.as_ref())?;
                Ok(Outcome::IncidentGroups(self.store.incident_groups()?))
            }
            Operation::ShowIncident { request_id } => {
                self.live.before_read(self.store.as_ref())?;
                let found = self.store.incidents_of(&request_id)?;
                if found.is_empty() {
                    return Err(OperationError::UnknownIncident { request_id });
                }
                Ok(Outcome::Incidents(found))
            }
            // Carried out where the connection is at hand on which the sockets are sent.
            Operation::HandOver => Err(OperationError::NothingRuns),
            Operation::Status => Ok(Outcome::Status(self.live.status()?)),
            Operation::ListUpstreams => self.live.upstreams().map(Outcome::Upstreams),
            Operation::ShowUsage(query) => self.show_usage(&query),
        }
    }

    /// Takes a configuration over that was prepared.
    pub(super) fn take_over(
        &mut self,
        prepared: Result<(), OperationError>,
    ) -> Result<Outcome, OperationError> {
        let (rules, reloaded) = self.live.take_over(self.store.as_ref(), prepared)?;
        self.rules = rules;
        Ok(Outcome::Reloaded(reloaded))
    }

    fn show_usage(&self, query: &UsageQuery) -> Result<Outcome, OperationError> {
        if let Whose::Key(id) = &query.whose
            && self.store.key_by_id(id)?.is_none()
        {
            return Err(OperationError::UnknownKeys { ids: vec![id.clone()] });
        }
        self.save_usage()?;
        Ok(Outcome::Usage(self.store.usage(query, LONGEST_PAGE)?))
    }

    fn create_key(&self, wanted: NewKey, now: u64) -> Result<Outcome, OperationError> {
        let limits = self.check(&wanted, now)?;
        let key = random::key()?;
        let record = KeyRecord {
            id: random::key_id(system_micros())?,
            name: wanted.name,
            plan: wanted.plan,
            permissions: wanted.permissions,
            limits,
            created_at: now,
            expires_at: wanted.expires_at,
            revoked_at: None,
            imported: false,
            preview: contract::key::preview(&key),
            digest: self.secret.digest(key.as_bytes()),
        };
        self.store.insert_keys(&mut std::iter::once(record.clone()))?;
        self.live.key_added(&record);
        Ok(Outcome::KeyCreated { key, view: record.into() })
    }

    fn list_keys(&self, after: Option<&str>, limit: usize) -> Result<Outcome, OperationError> {
        let page = self.store.page_of_keys(after, limit.min(LONGEST_PAGE))?;
        Ok(Outcome::Keys(page.into_iter().map(KeyView::from).collect()))
    }

    /// Revokes what it can: one mistyped id must not keep the others alive.
    fn revoke_keys(&self, ids: Vec<String>, keys: &[String], now: u64) -> Result<Outcome, OperationError> {
        let (mut revoked, mut already, mut unknown) = (vec![], vec![], vec![]);
        let mut found = Vec::new();
        for id in ids {
            match self.store.key_by_id(&id)? {
                Some(record) => found.push(record),
                None => unknown.push(id),
            }
        }
        let digests: Vec<_> = keys.iter().map(|key| self.secret.digest(key.as_bytes())).collect();
        for (key, known) in keys.iter().zip(self.store.keys_by_digests(&digests)?) {
            match known {
                Some(record) => found.push(record),
                None => unknown.push(import::preview(key)),
            }
        }
        for before in found {
            let Some(record) = self.store.revoke_key(&before.id, now)? else { continue };
            // Told in any case: revoking again also heals a gateway that missed it.
            self.live.key_revoked(&record.id, &record.digest);
            let list = if before.revoked_at.is_some() { &mut already } else { &mut revoked };
            list.push(KeyView::from(record));
        }
        Ok(Outcome::KeysRevoked { revoked, already, unknown })
    }

    /// Changes a key. What is counted of it stays, as far as its new limits count the same.
    fn change_key(&self, id: String, change: KeyChange, now: u64) -> Result<Outcome, OperationError> {
        let Some(mut record) = self.store.key_by_id(&id)? else {
            return Err(OperationError::UnknownKeys { ids: vec![id] });
        };
        let expires_at = match change.expires {
            None => record.expires_at,
            Some(Expiry::Never) => None,
            Some(Expiry::At(at)) => Some(at),
        };
        let wanted = NewKey {
            name: change.name.or(record.name),
            plan: change.plan.unwrap_or(record.plan),
            permissions: change.permissions.unwrap_or(record.permissions),
            limits: change.limits.unwrap_or(record.limits),
            // A key that has expired already may be changed in other ways; only a new expiry is looked at.
            expires_at: expires_at.filter(|_| change.expires.is_some()),
        };
        record.limits = self.check(&wanted, now)?;
        (record.name, record.plan, record.permissions) = (wanted.name, wanted.plan, wanted.permissions);
        record.expires_at = expires_at;
        if !self.store.replace_key(&record)? {
            return Err(OperationError::UnknownKeys { ids: vec![id] });
        }
        self.live.key_changed(&record);
        Ok(Outcome::KeyChanged(record.into()))
    }

    /// Whether a key like this can be. Gives its own limits in the form in which they are kept.
    pub(super) fn check(&self, wanted: &NewKey, now: u64) -> Result<Vec<String>, OperationError> {
        let plan = self.rules.plans.iter().find(|plan| plan.name == wanted.plan);
        let plan = plan.ok_or_else(|| self.unknown_plan(&wanted.plan))?;
        let limits = own_limits::check(&wanted.limits, &plan.limits, self.rules.read_limit)?;
        if let Some(name) = &wanted.name
            && (name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control))
        {
            let why = format!("1 to {LONGEST_NAME} bytes without control characters");
            return Err(OperationError::not_valid("the key's name", why));
        }
        if wanted.permissions.len() > MAX_PERMISSIONS {
            let why = format!("a key has at most {MAX_PERMISSIONS}");
            return Err(OperationError::not_valid("permissions", why));
        }
        for permission in &wanted.permissions {
            let is_plain = permission.bytes().all(|byte| byte.is_ascii_graphic());
            if permission.is_empty() || permission.len() > LONGEST_PERMISSION || !is_plain {
                let what = format!("the permission `{}`", permission.escape_debug());
                let why = format!(
                    "1 to {LONGEST_PERMISSION} visible ASCII characters without spaces, such as items:read"
                );
                return Err(OperationError::not_valid(&what, why));
            }
        }
        match wanted.expires_at {
            Some(expires) if expires <= now => {
                Err(OperationError::not_valid("the expiry", "it lies in the past"))
            }
            Some(_) | None => Ok(limits),
        }
    }

    fn unknown_plan(&self, plan: &str) -> OperationError {
        let known: Vec<String> = self.rules.plans.iter().map(|plan| plan.name.clone()).collect();
        let nearest = nearest(plan, known.iter().map(String::as_str)).map(str::to_owned);
        OperationError::UnknownPlan { plan: plan.into(), known, nearest }
    }
}
