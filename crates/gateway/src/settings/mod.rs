//! The valid configuration of the data plane. Nothing here is text that still has to be parsed.
//!
//! The binary parses `fairgate.toml` into these types and rejects what is invalid; the gateway
//! never sees a raw value. Durations are `std::time::Duration`, sizes are bytes.

mod answers;
mod bounds;
mod document;
mod endpoints;
mod keys;
mod listen;
mod strictness;

pub(crate) use self::document::BaseUrl;
pub use self::{
    answers::{Compression, Cors, Origin, Origins, exposed_to_pages},
    bounds::{Abuse, ClientTimeouts, Overload, Sizes},
    document::{DocumentText, ServedDocument},
    endpoints::{
        Deprecated, Endpoint, Endpoints, Moved, NamedEndpoint, OperationName, Redirects, TrailingSlash,
    },
    keys::{Challenge, Keys, Plan},
    listen::{Http2, Listen, Plain, Tls},
    strictness::{Access, AmbiguousPaths, Slashes, Strictness, Treatment},
};
use contract::{Limit, Statuses, status::ExtraStatus};
use ipnet::IpNet;
use std::{net::SocketAddr, sync::Arc};
pub use upstream::settings::{
    HealthCheck, HostHeader, HostPattern, Names, OutlierDetection, Queue, Retries, Service, Timeouts,
    Upstream, UpstreamAddress,
};

/// The settings of the data plane.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The identity of the API, for messages and links.
    pub api: Api,
    /// Where to listen and with how many threads.
    pub listen: Listen,
    /// HTTP/2 with clients.
    pub http2: Http2,
    /// TLS with clients. None: no TLS.
    pub tls: Option<Tls>,
    /// The upstreams: at least one service, with unique names.
    pub services: Vec<Service>,
    /// The timeouts of client connections.
    pub timeouts: ClientTimeouts,
    /// The timeouts of services that set none of their own.
    pub upstream_timeouts: Timeouts,
    /// Maximum sizes of head and body.
    pub sizes: Sizes,
    /// Where keys are sent, and the format of imported ones.
    pub keys: Keys,
    /// The plans that keys belong to; their names are unique.
    pub plans: Vec<Plan>,
    /// What one address may use of all public endpoints together: calendar, rolling and rate kinds, at most
    /// [`Plan::MAX_LIMITS`]. Empty: no limits.
    pub address_limits: Vec<Limit>,
    /// The declared endpoints.
    pub endpoints: Endpoints,
    /// Paths that have moved permanently.
    pub moved: Vec<Moved>,
    /// The rules for 301 responses.
    pub redirects: Redirects,
    /// The meaning of 401 and 403.
    pub statuses: Statuses,
    /// Statuses outside the closed table that the upstream may send for this API.
    pub extra_codes: Vec<ExtraStatus>,
    /// Protocols, in lower case, that a client may switch to by an HTTP/1.1 Upgrade.
    pub upgrades: Vec<String>,
    /// Peers whose `X-Forwarded-*` and `Forwarded` are trusted and extended.
    pub trusted_proxies: Vec<IpNet>,
    /// The number of proxies in front of the gateway, if their addresses are unknown.
    pub trusted_hops: Option<usize>,
    /// Which addresses may use the API.
    pub access: Access,
    /// Which responses are compressed. None: no compression.
    pub compression: Option<Compression>,
    /// Which pages of other origins may read responses. None: the gateway adds no CORS headers, and
    /// passes on those of the upstream.
    pub cors: Option<Cors>,
    /// How strictly requests are parsed.
    pub strictness: Strictness,
    /// Ceilings on errors, apart from the advertised limits.
    pub abuse: Abuse,
    /// Overload limits.
    pub overload: Overload,
    /// What is written to standard error.
    pub log: Log,
    /// Whether usage is recorded for each key and endpoint.
    pub tallies_usage: bool,
    /// The API's document, enriched with the contract, as served to clients. None: no document.
    pub document: Option<Arc<ServedDocument>>,
}

impl Settings {
    /// Whether requests without TLS are redirected to https.
    pub fn redirects_to_https(&self) -> bool {
        match self.tls.as_ref().map(|tls| tls.plain) {
            Some(Plain::Redirect) => true,
            Some(Plain::Serve | Plain::Off) | None => false,
        }
    }

    /// Every address that it listens on.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let is_plain = match self.tls.as_ref().map(|tls| tls.plain) {
            Some(Plain::Off) => false,
            Some(Plain::Serve | Plain::Redirect) | None => true,
        };
        let plain = is_plain.then_some(self.listen.address);
        plain.into_iter().chain(self.tls.as_ref().map(|tls| tls.address))
    }
}

/// The identity of the API.
#[derive(Debug, Clone)]
pub struct Api {
    /// The API's name, shown on pages and in messages.
    pub name: String,
    /// The support address in a 500; `contact` of the error specification.
    pub support_email: Option<String>,
    /// The public base URL, such as `https://api.example.com`, without a trailing slash. None:
    /// derived from the request's Host.
    pub public_url: Option<String>,
    /// The prefix of the gateway's own paths: `/_` gives `/_docs/` and `/_limits`.
    pub reserved_prefix: String,
}

impl Api {
    /// The path of the reference.
    pub fn docs_path(&self) -> String {
        format!("{}docs", self.reserved_prefix)
    }

    /// The path of the public URL: empty, or `/base`.
    pub fn public_path(&self) -> &str {
        let behind = self.public_url.as_deref().and_then(|url| url.split_once("://"));
        behind.and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or_default()
    }

    /// The path of the limits endpoint.
    pub fn limits_path(&self) -> String {
        format!("{}limits", self.reserved_prefix)
    }
}

/// What is written to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// Which requests.
    pub requests: LogRequests,
    /// In which format.
    pub format: LogFormat,
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRequests {
    /// Every request.
    All,
    /// Requests that ended in an error.
    Errors,
    /// None.
    None,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if standard error is a terminal, otherwise JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}
