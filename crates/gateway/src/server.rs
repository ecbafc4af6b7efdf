//! Listening: one runtime a data thread, each with its own socket on the same address, and the drain.

use crate::{
    buffer,
    clock::Clock,
    config::Config,
    descriptors,
    door::{Door, enter, turn_away},
    doorkeeper::{self, Verdict},
    keyring::{DigestOf, Keyring},
    load::ThreadLoad,
    maintenance::{Pattern, Window},
    presence::Presence,
    record::{Incident, Level, LogSink, Value},
    routes::BadTemplate,
    settings::{Plain, Settings},
    shared::Shared,
    sockets::{self, Handed},
    thread::Thread,
    tls::{Challenges, Server},
    turn,
    upstream::{self, UpstreamView},
    usage::{Entry, Place},
};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::LocalSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// Connections that wait to be accepted, for each thread.
const BACKLOG: i32 = 4096;
/// How often a thread hands its log lines over.
const LOG_TICK: Duration = Duration::from_millis(50);
/// How often a thread looks for idle upstream connections that were closed.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a connection is idle before it is ended by a drain.
const LAST_WAIT: Duration = Duration::from_millis(300);
/// How often a thread hands over what it tallied.
const USAGE: Duration = Duration::from_secs(1);

/// A gateway that listens.
pub struct Gateway {
    shared: Arc<Shared>,
    drain: watch::Sender<bool>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// Needed until no data thread is left.
    checks: Vec<std::thread::JoinHandle<()>>,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}{advice}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        error: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A path template cannot be routed.
    #[error(transparent)]
    Template(#[from] BadTemplate),
    /// A thread or its runtime cannot be started.
    #[error("cannot start a data thread: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// Whether another program listens there.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Listen { error, .. } => error.kind() == io::ErrorKind::AddrInUse,
            Self::Template(_) | Self::Thread(_) => false,
        }
    }
}

impl Gateway {
    /// Looks whether [`Gateway::start`] could listen there now.
    ///
    /// # Errors
    /// It could not.
    pub fn can_listen(address: SocketAddr) -> Result<(), StartError> {
        listen(address, false).map(drop)
    }

    /// Begins to listen. Keys and maintenance are added through the gateway afterwards, before
    /// [`Gateway::open`] lets requests in.
    ///
    /// # Errors
    /// The address is taken, or a template cannot be routed.
    pub fn start(
        settings: Settings,
        handed: &mut Handed,
        digest_of: Box<DigestOf>,
        log: LogSink,
    ) -> Result<NotOpen, StartError> {
        descriptors::raise();
        let threads = settings.listen.threads;
        let mut listeners: Vec<Listeners> = std::iter::repeat_with(Listeners::new).take(threads).collect();
        let plain = settings.tls.as_ref().map_or(Plain::Serve, |tls| tls.plain);
        let plain = match plain {
            Plain::Serve | Plain::Redirect => {
                Some(open(settings.listen.address, Door::Plain, &mut listeners, handed)?)
            }
            Plain::Off => None,
        };
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| open(tls.address, Door::Tls, &mut listeners, handed)).transpose()?;
        let address = plain.or(tls).unwrap_or(settings.listen.address);
        let shared = Arc::new(Shared::new(settings, address, tls, digest_of, log)?);
        Ok(NotOpen { shared, listeners })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The address that it listens on for TLS.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.shared.tls_address
    }

    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// Accepts no more connections, lets running answers finish, and ends. Blocks until then, at
    /// most for `timeouts.drain`. True: every answer was finished.
    pub fn drain(self) -> bool {
        let _ = self.drain.send(true);
        let ended: Vec<_> = self.threads.into_iter().map(std::thread::JoinHandle::join).collect();
        self.shared.checks.end();
        let has_checked =
            self.checks.into_iter().map(std::thread::JoinHandle::join).all(|ended| ended.is_ok());
        ended.iter().all(Result::is_ok) && has_checked
    }
}

/// A gateway that listens, but accepts nobody yet.
pub struct NotOpen {
    shared: Arc<Shared>,
    listeners: Vec<Listeners>,
}

/// The sockets of one thread, and what is spoken there.
type Listeners = Vec<(Door, TcpListener)>;

