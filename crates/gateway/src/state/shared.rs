//! State shared by all data threads. Read by all, written by the control plane; no locks on the request path.

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

/// State shared by all data threads.
pub(crate) struct Shared {
    /// The configuration for requests that begin now. Replaced as a whole.
    pub(crate) config: ArcSwap<Config>,
    /// The number of that configuration, which data threads compare before each request.
    number: AtomicU64,
    /// Replaced configurations, until no request uses them: so that none is dropped on a data
    /// thread, which would take long for a large document.
    replaced: Mutex<Vec<Arc<Config>>>,
    pub(crate) endpoint_ids: EndpointIds,
    /// Buffered bodies that are to be validated.
    pub(crate) buffered: BufferedBytes,
    /// Runs checks that take long.
    pub(crate) checks: Checks,
    /// The load of each data thread.
    pub(crate) loads: Loads,
    /// Connections by address. Empty: no configuration has limited them.
    pub(crate) peers: OnceLock<Peers>,
    /// Maximum number of connections by the file descriptor limit.
    pub(crate) room: usize,
    began: Instant,
    pub(crate) clock: Clock,
    pub(crate) keyring: Keyring,
    pub(crate) maintenance: ArcSwap<Vec<Window>>,
    /// Some maintenance windows apply to some endpoints only. A separate flag, because each request
    /// checks it.
    pub(crate) has_partial_maintenance: AtomicBool,
    pub(crate) address_errors: AddressGuard,
    /// Keys that were sent without TLS where it is required.
    pub(crate) exposed_keys: ExposedKeys,
    /// Accounts of addresses, for public endpoints. Empty: no configuration has had limits for them.
    pub(crate) addresses: OnceLock<Addresses>,
    /// This process's leases. Empty: it does not share limits.
    pub(crate) cluster: OnceLock<Arc<Cluster>>,
    /// Charges cannot be recorded, and requests must not continue without that.
    pub(crate) is_stopped: AtomicBool,
    /// Another gateway has the sockets and accepts pending connections.
    pub(crate) is_handed_over: AtomicBool,
    pub(crate) incidents: Incidents,
    /// Usage tallies handed over by data threads.
    pub(crate) usage: ArrayQueue<Vec<Entry>>,
    /// Requests without a tally, because the control plane did not keep up.
    pub(crate) lost_usage: AtomicU64,
    pub(crate) log: LogSink,
    /// The address without TLS, if it listens there.
    pub(crate) address: SocketAddr,
    /// The address with TLS.
    pub(crate) tls_address: Option<SocketAddr>,
    /// The TLS configuration for new connections. None: not set yet.
    pub(crate) tls: ArcSwapOption<Server>,
    /// The responses to ACME challenges.
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
            room: descriptors::max_connections(),
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

    /// Milliseconds since the gateway started.
    pub(crate) fn age_millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The number of the current configuration. A thread that reads it also sees that configuration.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Applies this configuration to requests that begin from now on.
    pub(crate) fn replace(&self, mut config: Config) {
        let number = self.number() + 1;
        config.number = number;
        self.limit_addresses(&config.settings);
        self.log.set_format(config.settings.log.format);
        let before = self.config.swap(Arc::new(config));
        self.number.store(number, Ordering::Release);
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).push(before);
    }

    /// Removes configurations that no data thread holds any more.
    pub(crate) fn take_unused(&self) -> Vec<Arc<Config>> {
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let (unused, used) = replaced.drain(..).partition(|config| Arc::strong_count(config) == 1);
        *replaced = used;
        unused
    }

    /// Accounts are kept when there are no limits any more: limits may return.
    fn limit_addresses(&self, settings: &Settings) {
        if settings.address_limits.is_empty() {
            return;
        }
        // The configuration does not allow more limits than fit.
        let Ok(limits) = Limits::new(settings.address_limits.clone()) else { return };
        match self.addresses.get() {
            Some(addresses) => addresses.set_limits(limits.since(wall_millis())),
            None => {
                let _ = self.addresses.set(Addresses::new(Arc::new(limits)));
            }
        }
    }
}
