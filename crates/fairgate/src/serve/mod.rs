//! Runs the gateway: opens the store, starts the data plane, keeps both in step, drains at the end.
//!
//! This thread is the control plane's. It may wait for the disk; no data thread ever waits for it.

mod account_gc;
mod acme;
mod certificates;
mod charges;
mod clock_override;
mod clock_sync;
mod health;
mod incidents;
mod keeper;
mod lifecycle;
mod live;
pub(crate) mod loading;
mod lock_wait;
mod notify;
mod presence;
mod process;
mod reload;
pub(crate) mod rules;
mod succession;
mod usage;
mod watching;

use crate::{
    admin::{
        AdminSocket, Applier, Control, Names, Place, Running, SocketError, Stores, serve as serve_admin,
        system_clock,
    },
    failure::Failure,
};
use acme::Acme;
use certificates::Certificates;
use config::{Config, Document, Node};
use gateway::{
    Gateway, Handed, Handle, NotOpen, StartError,
    record::{Level, LogSink, Value},
    settings::{LogFormat, Service, Settings, UpstreamAddress},
};
use health::Health;
use keeper::Keeper;
use lifecycle::{Lifecycle, Phase};
use live::{Configured, LiveGateway};
use lock_wait::Patience;
use process::{Handing, ServingProcess};
use reload::Source;
use rules::rules;
use std::{
    cell::RefCell,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    rc::Rc,
    sync::Arc,
};
use store::{Embedded, Secret, StoreError};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, oneshot},
    task::LocalSet,
};

/// How a gateway starts, beside what its configuration says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Start {
    /// The system's clock is right whatever the journal says.
    pub(crate) is_clock_trusted: bool,
    /// The sockets of a gateway that runs are asked for.
    pub(crate) takes_over: bool,
}

/// Which events are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Events {
    /// All.
    All,
    /// Requests and faults, but not that the gateway begins or ends.
    Requests,
}

/// Runs the gateway until a signal ends it.
pub(crate) fn run(config: Config, how: Start) -> Result<ExitCode, Failure> {
    with_log(config.data_plane.log.format, |log| {
        run_until(config, how, log, Events::All, || {
            let mut signals = Signals::new()?;
            Ok(async move {
                let first = signals.next().await;
                // Asked again, it ends as it would at a kill -9: nothing that was charged is lost.
                tokio::task::spawn_local(async move {
                    let again = signals.next().await;
                    eprintln!("{again} came once more: the end, at once.");
                    std::process::exit(1);
                });
                Ok(first)
            })
        })
    })
}

/// Starts the log, and ends it once all that `run` had to say is written. One log serves all
/// gateways of a process, so that their lines do not cut into each other.
pub(crate) fn with_log<T>(
    format: LogFormat,
    run: impl FnOnce(&LogSink) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (log, writer) = LogSink::to_standard_error(format)
        .map_err(|error| Failure::new(format!("cannot start the log: {error}")))?;
    let result = run(&log);
    drop(log);
    writer.finish();
    result
}