impl NotOpen {
    /// What the control plane needs.
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.shared) }
    }

    /// The sockets once more, to be handed over to the gateway that takes the place of this one.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn sockets(&self) -> io::Result<Vec<TcpListener>> {
        self.listeners.iter().flatten().map(|(_, socket)| socket.try_clone()).collect()
    }

    /// Data threads that there will be: each takes a writer of the journal.
    pub fn threads(&self) -> usize {
        self.listeners.len()
    }

    /// Lets requests in. `journal`: a writer for each thread; a thread without one holds charges in memory only.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn open(self, journal: Vec<journal::Writer>) -> Result<Gateway, StartError> {
        let (drain, draining) = watch::channel(false);
        let mut threads = Vec::new();
        let mut journal = journal.into_iter();
        let (shared, stop) = (Arc::clone(&self.shared), draining.clone());
        let upstreams = std::thread::Builder::new().name("upstreams".into());
        threads.push(upstreams.spawn(move || upstream::keep(&shared, stop)).map_err(StartError::Thread)?);
        let checks = self.shared.checks.start(self.listeners.len(), &self.shared.log);
        let checks = checks.map_err(StartError::Thread)?;
        for (number, listeners) in self.listeners.into_iter().enumerate() {
            let (shared, draining) = (Arc::clone(&self.shared), draining.clone());
            let thread = std::thread::Builder::new().name(format!("data-{number}")).spawn({
                let journal = journal.next();
                move || run(shared, number, journal, listeners, draining)
            });
            threads.push(thread.map_err(StartError::Thread)?);
        }
        Ok(Gateway { shared: self.shared, drain, threads, checks })
    }
}

/// Settings that are ready to be used.
pub struct Compiled(Config);

