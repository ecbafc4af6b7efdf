//! The start, phase by phase: what is claimed and opened in each, and why in this order.
//!
//! 1. [`Start::claim`]: the sockets of whoever serves before us, the names that commands find us by, `[admin] address`.
//! 2. [`Start::open_store`]: once the old gateway has ended, so that one after the other has the store.
//! 3. [`Start::start_gateway`]: data threads that let nobody in yet; all keys; certificates.
//! 4. [`Start::open_charges`]: what accounts had used, which needs the keys.
//! 5. [`Start::make_control`]: the admin socket, behind the store's lock, which keeps two gateways apart.

use super::{
    Events, Options,
    acme::Acme,
    certificates::Certificates,
    charges::{self, Keeping},
    cluster::{self, Membership},
    live::{Configured, LiveGateway},
    lock_wait::Patience,
    moving,
    process::{Handing, ServingProcess},
    reload::Source,
    sharing::{Carrying, Sharing},
    succession,
};
use crate::{
    AdminSocket, Applier, Control, Names, Place, Rules, Running, SocketError, Stores,
    failure::Failure,
    lifecycle::Lifecycle,
    system_clock,
    transport::{http::Health, unix::Old},
};
use config::{Config, Document, Node};
use gateway::{
    Gateway, Handed, Handle, NotOpen, StartError,
    record::{Level, LogSink, Value},
    settings::Settings,
};
use journal::Writer;
use std::{
    cell::{Cell, RefCell},
    net::TcpListener,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use store::{Embedded, Footprint, Secret, StoreError};
use tokio::sync::Notify;

/// What is known to every phase.
pub(super) struct Start<'l> {
    node: Node,
    options: Options,
    pub(super) log: &'l LogSink,
    pub(super) events: Events,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) health: Rc<RefCell<Health>>,
    pub(super) source: Rc<RefCell<Source>>,
    /// When the configuration was read that holds.
    configured: Rc<Configured>,
    patience: Patience<'l>,
}

/// What nobody else can have from now on.
pub(super) struct Claims {
    /// Listening sockets that there are already.
    handed: Handed,
    /// The gateway that has them, too, and drains.
    old: Option<Old>,
    /// None: the old gateway still has them.
    names: Option<Names>,
}

/// The store, open.
pub(super) struct OpenStore {
    handed: Handed,
    /// Kept to the end: they keep others from the store.
    names: Names,
    stores: Stores,
    secret: Secret,
    footprint: Footprint,
    /// Its place in a cluster, if it is in one.
    membership: Option<Rc<Membership>>,
}

/// A gateway that knows its keys and lets nobody in yet.
pub(super) struct Closed {
    not_open: NotOpen,
    handle: Handle,
    certificates: Option<Rc<RefCell<Certificates>>>,
    acme: Option<Acme>,
    applier: Applier,
}

/// Where charges are kept, and how they are shared with other nodes.
#[derive(Default)]
pub(super) struct Charging {
    /// None: they are held in memory only.
    pub(super) keeping: Option<Keeping>,
    /// One for each data thread.
    pub(super) writers: Vec<Writer>,
    /// None: this gateway is alone.
    pub(super) carrying: Option<Carrying>,
}

/// What can be asked and told to do something.
pub(super) struct Controlled {
    pub(super) control: Control,
    pub(super) socket: AdminSocket,
    pub(super) handing: Rc<Handing>,
    /// How often is saved.
    pub(super) every: Rc<Cell<Duration>>,
    pub(super) footprint: Footprint,
    /// Its place in a cluster, if it is in one.
    pub(super) membership: Option<Rc<Membership>>,
    /// Kept to the end.
    pub(super) names: Names,
}

