//! Runs the gateway: the start, serving, the drain and the end.
//!
//! This thread is the control plane's. The disk works on threads of its own, and no data thread ever waits for either.

mod account_gc;
mod accounts;
mod acme;
mod certificates;
mod charges;
mod clock_override;
mod clock_sync;
mod cluster;
mod incidents;
mod keeper;
mod live;
mod loading;
mod lock_wait;
pub mod moving;
mod notify;
mod presence;
mod process;
mod reload;
mod rules;
mod sharing;
mod start;
mod succession;
mod tasks;
mod usage;
mod watching;

use crate::{AdminSocket, Control, Failure, lifecycle::Phase, serve_admin};
use config::Config;
use gateway::{
    Gateway,
    record::{Level, LogSink, Value},
    settings::{LogFormat, Service, Settings, UpstreamAddress},
};
use journal::Writer;
use keeper::Keeper;
use sharing::Carrying;
use start::{Charging, Controlled, Opening, Start};
use std::{net::SocketAddr, process::ExitCode, rc::Rc, sync::Arc};
use tasks::Tasks;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::{JoinHandle, LocalSet},
};

pub use loading::window;
pub use rules::rules;
pub use sharing::{LedgerLost, Sharing};

/// How a gateway starts, beside what its configuration says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The system's clock is right whatever the journal says.
    pub is_clock_trusted: bool,
    /// The sockets of a gateway that runs are asked for.
    pub takes_over: bool,
}

/// Which events are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// All.
    All,
    /// Requests and faults, but not that the gateway begins or ends.
    Requests,
}

/// Runs the gateway until a signal ends it.
///
/// # Errors
/// It does not start, fails, or cannot write down what it did last.
pub fn run(config: Config, how: Options) -> Result<ExitCode, Failure> {
    run_as(config, None, how)
}