/// Configurations that nobody needs any more, to be dropped.
pub struct Unused(#[allow(dead_code, reason = "only dropped")] Vec<Arc<Config>>);

/// What the control plane needs of a gateway.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The clock that all windows follow.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// The log.
    pub fn log(&self) -> &LogSink {
        &self.shared.log
    }

    /// Another gateway has the sockets: who is not accepted yet is its.
    pub fn hand_over(&self) {
        self.shared.is_handed_over.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// What each data thread has to do.
    pub fn loads(&self) -> Vec<ThreadLoad> {
        self.shared.loads.all(self.shared.age_millis())
    }

    /// Whether requests that would have to be charged are refused, see [`Handle::set_stopped`].
    pub fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Replaces the windows of maintenance, at once.
    pub fn set_maintenance(&self, windows: Vec<Window>) {
        let is_partial = windows.iter().any(|window| !window.endpoints.is_empty());
        self.shared.maintenance.store(Arc::new(windows));
        self.shared.has_partial_maintenance.store(is_partial, Ordering::Relaxed);
    }

    /// Whether maintenance of these endpoints would be of any.
    pub fn has_endpoints(&self, pattern: &Pattern) -> bool {
        self.shared.config.load().routes.has_any_of(pattern)
    }

    /// Replaces what clients are offered by TLS. Connections that are open keep what they had.
    pub fn offer(&self, offer: Server) {
        self.shared.tls.store(Some(Arc::new(offer)));
    }

    /// Where answers for a certificate authority are laid down.
    pub fn challenges(&self) -> &Challenges {
        &self.shared.challenges
    }

    /// Compiles settings, so that [`Handle::replace`] has nothing left that could fail. May take seconds for
    /// a large document.
    ///
    /// # Errors
    /// A template cannot be routed.
    pub fn compile(&self, settings: Settings) -> Result<Compiled, BadTemplate> {
        let before = self.shared.config.load();
        Ok(Compiled(Config::new(settings, self.shared.address, &self.shared.places, Some(&before))?))
    }

    /// Has requests that begin from now on judged by these settings; those that run end by theirs. The
    /// plans are the keyring's.
    pub fn replace(&self, compiled: Compiled) {
        self.shared.replace(compiled.0);
    }

    /// Configurations that no request is judged by any more. Dropping them may take seconds. None: there
    /// are none.
    pub fn take_unused(&self) -> Option<Unused> {
        let unused = self.shared.take_unused();
        (!unused.is_empty()).then_some(Unused(unused))
    }

    /// Lets no request through that would have to be charged, or does so again: while charges cannot be
    /// written down, where the configuration wants that.
    pub fn set_stopped(&self, is_stopped: bool) {
        self.shared.is_stopped.store(is_stopped, std::sync::atomic::Ordering::Relaxed);
    }

    /// Puts back what an account had used that belongs to no key: an address's; as it stands at `now` (Unix
    /// milliseconds). Before requests are let in.
    pub fn restore_address(&self, who: limits::Who, used: &[limits::Used], now: u64) {
        // Addresses that have no limits at present may get some again, which then have to find what was used.
        let without = || limits::Addresses::new(Arc::new(limits::Limits::none()));
        self.shared.addresses.get_or_init(without).restore(who, used, now);
    }

    /// What an account had used, without windows that begin after `now` (Unix milliseconds).
    pub fn begun(&self, who: &limits::Who, used: &[limits::Used], now: u64) -> Vec<limits::Used> {
        let of_key = || self.shared.keyring.begun(who, used, now);
        let of_address = || self.shared.addresses.get().map(|addresses| addresses.begun(used, now));
        let of_nobody = || limits::Limits::none().begun(used, now);
        of_key().or_else(of_address).unwrap_or_else(of_nobody)
    }

    /// The incidents that were not taken for storing yet.
    pub fn take_incidents(&self) -> Vec<Incident> {
        let lost = self.shared.incidents.take_lost();
        if lost > 0 {
            let members =
                [("count", Value::Number(lost)), ("reason", Value::Text("the store did not keep up"))];
            self.shared.log.event_of(Level::Error, "incidents were lost", &members);
        }
        self.shared.incidents.take()
    }

    /// The tallies of usage that were not taken yet. Requests of the last second may still be missing.
    pub fn take_usage(&self) -> impl Iterator<Item = Entry> {
        std::iter::from_fn(|| self.shared.usage.pop()).take(self.shared.usage.capacity()).flatten()
    }

    /// Requests that stand in no tally, because too many waited. Each is told once.
    pub fn take_lost_usage(&self) -> u64 {
        self.shared.lost_usage.swap(0, std::sync::atomic::Ordering::Relaxed)
    }

    /// The addresses of all services, and how they are.
    pub fn upstreams(&self) -> Vec<UpstreamView> {
        upstream::view(&self.shared.config.load().services)
    }

    /// What usage is told under: method and path template of an endpoint. None: no endpoint.
    pub fn place_name(&self, place: Place) -> Option<String> {
        match place {
            Place::None => None,
            Place::AnyPath => Some(Place::ANY_PATH.to_owned()),
            Place::Endpoint(number) => self.shared.places.name(number),
        }
    }
}

/// Listens at an address with each thread, and tells which it is.
fn open(
    address: SocketAddr,
    door: Door,
    threads: &mut [Listeners],
    handed: &mut Handed,
) -> Result<SocketAddr, StartError> {
    let (address, sockets) = sockets::open(address, threads.len(), handed)?;
    for (thread, sockets) in threads.iter_mut().zip(sockets) {
        thread.extend(sockets.into_iter().map(|socket| (door, socket)));
    }
    Ok(address)
}

pub(crate) fn listen(address: SocketAddr, is_shared: bool) -> Result<TcpListener, StartError> {
    use socket2::{Domain, Socket, Type};
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if is_shared {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|error: io::Error| StartError::Listen { address, advice: advice(error.kind()), error })
}

fn advice(kind: io::ErrorKind) -> &'static str {
    if kind == io::ErrorKind::AddrInUse {
        "; another program listens there: stop it, or choose another [listen] address"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; ports below 1024 need the right to use them: choose a higher one, or grant CAP_NET_BIND_SERVICE"
    } else if kind == io::ErrorKind::AddrNotAvailable {
        "; no network interface of this machine has that address"
    } else {
        ""
    }
}

/// One data thread, to its end.
fn run(
    shared: Arc<Shared>,
    number: usize,
    journal: Option<journal::Writer>,
    listeners: Listeners,
    draining: watch::Receiver<bool>,
) {
    let log = shared.log.clone();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().event_interval(61).on_thread_unpark(turn::begin).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log.event(Level::Error, "a data thread has no runtime", &[("error", &error.to_string())]);
            return;
        }
    };
    let thread = Rc::new(Thread::new(shared, number, journal));
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::task::spawn_local(keep_house(Rc::clone(&thread)));
        let accepting: Vec<_> = listeners
            .into_iter()
            .map(|(door, listener)| {
                let (thread, draining, log) = (Rc::clone(&thread), draining.clone(), log.clone());
                tokio::task::spawn_local(async move {
                    if let Err(error) = accept(&thread, listener, door, draining).await {
                        let error = error.to_string();
                        log.event(Level::Error, "a data thread cannot listen", &[("error", &error)]);
                    }
                })
            })
            .collect();
        for ended in accepting {
            let _ = ended.await; // a panic is told on standard error
        }
        finish(&thread).await;
    });
    thread.flush_log();
    thread.hand_usage_over();
}

