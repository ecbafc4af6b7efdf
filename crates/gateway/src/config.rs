//! One configuration, ready for requests. A request is judged by one from its beginning to its end, whatever is
//! loaded meanwhile.

use crate::{
    pages,
    routes::{BadTemplate, Routes},
    settings::{HostHeader, ServedDocument, Settings},
};
use arc_swap::ArcSwap;
use reference::Site;
use std::{net::SocketAddr, ops::Deref, rc::Rc, sync::Arc};

/// One configuration.
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) routes: Routes,
    /// The configured key headers as they are written, without `Authorization`, which is always looked at.
    pub(crate) key_headers: Vec<String>,
    /// The same in lower case, for the head parser.
    pub(crate) key_header_names: Vec<String>,
    pub(crate) limits_path: String,
    pub(crate) docs_path: String,
    /// What is told about the API. Made anew when the plans are.
    pub(crate) told: ArcSwap<Told>,
    /// What upstream redirects to itself begin with: `http://HOST:PORT`.
    pub(crate) upstream_origin: String,
    /// The Host that the upstream sees, if not the client's.
    pub(crate) upstream_host: Option<String>,
}

/// A data thread's own hold on a configuration. The thread counts who uses it by itself, so that a request touches no
/// counter that other threads touch too.
pub(crate) struct Held(Arc<Config>);

impl Held {
    pub(crate) fn new(config: &Arc<Config>) -> Rc<Self> {
        Rc::new(Self(Arc::clone(config)))
    }

    pub(crate) fn is(&self, other: &Arc<Config>) -> bool {
        Arc::ptr_eq(&self.0, other)
    }
}

impl Deref for Held {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
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

impl Config {
    /// `address`: where the gateway listens.
    pub(crate) fn new(mut settings: Settings, address: SocketAddr) -> Result<Self, BadTemplate> {
        let told = Told::of(&settings, address);
        let routes = Routes::new(std::mem::take(&mut settings.endpoints), &settings.moved)?;
        settings.keys.headers.retain(|name| name != "authorization"); // always looked at
        let upstream = &settings.upstream;
        let host =
            if upstream.host.contains(':') { format!("[{}]", upstream.host) } else { upstream.host.clone() };
        let (scheme, port) = if upstream.tls.is_some() { ("https", 443) } else { ("http", 80) };
        let authority = if upstream.port == port { host } else { format!("{host}:{}", upstream.port) };
        let upstream_host = match upstream.host_header {
            HostHeader::Client => None,
            HostHeader::Upstream => Some(authority.clone()),
        };
        Ok(Self {
            key_headers: settings.keys.headers_as_written(),
            key_header_names: settings.keys.headers.clone(),
            told: ArcSwap::from_pointee(told),
            limits_path: settings.api.limits_path(),
            docs_path: settings.api.docs_path(),
            upstream_origin: format!("{scheme}://{authority}"),
            upstream_host,
            routes,
            settings,
        })
    }
}
