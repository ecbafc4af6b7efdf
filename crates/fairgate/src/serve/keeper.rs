//! Keeps the store and the data plane in step: incidents and usage go down, changes go up.

use super::{
    charges::Order,
    health::Health,
    lifecycle::{Alarm, Lifecycle, Phase},
    loading::{self, window},
    reload::{self, Source, Taken},
    usage::Ledger,
};
use crate::{
    admin::{
        AddressView, Control, Live, OperationError, Preparing, Reloaded, Rules, Sockets, Status,
        ThreadStatus, system_clock,
    },
    failure::Failure,
};
use config::StoreSettings;
use gateway::{
    Handle, ThreadLoad, UpstreamState, UpstreamView,
    maintenance::Pattern,
    record::{Incident, Level},
    settings::NamedEndpoint,
};
use std::{
    cell::{Cell, RefCell},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    rc::Rc,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};
use store::{IncidentRecord, KeyRecord, MaintenanceWindow, Store, StoreError};
use tokio::{sync::Notify, time::sleep};

/// Incidents that wait for a store that cannot be written. The newest are kept.
const MAX_WAITING: usize = 10_000;

/// What the control plane tells a running gateway.
pub(super) struct LiveGateway {
    handle: Handle,
    source: Rc<RefCell<Source>>,
    /// What the journal's thread is told, if there is one.
    charges: Option<Sender<Order>>,
    /// How often is saved.
    every: Rc<Cell<Duration>>,
    lifecycle: Arc<Lifecycle>,
    /// The listening sockets once more, and who is told that another gateway has them.
    sockets: Rc<RefCell<Vec<TcpListener>>>,
    succession: Rc<Notify>,
    health: Rc<RefCell<Health>>,
    /// The store's folder, for whoever asks.
    store: PathBuf,
    /// When the configuration was read that holds, and why a later one was not taken.
    configured: RefCell<(u64, Option<String>)>,
    since: u64,
    waiting: RefCell<Waiting>,
    usage: RefCell<Ledger>,
}

/// What could not be saved yet.
#[derive(Default)]
struct Waiting {
    incidents: Vec<IncidentRecord>,
}

/// Saves now and then.
pub(super) struct Keeper {
    handle: Handle,
    control: Rc<RefCell<Control>>,
    every: Rc<Cell<Duration>>,
    lifecycle: Arc<Lifecycle>,
}

// === impl LiveGateway ===

impl LiveGateway {
    pub(super) fn new(
        handle: Handle,
        source: Rc<RefCell<Source>>,
        store: &StoreSettings,
        charges: Option<Sender<Order>>,
        lifecycle: Arc<Lifecycle>,
        (sockets, succession): (Rc<RefCell<Vec<TcpListener>>>, Rc<Notify>),
        health: Rc<RefCell<Health>>,
    ) -> Self {
        let since = system_clock();
        let configured = RefCell::new((since, None));
        let usage = RefCell::new(Ledger::new(handle.clone(), store.usage));
        let every = Rc::new(Cell::new(store.flush_interval));
        Self {
            handle,
            source,
            charges,
            every,
            lifecycle,
            sockets,
            succession,
            health,
            store: std::path::absolute(&store.path).unwrap_or_else(|_| store.path.clone()),
            configured,
            since,
            waiting: RefCell::default(),
            usage,
        }
    }

    /// How often is saved, whatever the configuration comes to say.
    pub(super) fn every(&self) -> Rc<Cell<Duration>> {
        Rc::clone(&self.every)
    }

    /// Takes over what was prepared. The only steps that can fail come first.
    fn take(&self, store: &dyn Store) -> Result<Taken, OperationError> {
        let mut source = self.source.borrow_mut();
        let Some(next) = source.next_admin() else { return source.take_over(&self.handle, store) };
        let before = self.health.borrow().wanted();
        self.move_health(next)?;
        let taken = source.take_over(&self.handle, store);
        if taken.is_err() {
            let _ = self.move_health(before);
        }
        taken
    }

    fn move_health(&self, wanted: Option<SocketAddr>) -> Result<(), OperationError> {
        let moved = self.health.borrow_mut().move_to(wanted);
        moved.map_err(|error| OperationError::NotReloaded(format!("{error}; nothing was changed")))
    }

    /// Saves what is not saved yet. What cannot be saved stays for the next time.
    fn save(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut waiting = self.waiting.borrow_mut();
        waiting.incidents.extend(self.handle.take_incidents().into_iter().map(record));
        let surplus = waiting.incidents.len().saturating_sub(MAX_WAITING);
        waiting.incidents.drain(..surplus);
        if !waiting.incidents.is_empty() {
            store.add_incidents(&waiting.incidents)?;
            waiting.incidents.clear();
        }
        Ok(())
    }
}

impl Live for LiveGateway {
    fn key_added(&self, key: &KeyRecord) {
        // What could be wrong was checked when the key was made.
        if let Err(reason) = loading::load_one(self.handle.keyring(), key) {
            self.handle.log().event(Level::Warn, "a key is not let in", &[("reason", &reason)]);
        }
    }