/// Accepts connections until the drain begins.
async fn accept(
    thread: &Rc<Thread>,
    listener: TcpListener,
    door: Door,
    mut draining: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = draining.wait_for(|draining| *draining) => {
                // Closing the socket would cut off those who are through the handshake and were not
                // accepted yet.
                while !thread.shared.is_handed_over.load(Ordering::Relaxed)
                    && let Ok((stream, peer)) = accept_now(&listener)
                {
                    admit(thread, stream, peer, door);
                }
                return Ok(());
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                admit(thread, stream, peer, door);
            }
            // Out of descriptors, most likely. Turning at full speed would help nobody.
            Err(error) => {
                thread.shared.log.event(
                    Level::Error,
                    "a connection cannot be accepted",
                    &[("error", &error.to_string())],
                );
                let _ = doorkeeper::make_room(thread);
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn accept_now(listener: &tokio::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let mut cx = Context::from_waker(Waker::noop());
    match listener.poll_accept(&mut cx) {
        Poll::Ready(accepted) => accepted,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

fn admit(thread: &Rc<Thread>, socket: TcpStream, peer: SocketAddr, door: Door) {
    let peer = peer.ip().to_canonical();
    // Delayed small writes would cost every answer; without the option all still works.
    let _ = socket.set_nodelay(true);
    match doorkeeper::decide(thread, &thread.config(), peer) {
        Verdict::Enter(counted) => spawn(thread, socket, peer, door, counted),
        Verdict::Tell => {
            let own = Rc::clone(thread);
            tokio::task::spawn_local(async move {
                turn_away(&own, socket, peer, door).await;
                doorkeeper::was_told(&own);
            });
        }
        Verdict::Close => {}
    }
}

fn spawn(thread: &Rc<Thread>, socket: TcpStream, peer: IpAddr, door: Door, counted: Option<IpAddr>) {
    let number = thread.next_connection();
    let presence = Rc::new(Presence::new());
    thread.connections.borrow_mut().insert(number, Rc::clone(&presence));
    let own = Rc::clone(thread);
    tokio::task::spawn_local(async move {
        let _open = own.load().connection();
        enter(&own, socket, peer, door, &presence).await;
        own.connections.borrow_mut().remove(&number);
        doorkeeper::leave(&own.shared, counted);
    });
}

/// What has to be done now and then.
async fn keep_house(thread: Rc<Thread>) {
    let mut tick = interval(LOG_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept = Instant::now();
    let mut handed_over = swept;
    let mut lag_before = Duration::ZERO;
    loop {
        let now = tick.tick().await;
        // The smaller of two: a single long task is no overload.
        let lag = now.elapsed();
        let millis = u64::try_from(lag.min(lag_before).as_millis()).unwrap_or(u64::MAX);
        thread.load().tick(millis, thread.shared.age_millis());
        lag_before = lag;
        thread.flush_log();
        // A thread without requests lets go of a configuration that was replaced, too.
        drop(thread.config());
        if now.saturating_duration_since(swept) >= SWEEP {
            swept = now;
            thread.pool.sweep(&thread.config().services);
            buffer::trim();
        }
        if now.saturating_duration_since(handed_over) >= USAGE {
            handed_over = now;
            thread.hand_usage_over();
            thread.log_handshakes();
        }
    }
}

/// Ends idle connections, and waits for the others.
async fn finish(thread: &Rc<Thread>) {
    thread.is_draining.set(true);
    thread.links.wake();
    let end = Instant::now() + thread.config().settings.timeouts.drain;
    thread.drain_end.set(Some(end));
    thread.drain_begun.notify_waiters();
    loop {
        // Who has just been answered may be sending the next request already, which gets its answer, and with
        // it the word that it was the last.
        let now = Instant::now();
        for presence in thread.connections.borrow().values() {
            if presence.idle(now).is_some_and(|idle| idle >= LAST_WAIT) {
                presence.dismiss();
            }
        }
        let running = thread.connections.borrow().len();
        if running == 0 {
            return;
        }
        if Instant::now() >= end {
            // What is cut off here is given back when its state is dropped: free, like every error.
            thread.shared.log.event_of(
                Level::Warn,
                "answers were cut off at the end of the drain",
                &[("count", Value::Number(running as u64))],
            );
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}
