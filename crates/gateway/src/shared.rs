//! What all data threads share. Read by all, written by the control plane; no lock on the path.

use crate::{
    clock::Clock,
    config::Config,
    keyring::{DigestOf, Keyring},
    maintenance::Window,
    record::{Incident, LogSink},
    routes::BadTemplate,
    settings::Settings,
    tls::{Challenges, Server},
    usage::{self, Entry},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use crossbeam_queue::ArrayQueue;
use limits::{AddressGuard, Addresses, Limits};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Incidents that wait to be stored. One past that is counted as lost, and told in the log.
const MOST_INCIDENTS: usize = 10_000;

/// What all data threads share.
pub(crate) struct Shared {
    /// What requests are judged by that begin now. Replaced as a whole.
    pub(crate) config: ArcSwap<Config>,
    pub(crate) clock: Clock,
    pub(crate) keyring: Keyring,
    pub(crate) maintenance: ArcSwap<Vec<Window>>,
    pub(crate) address_errors: AddressGuard,
    /// Accounts of addresses, for public endpoints. None: those have no limits.
    pub(crate) addresses: Option<Addresses>,
    /// Charges cannot be written down, and requests are not to go on without that.
    pub(crate) is_stopped: AtomicBool,
    pub(crate) incidents: ArrayQueue<Incident>,
    pub(crate) lost_incidents: AtomicU64,
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
        Ok(Self {
            clock: Clock::new(),
            keyring: Keyring::new(&settings.plans, &settings.keys, digest_of),
            maintenance: ArcSwap::default(),
            address_errors: AddressGuard::default(),
            addresses: addresses(&settings),
            is_stopped: AtomicBool::new(false),
            incidents: ArrayQueue::new(MOST_INCIDENTS),
            lost_incidents: AtomicU64::new(0),
            usage: ArrayQueue::new(usage::MOST_WAITING),
            lost_usage: AtomicU64::new(0),
            config: ArcSwap::from_pointee(Config::new(settings, address)?),
            log,
            address,
            tls_address,
            tls: ArcSwapOption::empty(),
            challenges: Challenges::default(),
        })
    }

    /// Keeps an incident until it is stored. The data path never waits for the disk: if the store
    /// cannot keep up with thousands of 500s, the newest are counted in place of being kept.
    pub(crate) fn keep_incident(&self, incident: Incident) {
        if self.incidents.push(incident).is_err() {
            self.lost_incidents.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn addresses(settings: &Settings) -> Option<Addresses> {
    // The configuration allows no more limits than fit.
    let limits = Limits::new(settings.address_limits.clone()).ok()?;
    (!settings.address_limits.is_empty()).then(|| Addresses::new(Arc::new(limits)))
}