impl<'l> Start<'l> {
    /// Gives the settings of the data plane beside, which are its own once it is started.
    pub(super) fn new(
        config: Config,
        options: Options,
        log: &'l LogSink,
        events: Events,
    ) -> (Self, Settings) {
        for warning in &config.warnings {
            log.event(Level::Warn, "configuration", &[("warning", warning)]);
        }
        if let (Events::All, Some(document)) = (events, &config.document) {
            log_document(document, log);
        }
        let (data_plane, node) = config.for_serving();
        let source = Rc::new(RefCell::new(Source::of(&data_plane, &node)));
        let lifecycle = Arc::new(Lifecycle::default());
        let health = Rc::new(RefCell::new(Health::new(Arc::clone(&lifecycle), log.clone())));
        let (configured, patience) = (Rc::new(Configured::now()), Patience::new(log));
        let start = Self { node, options, log, events, lifecycle, health, source, configured, patience };
        (start, data_plane)
    }

    /// The old gateway, if there is one, drains from here on; who connects waits in the sockets' queues.
    pub(super) fn claim(&mut self, data_plane: &Settings) -> Result<Claims, Failure> {
        let place = place(&self.node);
        let takes_over = self.options.takes_over;
        let (admin, addresses) = (self.node.process.admin, data_plane.addresses().collect());
        let (sockets, old) = succession::sockets(takes_over, admin, addresses, &place, self.log)?;
        self.patience = Patience::new(self.log);
        // With an old gateway, which still has its names and the store, later.
        let names = if old.is_none() { Some(reserve(&place, &mut self.patience)?) } else { None };
        // As early as can be, so that it can be asked while the old one drains and a large store is read.
        let mut health = self.health.borrow_mut();
        begin(&mut health, &self.node, sockets.admin, old.is_some(), &mut self.patience)?;
        Ok(Claims { handed: Handed(sockets.requests), old, names })
    }

    /// Waits for the end of the old gateway, and opens the store.
    pub(super) fn open_store(&mut self, claims: Claims, data_plane: &Settings) -> Result<OpenStore, Failure> {
        let Claims { handed, old, names } = claims;
        if let Some(old) = old {
            succession::wait(old, self.log)?;
            self.patience = Patience::new(self.log);
        }
        let names = names.map_or_else(|| reserve(&place(&self.node), &mut self.patience), Ok)?;
        moving::refuse(&self.node.store.path)?;
        let has_sockets = !handed.0.is_empty();
        // Looked at before the store is opened, which removes what a gateway that was killed has left.
        let was_killed = AdminSocket::is_left(&self.node.store.path);
        let opened = match &self.node.cluster {
            None => {
                let (store, secret) = open_store(&self.node, &mut self.patience)?;
                log_store(&store, &self.node, self.events, self.log);
                let footprint = store.footprint().clone();
                OpenStore { handed, names, stores: Stores::from(store), secret, footprint, membership: None }
            }
            Some(settings) => {
                let opened =
                    cluster::open(&self.node, settings, (&self.lifecycle, self.log), &mut self.patience)?;
                let cluster::Opened { stores, secret, footprint, membership } = opened;
                OpenStore { handed, names, stores, secret, footprint, membership: Some(membership) }
            }
        };
        if !has_sockets {
            wait_for_port(was_killed, data_plane, &mut self.patience)?;
        }
        Ok(opened)
    }

    /// Starts the data threads, which let nobody in yet, and hands all keys to them.
    pub(super) fn start_gateway(
        &mut self,
        store: &mut OpenStore,
        data_plane: Settings,
    ) -> Result<Closed, Failure> {
        let not_open = start(data_plane, &mut store.handed, store.secret.clone(), self.log)?;
        let handle = not_open.handle();
        self.lifecycle.know(handle.clone());
        let live = LiveGateway::new(
            handle.clone(),
            Arc::clone(&self.lifecycle),
            Rc::clone(&self.health),
            Rc::clone(&self.configured),
            &self.node.store,
            store.membership.clone(),
        );
        let applier = Applier::new(Rc::clone(&store.stores.records), Box::new(live));
        store::wait(applier.catch_up())?;
        let files = self.node.tls.clone();
        let certificates = files.map(|files| Certificates::new(files, handle.clone())).transpose()?;
        let acme = acme(&self.node, &handle, certificates.as_ref())?;
        Ok(Closed { not_open, handle, certificates, acme, applier })
    }

