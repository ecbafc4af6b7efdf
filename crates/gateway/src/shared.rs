//! What all data threads share. Read by all, written by the control plane; no lock on the path.

use crate::{
    clock::Clock,
    keyring::{DigestOf, Keyring},
    maintenance::Window,
    pages,
    record::{Incident, LogSink},
    routes::{BadTemplate, Routes},
    settings::{ServedDocument, Settings},
    usage::{self, Entry},
};
use arc_swap::ArcSwap;
use crossbeam_queue::ArrayQueue;
use limits::{AddressGuard, Addresses, Limits};
use reference::Site;
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
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) routes: Routes,
    pub(crate) keyring: Keyring,
    /// The configured key headers as they are written, without `Authorization`, which is always looked at.
    pub(crate) key_headers: Vec<String>,
    /// The same in lower case, for the head parser.
    pub(crate) key_header_names: Vec<String>,
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
    pub(crate) limits_path: String,
    pub(crate) docs_path: String,
    /// What is told about the API. Made anew when the plans are.
    pub(crate) told: ArcSwap<Told>,
    /// What upstream redirects to itself begin with: `http://HOST:PORT`.
    pub(crate) upstream_origin: String,
    /// The Host that the upstream sees, if not the client's.
    pub(crate) upstream_host: Option<String>,
    pub(crate) address: SocketAddr,
}

/// What clients can read about the API.
pub(crate) struct Told {
    /// The reference.
    pub(crate) site: Site,
    /// The API's document, with the contract in it.
    pub(crate) document: Option<Arc<ServedDocument>>,
}

impl Told {
    pub(crate) fn of(settings: &Settings, address: SocketAddr) -> Self {
        let site = Site::new(pages::reference_of(settings, address));
        Self { site, document: settings.document.clone() }
    }
}

impl Shared {
    pub(crate) fn new(
        mut settings: Settings,
        address: SocketAddr,
        digest_of: Box<DigestOf>,
        log: LogSink,
    ) -> Result<Self, BadTemplate> {
        let told = Told::of(&settings, address);
        let routes = Routes::new(std::mem::take(&mut settings.endpoints), &settings.moved)?;
        settings.keys.headers.retain(|name| name != "authorization"); // always looked at
        let upstream = &settings.upstream;
        let host =
            if upstream.host.contains(':') { format!("[{}]", upstream.host) } else { upstream.host.clone() };
        let authority = if upstream.port == 80 { host } else { format!("{host}:{}", upstream.port) };
        let upstream_host = match upstream.host_header {
            crate::settings::HostHeader::Client => None,
            crate::settings::HostHeader::Upstream => Some(authority.clone()),
        };
        Ok(Self {
            clock: Clock::new(),
            keyring: Keyring::new(&settings.plans, &settings.keys, digest_of),
            key_headers: settings.keys.headers_as_written(),
            key_header_names: settings.keys.headers.clone(),
            told: ArcSwap::from_pointee(told),
            maintenance: ArcSwap::default(),
            address_errors: AddressGuard::default(),
            addresses: addresses(&settings),
            is_stopped: AtomicBool::new(false),
            incidents: ArrayQueue::new(MOST_INCIDENTS),
            lost_incidents: AtomicU64::new(0),
            usage: ArrayQueue::new(usage::MOST_WAITING),
            lost_usage: AtomicU64::new(0),
            limits_path: settings.api.limits_path(),
            docs_path: settings.api.docs_path(),
            upstream_origin: format!("http://{authority}"),
            upstream_host,
            routes,
            settings,
            log,
            address,
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