/// As [`run`], as a member of a cluster.
///
/// # Errors
/// It does not start, fails, or cannot write down what it did last.
pub fn run_as(config: Config, sharing: Option<Sharing>, how: Options) -> Result<ExitCode, Failure> {
    with_log(config.data_plane.log.format, |log| {
        run_from(config, sharing, how, log, Events::All, || {
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
///
/// # Errors
/// It cannot be started, or that of `run`.
pub fn with_log<T, E: From<Failure>>(
    format: LogFormat,
    run: impl FnOnce(&LogSink) -> Result<T, E>,
) -> Result<T, E> {
    let (log, writer) = LogSink::to_standard_error(format)
        .map_err(|error| Failure::new(format!("cannot start the log: {error}")))?;
    let result = run(&log);
    drop(log);
    writer.finish();
    result
}

/// Runs the gateway until the future that `until` makes ends it; what that gives is the reason.
/// The future is first polled once requests are let in. If it fails, so does the run, after the drain.
///
/// # Errors
/// It does not start, fails, or cannot write down what it did last.
pub fn run_until<E: From<Failure>, F: Future<Output = Result<&'static str, E>>>(
    config: Config,
    options: Options,
    log: &LogSink,
    events: Events,
    until: impl FnOnce() -> Result<F, E>,
) -> Result<ExitCode, E> {
    run_from(config, None, options, log, events, until)
}

fn run_from<E: From<Failure>, F: Future<Output = Result<&'static str, E>>>(
    config: Config,
    sharing: Option<Sharing>,
    options: Options,
    log: &LogSink,
    events: Events,
    until: impl FnOnce() -> Result<F, E>,
) -> Result<ExitCode, E> {
    let (mut start, data_plane) = Start::new(config, options, log, events);
    let (rules, facts) = (rules(&data_plane), Facts::of(&data_plane));
    let claims = start.claim(&data_plane)?;
    let mut store = start.open_store(claims, &data_plane)?;
    let closed = start.start_gateway(&mut store, data_plane)?;
    let sharing = match sharing {
        Some(sharing) => Some(sharing),
        None => start.sharing(&store)?,
    };
    let Charging { keeping: charges, writers, carrying } = start.open_charges(&closed, &store, sharing)?;
    let (controlled, opening) = start.make_control(store, closed, charges.as_ref(), rules)?;
    let serving = Serving { start: &start, facts, controlled, opening, writers };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(format!("cannot start the control plane: {error}")))?;
    let served = LocalSet::new().block_on(&runtime, serve(serving, until));
    // No request is left, so nothing is taken any more.
    carrying.into_iter().for_each(Carrying::end);
    // All that was charged is in the rings by now, whatever ended the run.
    let saved = charges.map_or(Ok(()), charges::Keeping::finish);
    let is_drained = served?;
    saved?;
    if events == Events::All {
        log.event(Level::Info, "ended", &[]);
    }
    Ok(if is_drained { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All that the start has made.
struct Serving<'s> {
    start: &'s Start<'s>,
    facts: Facts,
    controlled: Controlled,
    opening: Opening,
    writers: Vec<Writer>,
}

/// Lets requests in until `until` ends, drains, and writes down what is left. Tells whether all was answered in time.
async fn serve<E: From<Failure>, F: Future<Output = Result<&'static str, E>>>(
    serving: Serving<'_>,
    until: impl FnOnce() -> Result<F, E>,
) -> Result<bool, E> {
    let Serving { start, facts, controlled, opening, writers } = serving;
    let Controlled { control, socket, handing, every, footprint, membership, names } = controlled;
    let Opening { not_open, handle, certificates, acme } = opening;
    let control = Rc::new(control);
    let keeper = Keeper::new(Rc::clone(&control), every, Arc::clone(&start.lifecycle), start.log.clone());
    let mut tasks = Tasks::new(start.log.clone());
    // A batch that is being written is written to its end: what fails then is tried once more below.
    tasks.spawn_until("keeper", Rc::clone(&keeper).run(tasks.stop()));
    tasks.spawn("presence", presence::run(footprint, Arc::clone(&start.lifecycle), start.log.clone()));
    tasks.spawn("account memory", account_gc::run(handle.clone()));
    tasks.spawn("clock", clock_sync::run(handle.clone()));
    tasks.spawn("old configurations", watching::let_go(handle));
    if let Some(membership) = &membership {
        cluster::spawn(&mut tasks, &control, membership, (&start.lifecycle, start.log));
    }
    acme.into_iter().for_each(|acme| tasks.spawn("ACME", acme.run()));
    certificates.into_iter().for_each(|held| tasks.spawn("certificates", certificates::follow(held)));
    if start.events == Events::All {
        tasks.spawn("SIGHUP", reload::on_hangup(Rc::clone(&control))?);
        tasks.spawn("file watcher", watching::run(Rc::clone(&control), Rc::clone(&start.source)));
    }
    let admin = Admin::serve(socket, control);
    let until = until()?;
    let gateway = not_open.open(writers).map_err(|error| Failure::new(error.to_string()))?;
    start.lifecycle.enter(Phase::Serving);
    if start.events == Events::All {
        announce(&gateway, &facts, start.health.borrow().address(), start.log);
    }
    notify::tell("READY=1");
    let reason = tokio::select! {
        reason = until => reason,
        () = handing.is_done.notified() => Ok("another gateway takes over"),
        () = tasks.watch() => Ok("never"),
    };
    notify::tell("STOPPING=1");
    // Ours are closed by the data threads; with these the system would go on queueing.
    handing.sockets.borrow_mut().clear();
    if let (Events::All, Ok(reason)) = (start.events, &reason) {
        start.log.event(Level::Info, "draining", &[("reason", reason)]);
    }
    start.lifecycle.enter(Phase::Draining);
    let is_drained = drain(gateway).await;
    // Nothing is charged any more: what is saved now is the last word.
    admin.close().await;
    tasks.end().await;
    let saved = keeper.save_at_the_end().await;
    if let Some(membership) = membership {
        membership.leave().await;
    }
    drop(names);
    saved?;
    reason.map(|_| is_drained)
}

/// What answers on the admin socket.
struct Admin {
    close: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Admin {
    fn serve(socket: AdminSocket, control: Rc<Control>) -> Self {
        let (close, on_close) = oneshot::channel();
        let closed = async {
            let _ = on_close.await;
        };
        Self { close, task: tokio::task::spawn_local(serve_admin(socket, control, closed)) }
    }

    /// Answers those who have asked, and nobody else.
    async fn close(self) {
        let _ = self.close.send(());
        let _ = self.task.await;
    }
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