    /// How this gateway shares its limits. None: it is alone.
    pub(super) fn sharing(&self, store: &OpenStore) -> Result<Option<Sharing>, Failure> {
        let member = self.node.cluster.as_ref().zip(store.membership.as_ref());
        member.map(|(settings, membership)| membership.sharing(settings)).transpose()
    }

    /// Gives accounts back what they had used, and begins to keep what they use; a member of a cluster begins to share its
    /// limits.
    pub(super) fn open_charges(
        &mut self,
        closed: &Closed,
        store: &OpenStore,
        sharing: Option<Sharing>,
    ) -> Result<Charging, Failure> {
        let threads = closed.not_open.threads();
        let (settings, is_clock_trusted) = (&self.node.store, self.options.is_clock_trusted);
        let (now, is_member) = (system_clock().saturating_mul(1000), sharing.is_some());
        let mut of_node = Vec::new();
        let opened = charges::open(
            settings,
            is_clock_trusted,
            threads,
            &closed.handle,
            &mut self.patience,
            &mut |who, used| {
                if is_member {
                    of_node.extend(closed.handle.leases_used(who, used, now));
                }
            },
        )?;
        let Some((journal, writers)) = opened else {
            return if is_member { Err(not_durable()) } else { Ok(Charging::default()) };
        };
        let watch = charges::Watch {
            handle: closed.handle.clone(),
            lifecycle: Arc::clone(&self.lifecycle),
            footprint: store.footprint.clone(),
        };
        let keeping = charges::keep(journal, settings, watch)?;
        let begin = |sharing: Sharing| sharing.begin(of_node, &closed.handle, &self.lifecycle);
        let carrying = sharing.map(begin).transpose()?;
        Ok(Charging { keeping: Some(keeping), writers, carrying })
    }

    /// Opens the admin socket, and makes what answers there.
    pub(super) fn make_control(
        &mut self,
        store: OpenStore,
        closed: Closed,
        charges: Option<&Keeping>,
        rules: Rules,
    ) -> Result<(Controlled, Opening), Failure> {
        let socket = bind(&self.node, &store.names, &mut self.patience)?;
        let Closed { not_open, handle, certificates, acme, applier } = closed;
        let sockets = not_open.sockets();
        let sockets = sockets.map_err(|error| Failure::new(format!("cannot keep the sockets: {error}")))?;
        let handing = Rc::new(Handing { sockets: RefCell::new(sockets), is_done: Notify::new() });
        let process = ServingProcess::new(
            (handle.clone(), Arc::clone(&self.lifecycle)),
            &store.stores,
            &self.node.store,
            (Rc::clone(&self.source), Rc::clone(&self.configured)),
            charges.map(Keeping::orders),
            Rc::clone(&handing),
            Rc::clone(&self.health),
        );
        let every = process.every();
        let running = Running { applier, process: Box::new(process) };
        let control = Control::new(store.stores, store.secret, rules, Some(running), system_clock);
        let (footprint, membership, names) = (store.footprint, store.membership, store.names);
        let controlled = Controlled { control, socket, handing, every, footprint, membership, names };
        Ok((controlled, Opening { not_open, handle, certificates, acme }))
    }
}

/// What a node used would be granted again after its next start.
fn not_durable() -> Failure {
    Failure::new("a member of a cluster has to keep its charges: set `[store] durable = true`".to_owned())
}

/// A gateway that can be opened.
pub(super) struct Opening {
    pub(super) not_open: NotOpen,
    pub(super) handle: Handle,
    pub(super) certificates: Option<Rc<RefCell<Certificates>>>,
    pub(super) acme: Option<Acme>,
}

/// What fetches certificates, if the configuration asks for that.
fn acme(
    node: &Node,
    handle: &Handle,
    certificates: Option<&Rc<RefCell<Certificates>>>,
) -> Result<Option<Acme>, Failure> {
    let settings = node.tls.as_ref().and_then(|tls| tls.acme.clone());
    let (Some(settings), Some(certificates)) = (settings, certificates) else { return Ok(None) };
    Acme::new(settings, &node.store.path, handle.clone(), Rc::clone(certificates)).map(Some)
}

