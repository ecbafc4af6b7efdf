//! What all data threads share. Read by all, written by the control plane; no lock on the path.

use crate::{
    clock::{Clock, wall_millis},
    cluster::Cluster,
    config::{Config, endpoint_ids::EndpointIds, maintenance::Window, routes::BadTemplate},
    keyring::{DigestOf, ExposedKeys, Keyring},
    record::{
        LogSink,
        incidents::Incidents,
        usage::{self, Entry},
    },
    settings::Settings,
    state::{buffered::BufferedBytes, checks::Checks, load::Loads},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use crossbeam_queue::ArrayQueue;
use limits::{AddressGuard, Addresses, Limits};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};
use transport::{
    descriptors,
    peers::Peers,
    tls::{Challenges, Server},
};

/// What all data threads share.
pub(crate) struct Shared {
    /// What requests are judged by that begin now. Replaced as a whole.
    pub(crate) config: ArcSwap<Config>,
    /// The number of that configuration: what data threads look at before each request.
    number: AtomicU64,
    /// Configurations that were replaced, until no request is judged by them any more: so that none of them
    /// is taken apart on a data thread, which would take long for one of a large document.
    replaced: Mutex<Vec<Arc<Config>>>,
    pub(crate) endpoint_ids: EndpointIds,
    /// Bodies that are held to be checked.
    pub(crate) buffered: BufferedBytes,
    /// Where checks are run that take long.
    pub(crate) checks: Checks,
    /// What each data thread has to do.
    pub(crate) loads: Loads,
    /// Connections by address. Empty: no configuration has had a bound on them.
    pub(crate) peers: OnceLock<Peers>,
    /// Connections for which the system gives descriptors.
    pub(crate) room: usize,
    began: Instant,
    pub(crate) clock: Clock,
    pub(crate) keyring: Keyring,
    pub(crate) maintenance: ArcSwap<Vec<Window>>,
    /// Some of its windows are for some endpoints only. Apart, because each request looks.
    pub(crate) has_partial_maintenance: AtomicBool,
    pub(crate) address_errors: AddressGuard,
    /// Keys that came without TLS where it is required.
    pub(crate) exposed_keys: ExposedKeys,
    /// Accounts of addresses, for public endpoints. Empty: no configuration has had limits for them.
    pub(crate) addresses: OnceLock<Addresses>,
    /// What this process holds of limits that several nodes share. Empty: it is alone.
    pub(crate) cluster: OnceLock<Arc<Cluster>>,
    /// Charges cannot be written down, and requests are not to go on without that.
    pub(crate) is_stopped: AtomicBool,
    /// Another gateway has the sockets, and accepts whoever is not accepted yet.
    pub(crate) is_handed_over: AtomicBool,
    pub(crate) incidents: Incidents,
    /// Tallies of usage that data threads handed over.
    pub(crate) usage: ArrayQueue<Vec<Entry>>,
    /// Requests that stand in no tally, because the control plane did not keep up.
    pub(crate) lost_usage: AtomicU64,
    pub(crate) log: LogSink,
    /// Where it listens: without TLS, if it does so at all.
    pub(crate) address: SocketAddr,
    /// Where it listens for TLS.
    pub(crate) tls_address: Option<SocketAddr>,
    /// What is offered to clients by TLS from now on. None: nothing yet.
    pub(crate) tls: ArcSwapOption<Server>,
    /// What a certificate authority is answered.
    pub(crate) challenges: Challenges,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        address: SocketAddr,
        tls_address: Option<SocketAddr>,
        digest_of: Box<DigestOf>,
        log: LogSink,
    ) -> Result<Self, BadTemplate> {
        let (endpoint_ids, loads) = (EndpointIds::default(), Loads::new(settings.listen.threads));
        let shared = Self {
            clock: Clock::new(),
            keyring: Keyring::new(&settings.plans, digest_of),
            maintenance: ArcSwap::default(),
            has_partial_maintenance: AtomicBool::new(false),
            address_errors: AddressGuard::default(),
            exposed_keys: ExposedKeys::default(),
            addresses: OnceLock::new(),
            cluster: OnceLock::new(),
            is_stopped: AtomicBool::new(false),
            is_handed_over: AtomicBool::new(false),
            incidents: Incidents::new(),
            usage: ArrayQueue::new(usage::MAX_WAITING),
            lost_usage: AtomicU64::new(0),
            config: ArcSwap::from_pointee(Config::new(settings, address, &endpoint_ids, None)?),
            number: AtomicU64::new(0),
            replaced: Mutex::default(),
            endpoint_ids,
            buffered: BufferedBytes::default(),
            checks: Checks::default(),
            loads,
            peers: OnceLock::new(),
            room: descriptors::most_connections(),
            began: Instant::now(),
            log,
            address,
            tls_address,
            tls: ArcSwapOption::empty(),
            challenges: Challenges::default(),
        };
        shared.limit_addresses(&shared.config.load().settings);
        Ok(shared)
    }

    /// Milliseconds since the gateway began.
    pub(crate) fn age_millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The number of the present configuration. Whoever sees it sees that configuration, too.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Has requests that begin from now on judged by this configuration.
    pub(crate) fn replace(&self, mut config: Config) {
        let number = self.number() + 1;
        config.number = number;
        self.limit_addresses(&config.settings);
        self.log.set_format(config.settings.log.format);
        let before = self.config.swap(Arc::new(config));
        self.number.store(number, Ordering::Release);
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).push(before);
    }

    /// Takes configurations out that no data thread holds any more.
    pub(crate) fn take_unused(&self) -> Vec<Arc<Config>> {
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let (unused, used) = replaced.drain(..).partition(|config| Arc::strong_count(config) == 1);
        *replaced = used;
        unused
    }

    /// Accounts stay when there are no limits any more: they may come back.
    fn limit_addresses(&self, settings: &Settings) {
        if settings.address_limits.is_empty() {
            return;
        }
        // The configuration allows no more limits than fit.
        let Ok(limits) = Limits::new(settings.address_limits.clone()) else { return };
        match self.addresses.get() {
            Some(addresses) => addresses.set_limits(limits.since(wall_millis())),
            None => {
                let _ = self.addresses.set(Addresses::new(Arc::new(limits)));
            }
        }
    }
}