    fn key_changed(&self, key: &KeyRecord) {
        self.key_added(key);
    }

    fn prepare(&self) -> Result<Preparing, OperationError> {
        Ok(self.source.borrow().prepare(self.handle.clone()))
    }

    fn take_over(
        &self,
        store: &dyn Store,
        prepared: Result<(), OperationError>,
    ) -> Result<(Rules, Reloaded), OperationError> {
        let taken = prepared.and_then(|()| self.take(store));
        let done = taken.map(|Taken { reloaded, rules, store }| {
            self.usage.borrow_mut().set(store.usage);
            self.every.set(store.flush_interval);
            if let Some(charges) = &self.charges {
                let _ = charges.send(Order::Go(store.flush_interval, store.on_disk_full));
            }
            (rules, reloaded)
        });
        match &done {
            Ok(_) => *self.configured.borrow_mut() = (system_clock(), None),
            Err(error) => self.configured.borrow_mut().1 = Some(error.to_string()),
        }
        reload::log(self.handle.log(), done.as_ref().map(|(_, reloaded)| reloaded));
        done
    }

    fn hand_over(&self) -> Result<Sockets, OperationError> {
        if self.lifecycle.phase() != Phase::Serving {
            return Err(OperationError::NotReloaded("the gateway starts or ends already".to_owned()));
        }
        self.handle.hand_over();
        let sockets = Sockets { requests: self.sockets.take(), admin: self.health.borrow().socket() };
        self.succession.notify_one();
        Ok(sockets)
    }

    fn status(&self) -> Result<Status, OperationError> {
        let told = |load: &ThreadLoad| ThreadStatus {
            connections: load.connections as u64,
            requests: load.requests as u64,
            lag_millis: load.lag_millis,
        };
        let (configured, not_taken) = self.configured.borrow().clone();
        Ok(Status {
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
            threads: self.lifecycle.loads().iter().map(told).collect(),
        })
    }

    fn key_revoked(&self, _: &str, digest: &[u8; 32]) {
        self.handle.keyring().revoke(digest);
    }

    fn maintenance_changed(&self, windows: &[MaintenanceWindow]) {
        self.handle.set_maintenance(windows.iter().map(window).collect());
    }

    fn has_endpoints(&self, pattern: &Pattern) -> bool {
        self.handle.has_endpoints(pattern)
    }

    fn operations(&self) -> Option<Vec<NamedEndpoint>> {
        Some(self.handle.operations())
    }

    fn upstreams(&self) -> Result<Vec<AddressView>, OperationError> {
        Ok(self.handle.upstreams().into_iter().map(address).collect())
    }

    fn before_read(&self, store: &dyn Store) -> Result<(), StoreError> {
        let saved = self.save(store);
        // Afterwards, and with its own faults: usage is a report, what was saved before is a promise.
        self.usage.borrow_mut().keep(store);
        saved
    }

    fn before_usage(&self, store: &dyn Store) -> Result<(), StoreError> {
        self.usage.borrow_mut().keep_all(store)
    }
}

// === impl Keeper ===

impl Keeper {
    /// `every`: how often it saves.
    pub(super) fn new(
        handle: Handle,
        control: Rc<RefCell<Control>>,
        every: Rc<Cell<Duration>>,
        lifecycle: Arc<Lifecycle>,
    ) -> Rc<Self> {
        Rc::new(Self { handle, control, every, lifecycle })
    }

    /// Saves now and then, for ever.
    pub(super) async fn run(self: Rc<Self>) {
        loop {
            sleep(self.every.get()).await;
            let saved = self.save();
            self.tell(&saved);
        }
    }

    /// Saves what the data plane did last.
    pub(super) fn save_at_the_end(&self) -> Result<(), Failure> {
        let saved = self.save();
        // The ledger tells the log itself what it could not write; a report is no reason to fail.
        let _ = self.control.borrow().save_usage();
        saved.map_err(|error| Failure::new(format!("the last incidents could not be saved: {error}")))
    }

    fn save(&self) -> Result<(), StoreError> {
        self.control.borrow().save()
    }

    /// Tells that the store fails, once, and that it works again, once. Requests go on meanwhile; only a restart
    /// would forget what was not saved.
    fn tell(&self, saved: &Result<(), StoreError>) {
        let error = saved.as_ref().err().map(ToString::to_string);
        let what = error.as_ref().map(|error| format!("the store cannot be written: {error}"));
        if !self.lifecycle.raise(Alarm::Store, what) {
            return;
        }
        match error {
            Some(error) => {
                let effect = "requests go on; what is not saved would be forgotten in a restart";
                let members = [("error", error.as_str()), ("effect", effect)];
                self.handle.log().event(Level::Error, "the store cannot be written", &members);
            }
            None => self.handle.log().event(Level::Info, "the store can be written again", &[]),
        }
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