fn open_store(node: &Node, patience: &mut Patience<'_>) -> Result<(Embedded, Secret), Failure> {
    let is_locked = |error: &StoreError| matches!(error, StoreError::Locked { .. });
    Ok(patience.wait(is_locked, || Embedded::open(&node.store.path))?)
}

/// Sees to it that a gateway of this store that was killed has let go of its port.
fn wait_for_port(
    was_killed: bool,
    data_plane: &Settings,
    patience: &mut Patience<'_>,
) -> Result<(), Failure> {
    // Where no gateway of this store was killed, whoever listens is another program, and stays.
    let is_taken = |error: &StartError| was_killed && error.is_taken();
    let free = patience.wait(is_taken, || data_plane.addresses().try_for_each(Gateway::can_listen));
    free.map_err(|error| Failure::of_start(&error))
}

/// Where commands find this gateway.
fn place(node: &Node) -> Place {
    let path = &node.sources.path;
    let file = (!path.as_os_str().is_empty()).then(|| path.clone());
    Place { store: Some(node.store.path.clone()), config: file }
}

/// Takes the names that commands find this gateway by, and keeps others from opening its store.
fn reserve(place: &Place, patience: &mut Patience<'_>) -> Result<Names, Failure> {
    let is_answering = |error: &SocketError| matches!(error, SocketError::InUse { .. });
    let names = patience.wait(is_answering, || AdminSocket::reserve(place));
    names.map_err(|error| Failure::new(error.to_string()))
}

/// Begins to answer at `[admin] address`.
fn begin(
    health: &mut Health,
    node: &Node,
    mut handed: Option<TcpListener>,
    takes_over: bool,
    patience: &mut Patience<'_>,
) -> Result<(), Failure> {
    let wanted = node.process.admin;
    if takes_over {
        // Nobody serves before this gateway does, so this must not be what ends it: the old one may be in the way.
        return health.begin(wanted, handed).or_else(|_| health.begin_when_free(wanted));
    }
    // A gateway that was killed may have the address for some milliseconds more.
    let was_killed = AdminSocket::is_left(&node.store.path);
    patience.wait(|_: &Failure| was_killed, || health.begin(wanted, handed.take()))
}

/// What should be known of a store that was just opened.
fn log_store(store: &Embedded, node: &Node, events: Events, log: &LogSink) {
    let folder = node.store.path.display().to_string();
    if store.is_new() && events == Events::All {
        log.event(Level::Info, "a new store was made", &[("folder", &folder)]);
    }
    if let Some(warning) = store::open_to_others(&node.store.path) {
        log.event(Level::Warn, "the store is open to others", &[("warning", &warning)]);
    }
}

fn bind(node: &Node, names: &Names, patience: &mut Patience<'_>) -> Result<AdminSocket, Failure> {
    let is_answering = |error: &SocketError| matches!(error, SocketError::InUse { .. });
    let socket = patience.wait(is_answering, || AdminSocket::bind(&node.store.path, names));
    socket.map_err(|error| Failure::new(error.to_string()))
}

fn start(
    data_plane: Settings,
    handed: &mut Handed,
    secret: Secret,
    log: &LogSink,
) -> Result<NotOpen, Failure> {
    let digest_of = Box::new(move |key: &[u8]| secret.digest(key));
    Gateway::start(data_plane, handed, digest_of, log.clone()).map_err(|error| Failure::of_start(&error))
}

fn log_document(document: &Document, log: &LogSink) {
    let api = &document.api;
    let members = [
        ("title", Value::Text(&api.title)),
        ("version", Value::Text(&api.version)),
        ("operations", Value::Number(api.operations.len() as u64)),
        ("milliseconds", Value::Number(u64::try_from(document.took.as_millis()).unwrap_or(u64::MAX))),
    ];
    log.event_of(Level::Info, "document read", &members);
}
