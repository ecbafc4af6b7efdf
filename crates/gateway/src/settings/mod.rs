//! The valid configuration of the data plane. Nothing here is text that still has to be understood.
//!
//! The binary reads `fairgate.toml` into these types and refuses what does not fit; the gateway
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
    bounds::{Abuse, Overload, Sizes},
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

/// All that the data plane needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who the API is, for messages and links.
    pub api: Api,
    /// Where to listen and with how many threads.
    pub listen: Listen,
    /// How HTTP/2 is spoken with clients.
    pub http2: Http2,
    /// TLS to clients. None: no TLS.
    pub tls: Option<Tls>,
    /// Where requests go: at least one service, their names unique.
    pub services: Vec<Service>,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// How large a head and a body may be.
    pub sizes: Sizes,
    /// Where a key is looked for and what an imported one looks like.
    pub keys: Keys,
    /// The plans that keys belong to; their names are unique.
    pub plans: Vec<Plan>,
    /// What one address may use of all public endpoints together: calendar, rolling and rate kinds, at most
    /// [`Plan::MAX_LIMITS`]. Empty: no limits.
    pub address_limits: Vec<Limit>,
    /// Which requests there are endpoints for.
    pub endpoints: Endpoints,
    /// Paths that have moved for good.
    pub moved: Vec<Moved>,
    /// The rule of the 301 row.
    pub redirects: Redirects,
    /// Which of 401 and 403 means what.
    pub statuses: Statuses,
    /// Statuses outside the closed table that the upstream may send for this API.
    pub extra_codes: Vec<ExtraStatus>,
    /// Protocols, in lower case, that a client may switch to by an HTTP/1.1 Upgrade.
    pub upgrades: Vec<String>,
    /// Peers whose `X-Forwarded-*` and `Forwarded` are believed and prolonged.
    pub trusted_proxies: Vec<IpNet>,
    /// The number of proxies in front of the gateway, for when their addresses are not known.
    pub trusted_hops: Option<usize>,
    /// Which addresses may use the API.
    pub access: Access,
    /// Which answers are compressed. None: no compression.
    pub compression: Option<Compression>,
    /// Which pages of other origins may read answers. None: the gateway adds no CORS headers, and the upstream's pass.
    pub cors: Option<Cors>,
    /// How strictly requests are read.
    pub strictness: Strictness,
    /// Ceilings on errors, apart from the advertised limits.
    pub abuse: Abuse,
    /// What is too much at once.
    pub overload: Overload,
    /// What is written to standard error.
    pub log: Log,
    /// Whether it is tallied what each key uses of each endpoint.
    pub tallies_usage: bool,
    /// The API's document with the contract in it, as clients get it. None: no document.
    pub document: Option<Arc<ServedDocument>>,
}

impl Settings {
    /// Whether requests without TLS are sent to https.
    pub fn redirects_to_https(&self) -> bool {
        match self.tls.as_ref().map(|tls| tls.plain) {
            Some(Plain::Redirect) => true,
            Some(Plain::Serve | Plain::Off) | None => false,
        }
    }

    /// Every address that is listened at.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let is_plain = match self.tls.as_ref().map(|tls| tls.plain) {
            Some(Plain::Off) => false,
            Some(Plain::Serve | Plain::Redirect) | None => true,
        };
        let plain = is_plain.then_some(self.listen.address);
        plain.into_iter().chain(self.tls.as_ref().map(|tls| tls.address))
    }
}

/// Who the API is.
#[derive(Debug, Clone)]
pub struct Api {
    /// The API's name, shown on pages and in messages.
    pub name: String,
    /// The address to write to after a 500; `contact` of the error specification.
    pub support_email: Option<String>,
    /// The public base, such as `https://api.example.com`, without a slash at its end.
    /// None: made of the request's own Host.
    pub public_url: Option<String>,
    /// What the gateway's own paths begin with: `/_` gives `/_docs/` and `/_limits`.
    pub reserved_prefix: String,
}

impl Api {
    /// Where the reference is.
    pub fn docs_path(&self) -> String {
        format!("{}docs", self.reserved_prefix)
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
    /// In which form.
    pub format: LogFormat,
}

/// Which requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRequests {
    /// Every request.
    All,
    /// Those that ended in an error.
    Errors,
    /// None.
    None,
}

/// In which form lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people if standard error is a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}