/// Runs the gateway until the future that `until` makes ends it; what that gives is the reason.
/// The future is first polled once requests are let in. If it fails, so does the run, after the drain.
#[allow(clippy::too_many_lines, reason = "what begins and ends with the gateway, in its order")]
pub(crate) fn run_until<F: Future<Output = Result<&'static str, Failure>>>(
    config: Config,
    how: Start,
    log: &LogSink,
    events: Events,
    until: impl FnOnce() -> Result<F, Failure>,
) -> Result<ExitCode, Failure> {
    for warning in &config.warnings {
        log.event(Level::Warn, "configuration", &[("warning", warning)]);
    }
    if let (Events::All, Some(document)) = (events, &config.document) {
        log_document(document, log);
    }
    let (data_plane, node) = config.for_serving();
    let (source, rules, facts) = (Source::of(&data_plane, &node), rules(&data_plane), Facts::of(&data_plane));
    let lifecycle = Arc::new(Lifecycle::default());
    let place = place(&node);
    let mut health = Health::new(Arc::clone(&lifecycle), log.clone());
    // The old gateway, if there is one, drains from here on; who connects waits in the sockets' queues.
    let (sockets, old) = succession::sockets(how.takes_over, node.process.admin, &place, log)?;
    let mut handed = Handed(sockets.requests);
    let mut patience = Patience::new(log);
    // With an old gateway, which still has its names and the store, later.
    let names = if old.is_none() { Some(reserve(&place, &mut patience)?) } else { None };
    // As early as can be, so that it can be asked while the old one drains and a large store is read.
    begin(&mut health, &node, sockets.admin, old.is_some(), &mut patience)?;
    let health = Rc::new(RefCell::new(health));
    let source = Rc::new(RefCell::new(source));
    if let Some(old) = old {
        succession::wait(old, log)?;
        patience = Patience::new(log);
    }
    let names = names.map_or_else(|| reserve(&place, &mut patience), Ok)?;
    let (store, secret) = open_store(&node, &data_plane, !handed.0.is_empty(), &mut patience)?;
    let footprint = store.footprint().clone();
    log_store(&store, &node, events, log);
    let not_open = start(data_plane, &mut handed, secret.clone(), log)?;
    let handle = not_open.handle();
    lifecycle.know(handle.clone());
    let stores = Stores::from(store);
    let configured = Rc::new(Configured::now());
    let live = LiveGateway::new(
        handle.clone(),
        Arc::clone(&lifecycle),
        Rc::clone(&health),
        Rc::clone(&configured),
        &node.store,
    );
    let applier = Applier::new(Rc::clone(&stores.records), Box::new(live));
    store::wait(applier.catch_up())?;
    let certificates = node.tls.clone().map(|files| Certificates::new(files, handle.clone())).transpose()?;
    let acme = acme(&node, &handle, certificates.as_ref())?;
    let journal =
        charges::open(&node.store, how.is_clock_trusted, not_open.threads(), &handle, &mut patience)?;
    let (journal, writers) = journal.unzip();
    let writers = writers.unwrap_or_default();
    let watch = charges::Watch {
        handle: handle.clone(),
        lifecycle: Arc::clone(&lifecycle),
        footprint: footprint.clone(),
    };
    let charges = journal.map(|journal| charges::keep(journal, &node.store, watch)).transpose()?;
    let socket = bind(&node, &names, &mut patience)?;
    let sockets =
        not_open.sockets().map_err(|error| Failure::new(format!("cannot keep the sockets: {error}")))?;
    let handing = Rc::new(Handing { sockets: RefCell::new(sockets), is_done: Notify::new() });
    let process = ServingProcess::new(
        (handle.clone(), Arc::clone(&lifecycle)),
        &stores,
        &node.store,
        (Rc::clone(&source), configured),
        charges.as_ref().map(charges::Keeping::orders),
        Rc::clone(&handing),
        Rc::clone(&health),
    );
    let every = process.every();
    let running = Running { applier, process: Box::new(process) };
    let control = Control::new(stores, secret, rules, Some(running), system_clock);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(format!("cannot start the control plane: {error}")))?;
    let drained = LocalSet::new().block_on(&runtime, async {
        let control = Rc::new(control);
        let keeper = Keeper::new(Rc::clone(&control), every, Arc::clone(&lifecycle), log.clone());
        let hearing = (events == Events::All).then(|| reload::on_hangup(Rc::clone(&control)));
        let hearing = hearing.transpose()?.map(tokio::task::spawn_local);
        let watching = (events == Events::All).then(|| watching::run(Rc::clone(&control), source));
        let watching = watching.map(tokio::task::spawn_local);
        let letting_go = tokio::task::spawn_local(watching::let_go(handle.clone()));
        let sweeping = tokio::task::spawn_local(account_gc::run(handle.clone()));
        let following = tokio::task::spawn_local(clock_sync::run(handle.clone()));
        let keeping = tokio::task::spawn_local(Rc::clone(&keeper).run());
        let presence = presence::run(footprint, Arc::clone(&lifecycle), log.clone());
        let presence = tokio::task::spawn_local(presence);
        let acme = acme.map(|acme| tokio::task::spawn_local(acme.run()));
        let certificates = certificates.map(|held| tokio::task::spawn_local(certificates::follow(held)));
        let (closed, on_closed) = oneshot::channel::<()>();
        let admin = tokio::task::spawn_local(serve_admin(socket, control, async {
            let _ = on_closed.await;
        }));
        let until = until()?;
        let gateway = not_open.open(writers).map_err(|error| Failure::new(error.to_string()))?;
        lifecycle.enter(Phase::Serving);
        if events == Events::All {
            announce(&gateway, &facts, health.borrow().address(), log);
        }
        notify::tell("READY=1");
        let reason = tokio::select! {
            reason = until => reason,
            () = handing.is_done.notified() => Ok("another gateway takes over"),
        };
        notify::tell("STOPPING=1");
        // Ours are closed by the data threads; with these the system would go on queueing.
        handing.sockets.borrow_mut().clear();
        if let (Events::All, Ok(reason)) = (events, &reason) {
            log.event(Level::Info, "draining", &[("reason", reason)]);
        }
        lifecycle.enter(Phase::Draining);
        let drained = drain(gateway).await;
        // Nothing is charged any more: what is saved now is the last word.
        let _ = closed.send(());
        let _ = admin.await;
        keeping.abort();
        presence.abort();
        sweeping.abort();
        following.abort();
        letting_go.abort();
        for task in hearing.into_iter().chain(watching).chain(certificates).chain(acme) {
            task.abort();
        }
        keeper.save_at_the_end().await?;
        reason.map(|_| drained)
    });
    // All that was charged is in the rings by now, whatever ended the run.
    let saved = charges.map_or(Ok(()), charges::Keeping::finish);
    let drained = drained?;
    saved?;
    if events == Events::All {
        log.event(Level::Info, "ended", &[]);
    }
    Ok(if drained { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

/// Opens the store, and sees to it that a gateway of it that was killed has let go of its port.
fn open_store(
    node: &Node,
    data_plane: &Settings,
    has_sockets: bool,
    patience: &mut Patience<'_>,
) -> Result<(Embedded, Secret), Failure> {
    let was_killed = AdminSocket::is_left(&node.store.path);
    let is_locked = |error: &StoreError| matches!(error, StoreError::Locked { .. });
    let opened = patience.wait(is_locked, || Embedded::open(&node.store.path))?;
    // Where no gateway of this store was killed, whoever listens is another program, and stays.
    let is_taken = |error: &StartError| was_killed && error.is_taken();
    if !has_sockets {
        let free = patience.wait(is_taken, || data_plane.addresses().try_for_each(Gateway::can_listen));
        free.map_err(|error| Failure::of_start(&error))?;
    }
    Ok(opened)
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

/// What is said of the data plane once it runs, when its settings are its own.
struct Facts {
    upstreams: String,
    threads: u64,
}

impl Facts {
    fn of(data_plane: &Settings) -> Self {
        Self { upstreams: upstreams(&data_plane.services), threads: data_plane.listen.threads as u64 }
    }
}

fn announce(gateway: &Gateway, facts: &Facts, admin: Option<SocketAddr>, log: &LogSink) {
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let (address, tls) = (gateway.address().to_string(), text(gateway.tls_address()));
    let admin = text(admin);
    let members = [
        ("address", Value::Text(&address)),
        ("upstream", Value::Text(&facts.upstreams)),
        ("threads", Value::Number(facts.threads)),
        ("tls_address", Value::Text(&tls)),
        ("keys", Value::Number(gateway.keyring().len() as u64)),
        ("version", Value::Text(env!("CARGO_PKG_VERSION"))),
        ("admin", Value::Text(&admin)),
    ];
    let is_said = |(_, value): &(&str, Value<'_>)| !matches!(value, Value::Text(""));
    let members: Vec<(&str, Value<'_>)> = members.into_iter().filter(is_said).collect();
    log.event_of(Level::Info, "listening", &members);
}

/// All addresses that requests go to.
fn upstreams(services: &[Service]) -> String {
    let addresses = services.iter().flat_map(|service| &service.upstream.addresses);
    addresses.map(UpstreamAddress::authority).collect::<Vec<_>>().join(", ")
}

/// Waits for the data threads, on a thread of its own: the admin socket is answered meanwhile.
async fn drain(gateway: Gateway) -> bool {
    let (ended, on_ended) = oneshot::channel();
    let waiting = std::thread::Builder::new().name("drain".into()).spawn(move || {
        let _ = ended.send(gateway.drain());
    });
    match waiting {
        Ok(_) => on_ended.await.unwrap_or(false),
        Err(_) => false,
    }
}

/// The signals that end the gateway.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let on =
            |kind| signal(kind).map_err(|error| Failure::new(format!("cannot wait for signals: {error}")));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
