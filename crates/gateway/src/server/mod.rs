//! Listening: one runtime for each data thread, each with its own socket on the same address, and the drain.

mod handle;
mod run;
mod start_error;
mod upstreams;

pub use self::{
    handle::{Compiled, Handle, Unused},
    start_error::StartError,
};
use crate::{
    connection::accept::Protocol,
    keyring::{DigestOf, Keyring},
    record::LogSink,
    settings::{Plain, Settings},
    state::shared::Shared,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};
use tokio::sync::watch;
use transport::{
    descriptors,
    listen::{self, Handed, listen},
};

/// A listening gateway.
pub struct Gateway {
    shared: Arc<Shared>,
    drain: watch::Sender<bool>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// Needed until no data thread is left.
    checks: Vec<std::thread::JoinHandle<()>>,
}

impl Gateway {
    /// Checks whether [`Gateway::start`] could listen there now.
    ///
    /// # Errors
    /// It could not.
    pub fn can_listen(address: SocketAddr) -> Result<(), StartError> {
        Ok(listen(address, false).map(drop)?)
    }

    /// Starts listening. Keys and maintenance are added through the gateway afterwards, before
    /// [`Gateway::open`] admits requests.
    ///
    /// # Errors
    /// The address is in use, or a template cannot be routed.
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
                Some(open(settings.listen.address, Protocol::Plain, &mut listeners, handed)?)
            }
            Plain::Off => None,
        };
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| open(tls.address, Protocol::Tls, &mut listeners, handed)).transpose()?;
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

    /// Stops accepting connections, lets running responses complete, and ends. Blocks until then,
    /// at most for `timeouts.drain`. True: every response completed.
    pub fn drain(self) -> bool {
        let _ = self.drain.send(true);
        let ended: Vec<_> = self.threads.into_iter().map(std::thread::JoinHandle::join).collect();
        self.shared.checks.end();
        let has_checked =
            self.checks.into_iter().map(std::thread::JoinHandle::join).all(|ended| ended.is_ok());
        ended.iter().all(Result::is_ok) && has_checked
    }
}

/// A gateway that listens, but does not accept connections yet.
pub struct NotOpen {
    shared: Arc<Shared>,
    listeners: Vec<Listeners>,
}

/// The sockets of one thread, and their protocols.
type Listeners = Vec<(Protocol, TcpListener)>;

impl NotOpen {
    /// What the control plane needs.
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.shared) }
    }

    /// Duplicates of the sockets, to be handed over to the gateway that replaces this one.
    ///
    /// # Errors
    /// No file descriptors are left.
    pub fn sockets(&self) -> io::Result<Vec<TcpListener>> {
        self.listeners.iter().flatten().map(|(_, socket)| socket.try_clone()).collect()
    }

    /// The number of data threads: each takes a writer of the journal.
    pub fn threads(&self) -> usize {
        self.listeners.len()
    }

    /// Admits requests. `journal`: a writer for each thread; a thread without one keeps charges in
    /// memory only.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn open(self, journal: Vec<journal::Writer>) -> Result<Gateway, StartError> {
        let (drain, draining) = watch::channel(false);
        let mut threads = Vec::new();
        let mut journal = journal.into_iter();
        let (shared, stop) = (Arc::clone(&self.shared), draining.clone());
        let upstreams = std::thread::Builder::new().name("upstreams".into());
        threads.push(upstreams.spawn(move || upstreams::run(&shared, stop)).map_err(StartError::Thread)?);
        let checks = self.shared.checks.start(self.listeners.len(), &self.shared.log);
        let checks = checks.map_err(StartError::Thread)?;
        for (number, listeners) in self.listeners.into_iter().enumerate() {
            let (shared, draining) = (Arc::clone(&self.shared), draining.clone());
            let thread = std::thread::Builder::new().name(format!("data-{number}")).spawn({
                let journal = journal.next();
                move || run::run(shared, number, journal, listeners, draining)
            });
            threads.push(thread.map_err(StartError::Thread)?);
        }
        Ok(Gateway { shared: self.shared, drain, threads, checks })
    }
}

/// Listens on an address with each thread. Returns the address, for port 0.
fn open(
    address: SocketAddr,
    protocol: Protocol,
    threads: &mut [Listeners],
    handed: &mut Handed,
) -> Result<SocketAddr, StartError> {
    let (address, sockets) = listen::open(address, threads.len(), handed)?;
    for (thread, sockets) in threads.iter_mut().zip(sockets) {
        thread.extend(sockets.into_iter().map(|socket| (protocol, socket)));
    }
    Ok(address)
}
