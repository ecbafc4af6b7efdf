//! The running gateway as the control plane knows it: takes changes over, and tells how it stands.

use super::{
    cluster::Membership,
    loading::{self, LeftOut, window},
};
use crate::{
    AddressView, Live, Load, Status, ThreadStatus, lifecycle::Lifecycle, system_clock,
    transport::http::Health,
};
use config::StoreSettings;
use gateway::{
    Handle, ThreadLoad, UpstreamState, UpstreamView,
    maintenance::Pattern,
    record::{Level, Value},
    settings::NamedEndpoint,
};
use std::{
    cell::{Ref, RefCell},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};
use store::{Change, Changed, KeyRecord, MaintenanceWindow};

/// The running gateway.
pub(super) struct LiveGateway {
    handle: Handle,
    lifecycle: Arc<Lifecycle>,
    health: Rc<RefCell<Health>>,
    configured: Rc<Configured>,
    /// The store's folder, for whoever asks.
    store: PathBuf,
    since: u64,
    /// Its place in a cluster, if it is in one.
    membership: Option<Rc<Membership>>,
    /// All windows of maintenance, the one that begins first coming first.
    maintenance: RefCell<Vec<MaintenanceWindow>>,
}

/// When the configuration was read that holds, and why a later one was not taken.
pub(super) struct Configured(RefCell<(u64, Option<String>)>);

// === impl Configured ===

impl Configured {
    /// The one that holds was read now.
    pub(super) fn now() -> Self {
        Self(RefCell::new((system_clock(), None)))
    }

    pub(super) fn set(&self, not_taken: Option<String>) {
        let mut configured = self.0.borrow_mut();
        match not_taken {
            None => *configured = (system_clock(), None),
            Some(why) => configured.1 = Some(why),
        }
    }

    fn get(&self) -> Ref<'_, (u64, Option<String>)> {
        self.0.borrow()
    }
}

// === impl LiveGateway ===

impl LiveGateway {
    pub(super) fn new(
        handle: Handle,
        lifecycle: Arc<Lifecycle>,
        health: Rc<RefCell<Health>>,
        configured: Rc<Configured>,
        store: &StoreSettings,
        membership: Option<Rc<Membership>>,
    ) -> Self {
        let store = std::path::absolute(&store.path).unwrap_or_else(|_| store.path.clone());
        let (since, maintenance) = (system_clock(), RefCell::default());
        Self { handle, lifecycle, health, configured, store, since, membership, maintenance }
    }

    fn put_key(&self, key: &KeyRecord) {
        // What could be wrong was checked when the key was made.
        if let Err(reason) = loading::load_one(self.handle.keyring(), key) {
            self.handle.log().event(Level::Warn, "a key is not let in", &[("reason", &reason)]);
        }
    }

    fn set_maintenance(&self, set: impl FnOnce(&mut Vec<MaintenanceWindow>)) {
        let mut windows = self.maintenance.borrow_mut();
        set(&mut windows);
        windows.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
        self.handle.set_maintenance(windows.iter().map(window).collect());
    }

    fn log(&self, change: &Change) {
        let (event, id) = match &change.what {
            Changed::KeyAdded(key) => ("key added", Some(("key", key.id.as_str()))),
            Changed::KeyChanged(key) => ("key changed", Some(("key", key.id.as_str()))),
            Changed::KeyRevoked(key) => ("key revoked", Some(("key", key.id.as_str()))),
            Changed::KeysImported(_) => ("keys imported", None),
            Changed::MaintenancePut(window) => ("maintenance set", Some(("window", window.id.as_str()))),
            Changed::MaintenanceRemoved(id) => ("maintenance removed", Some(("window", id.as_str()))),
        };
        let mut members: Vec<(&str, Value<'_>)> = Vec::new();
        members.extend(id.map(|(name, id)| (name, Value::Text(id))));
        members.extend([("by", Value::Text(&change.by)), ("change", Value::Number(change.number))]);
        self.handle.log().event_of(Level::Info, event, &members);
    }
}

impl Live for LiveGateway {
    fn apply(&self, change: &Change) {
        match &change.what {
            Changed::KeyAdded(key) | Changed::KeyChanged(key) => self.put_key(key),
            // Also one that is not let in otherwise, because its plan is gone.
            Changed::KeyRevoked(key) => self.handle.keyring().revoke(&key.digest),
            Changed::KeysImported(keys) => keys.records().for_each(|key| self.put_key(&key)),
            Changed::MaintenancePut(window) => self.set_maintenance(|windows| {
                windows.retain(|one| one.id != window.id);
                windows.push(window.clone());
            }),
            Changed::MaintenanceRemoved(id) => {
                self.set_maintenance(|windows| windows.retain(|window| window.id != *id));
            }
        }
        self.log(change);
    }

    fn load(&self, keys: u64) -> Load<'_> {
        let left_out = Arc::new(LeftOut::default());
        Load {
            keys: loading::visitors(&self.handle, keys, &left_out),
            rest: Box::new(move |windows| {
                left_out.log(self.handle.log());
                self.set_maintenance(|all| *all = windows);
            }),
        }
    }

    fn status(&self) -> Status {
        let thread = |load: &ThreadLoad| ThreadStatus {
            connections: load.connections as u64,
            requests: load.requests as u64,
            lag_millis: load.lag_millis,
        };
        let (configured, not_taken) = self.configured.get().clone();
        Status {
            state: self.lifecycle.word().to_owned(),
            address: self.handle.address().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            since: self.since,
            configured,
            not_taken,
            store: self.store.clone(),
            admin: self.health.borrow().address(),
            alarms: self.lifecycle.alarms(),
            keys: self.handle.keyring().len() as u64,
            cluster: self.membership.as_ref().map(|membership| membership.status()),
            threads: self.lifecycle.loads().iter().map(thread).collect(),
        }
    }

    fn upstreams(&self) -> Vec<AddressView> {
        self.handle.upstreams().into_iter().map(address).collect()
    }

    fn has_endpoints(&self, pattern: &Pattern) -> bool {
        self.handle.has_endpoints(pattern)
    }

    fn operations(&self) -> Vec<NamedEndpoint> {
        self.handle.operations()
    }
}

fn address(view: UpstreamView) -> AddressView {
    let (state, percent) = match view.state {
        UpstreamState::In => ("in", None),
        UpstreamState::SlowStart(percent) => ("slow start", Some(percent)),
        UpstreamState::Out => ("out", None),
        UpstreamState::Unhealthy => ("not well", None),
        UpstreamState::NotResolved => ("not resolved", None),
    };
    AddressView {
        service: view.service,
        address: view.address,
        weight: view.weight,
        state: state.to_owned(),
        percent,
        since_millis: view.since,
        in_flight: view.in_flight,
        sent: view.sent,
        failures: view.failures,
        places: view.places,
        error: view.error,
    }
}
