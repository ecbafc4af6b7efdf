//! The valid configuration of the data plane. Nothing here is text that still has to be understood.
//!
//! The binary reads `fairgate.toml` into these types and refuses what does not fit; the gateway
//! never sees a raw value. Durations are `std::time::Duration`, sizes are bytes.

use crate::tls::Client;
use arc_swap::ArcSwapOption;
use contract::{Limit, RedirectStatus, Statuses, status::ExtraStatus};
use ipnet::IpNet;
use openapi::rules::RequestRules;
use reference::Takes;
use regex::Regex;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
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
    /// TLS to clients. None: there is none.
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
    /// [`Plan::MOST_LIMITS`]. Empty: no limits.
    pub address_limits: Vec<Limit>,
    /// Which requests there are endpoints for.
    pub endpoints: Endpoints,
    /// Paths that have moved for good.
    pub moved: Vec<Moved>,
    /// The rule of the 301 row.
    pub redirects: Redirects,
    /// Which way round 401 and 403 are.
    pub statuses: Statuses,
    /// Statuses outside the closed table that the upstream may send for this API.
    pub extra_codes: Vec<ExtraStatus>,
    /// Protocols, in lower case, that a client may switch to by an HTTP/1.1 Upgrade.
    pub upgrades: Vec<String>,
    /// Peers whose `X-Forwarded-*` and `Forwarded` are believed and prolonged.
    pub trusted_proxies: Vec<IpNet>,
    /// How many proxies stand before us, in place of their addresses.
    pub trusted_hops: Option<usize>,
    /// Which addresses may use the API.
    pub access: Access,
    /// Which answers are packed. None: none.
    pub compression: Option<Compression>,
    /// Which pages of other origins may read answers. None: none, and the upstream's own word on it passes.
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
    /// The API's document with the contract in it, as clients get it. None: there is none.
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

/// A document, written.
pub struct ServedDocument {
    /// As JSON.
    pub json: Vec<u8>,
    /// As YAML.
    pub yaml: Vec<u8>,
    /// The paths below its base paths at which it says that limits are told.
    pub limits_paths: Vec<String>,
    /// With addresses that stand for those of whoever asks: what was made for the last of them.
    addressed: Option<ArcSwapOption<Addressed>>,
}

/// A document for clients that reach the gateway by one address.
struct Addressed {
    scheme: &'static str,
    host: String,
    document: Arc<ServedDocument>,
}

impl ServedDocument {
    /// What stands in a document for the address that a client came by. The host has the form of one that YAML quotes
    /// wherever it would have to.
    pub const BASE: &str = "fairgate-scheme://[fairgate-host]";
    const SCHEME: &str = "fairgate-scheme";
    const HOST: &str = "[fairgate-host]";

    /// A document with addresses of its own, or with [`Self::BASE`] in their place.
    pub fn new(json: Vec<u8>, yaml: Vec<u8>, limits_paths: Vec<String>, has_base: bool) -> Self {
        let addressed = has_base.then(ArcSwapOption::empty);
        Self { json, yaml, limits_paths, addressed }
    }

    /// The document for clients that came by this address. That of the last address is kept: nearly all come by one, and
    /// a document may have many megabytes.
    pub(crate) fn at(self: &Arc<Self>, scheme: &'static str, host: &str) -> Arc<Self> {
        let Some(addressed) = &self.addressed else { return Arc::clone(self) };
        if let Some(kept) = &*addressed.load()
            && kept.scheme == scheme
            && kept.host == host
        {
            return Arc::clone(&kept.document);
        }
        let written = |text: &[u8]| match std::str::from_utf8(text) {
            Ok(text) => text.replace(Self::SCHEME, scheme).replace(Self::HOST, host).into_bytes(),
            Err(_) => text.to_vec(), // what is written is text
        };
        let (json, yaml) = (written(&self.json), written(&self.yaml));
        let document = Arc::new(Self::new(json, yaml, self.limits_paths.clone(), false));
        let kept = Addressed { scheme, host: host.to_owned(), document: Arc::clone(&document) };
        addressed.store(Some(Arc::new(kept)));
        document
    }
}

impl fmt::Debug for ServedDocument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ServedDocument({} bytes)", self.json.len())
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

    /// Where a key's limits are told.
    pub fn limits_path(&self) -> String {
        format!("{}limits", self.reserved_prefix)
    }
}

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Data threads, at least 1.
    pub threads: usize,
    /// Each connection begins with a header of the PROXY protocol, sent by a trusted proxy.
    pub proxy_protocol: bool,
}

/// TLS to clients. What they are offered is handed over apart, because it changes: [`crate::Handle::offer`].
#[derive(Debug, Clone)]
pub struct Tls {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What is done at [`Listen::address`].
    pub plain: Plain,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// Each connection begins with a header of the PROXY protocol, sent by a trusted proxy.
    pub proxy_protocol: bool,
    /// What every answer over TLS says in `Strict-Transport-Security` (RFC 6797).
    pub strict: Option<String>,
    /// Name, in lower case, of the header that tells the upstream the subject of the client's certificate.
    pub subject_header: Option<String>,
    /// Clients have to show a certificate. A proxy's word that a client came by https does not stand for one.
    pub requires_certificate: bool,
}

/// What is done where requests come in without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// They are served.
    Serve,
    /// They are sent to the same address under https.
    Redirect,
    /// Nobody listens there.
    Off,
}

/// A part of the API that has an upstream of its own.
#[derive(Debug, Clone)]
pub struct Service {
    /// Unique name.
    pub name: String,
    /// Hosts that it answers for. Empty: any that no other one answers for.
    pub hosts: Vec<HostPattern>,
    /// What its paths begin with, without a slash at its end. Empty: any path.
    pub path: String,
    /// `path` is taken off before the request is sent on.
    pub strips_path: bool,
    /// Where its requests go.
    pub upstream: Upstream,
}

/// Hosts, in lower case and without ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This one.
    Exact(String),
    /// All that end in a dot and this.
    Under(String),
}

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// 1 to [`Upstream::MOST_ADDRESSES`] addresses.
    pub addresses: Vec<UpstreamAddress>,
    /// Path that is put before every request's path: empty, or `/base` without a slash at its end.
    pub base_path: String,
    /// Which Host the upstream sees.
    pub host_header: HostHeader,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// Requests that one address works on at once. None: no bound.
    pub most_in_flight: Option<u32>,
    /// Requests that may wait for a place at one address, and for how long.
    pub queue: Queue,
    /// Requests that may be sent a second time.
    pub retries: Retries,
    /// What failing requests do to an address.
    pub passive: Passive,
    /// How addresses are asked whether they are well. None: they are not.
    pub check: Option<Check>,
    /// How names are resolved.
    pub names: Names,
    /// What a limiter of its own says of its limits reaches clients that have limits here.
    pub keeps_limiter: bool,
    /// An error in XML keeps its body, and a 403 in XML its status: it means something to clients of the protocol.
    pub keeps_xml_errors: bool,
}

impl Upstream {
    /// Addresses that one service can have.
    pub const MOST_ADDRESSES: usize = crate::upstream::MOST_ADDRESSES;
}

/// One address of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAddress {
    /// Host name, or IP address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How much of the requests it gets beside others, at least 1.
    pub weight: u32,
    /// How it is spoken to by https. None: by http.
    pub tls: Option<Client>,
    /// It is spoken to by HTTP/2.
    pub speaks_http2: bool,
}

impl UpstreamAddress {
    /// As it stands in a URL and in Host.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls.is_some() { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

/// Requests that may wait for a place at one address.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// So many. 0: none.
    pub most: u32,
    /// For so long.
    pub wait: Duration,
}

/// Requests that may be sent a second time.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How often one request, at most. 0: never.
    pub most: u32,
    /// Of all requests, so many of a hundred.
    pub percent: u32,
    /// Beside those, so many in each second.
    pub per_second: u32,
}

/// What failing requests do to an address.
#[derive(Debug, Clone, Copy)]
pub struct Passive {
    /// Failures in a row that take it out. None: none do.
    pub failures: Option<u32>,
    /// For how long, the first time; each time it is twice as long.
    pub out_for: Duration,
    /// But no longer than that.
    pub out_at_most: Duration,
    /// From its coming back until it gets its whole share.
    pub slow_start: Duration,
}

/// How addresses are asked whether they are well.
#[derive(Debug, Clone)]
pub struct Check {
    /// Path of the question, behind the base path; it may have a query.
    pub path: String,
    /// Host of the question. None: the address itself.
    pub host: Option<String>,
    /// How often.
    pub every: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Statuses that say that it is well. Empty: 200 to 299.
    pub statuses: Vec<u16>,
    /// Good answers in a row that bring it back.
    pub good: u32,
    /// Bad ones in a row that take it out.
    pub bad: u32,
}

impl Check {
    /// Whether this status says that the address is well.
    pub fn takes(&self, status: u16) -> bool {
        if self.statuses.is_empty() { (200..300).contains(&status) } else { self.statuses.contains(&status) }
    }
}

/// How names are resolved.
#[derive(Debug, Clone)]
pub struct Names {
    /// Name servers. Empty: the system's resolver is asked.
    pub servers: Vec<SocketAddr>,
    /// How often a name is asked for anew, at least; a name server may say that an answer holds for less.
    pub every: Duration,
}

/// Which Host the upstream sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostHeader {
    /// The client's own: an upstream that makes absolute links makes public ones.
    Client,
    /// The host of `upstream.url`: for upstreams that are told apart by name.
    Upstream,
}

/// How HTTP/2 is spoken with clients.
#[derive(Debug, Clone, Copy)]
pub struct Http2 {
    /// Clients may speak it.
    pub enabled: bool,
    /// Streams that a client may have open at once on a connection.
    pub streams: u32,
    /// Bytes of one stream's body that a client may send ahead, at least 65,535.
    pub window: u32,
}

/// How long each phase may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between two reads of a request's body.
    pub body: Duration,
    /// A connection without a request.
    pub keep_alive: Duration,
    /// Opening a connection to the upstream.
    pub connect: Duration,
    /// From the request to the first byte of the upstream's answer.
    pub first_byte: Duration,
    /// Between two reads of the upstream's answer, and between two writes to either side.
    pub stall: Duration,
    /// From the end of the request, or the beginning of its answer if that is earlier, to the end of the answer. None: no
    /// bound.
    pub total: Option<Duration>,
    /// How long a tunnel (an upgraded connection) may be silent in both directions, and an event stream or a gRPC
    /// stream of the upstream's.
    pub stream: Duration,
    /// How long running answers may take after SIGTERM.
    pub drain: Duration,
}

/// How large a head and a body may be.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Bytes of a request's head, request line included.
    pub head: usize,
    /// Bytes of a request's body. An endpoint may set its own.
    pub body: u64,
    /// Values of a body that is checked: of JSON all of them, of a form its pairs.
    pub body_values: usize,
}

/// Where a key is looked for and what an imported one looks like.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Header names in lower case, in the order in which they are looked at.
    /// `Authorization` (Bearer and Basic) is looked at after them.
    pub headers: Vec<String>,
    /// The whole of an imported key matches this. None: an imported key has any format.
    pub pattern: Option<Regex>,
    /// What a 401 for a key that is missing or incorrect asks for, where statuses are those of RFC 9110.
    pub challenge: Challenge,
}

/// The scheme that a 401 asks for. A key is taken by both, whatever is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A browser shows nothing, programs send a token.
    Bearer,
    /// A browser asks for a user and a password; clients such as WebDAV's wait for it before they send theirs.
    Basic,
}

impl Challenge {
    /// The scheme's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Basic => "Basic",
        }
    }
}

impl Keys {
    /// The headers as people write them, `X-API-Key` for `x-api-key`, without `Authorization`, which is
    /// always looked at.
    pub fn headers_as_written(&self) -> Vec<String> {
        self.headers.iter().filter(|name| *name != "authorization").map(|name| as_written(name)).collect()
    }
}

fn as_written(name: &str) -> String {
    let part = |part: &str| match part {
        "api" | "id" => part.to_ascii_uppercase(),
        // A name of another style is left alone: `api_key` is no `Api_key`.
        other if other.contains('_') => other.to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        }
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// A plan: what the keys that belong to it may use.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Unique name.
    pub name: String,
    /// 1 to [`Plan::MOST_LIMITS`] limits, whose tags and policies' names all differ.
    pub limits: Vec<Limit>,
}

impl Plan {
    /// Limits that a plan can have.
    pub const MOST_LIMITS: usize = 8;
}

/// Which requests there are endpoints for.
///
/// The two are different types of API, and never told apart by a list being empty: a document that lost its
/// operations would open every path.
#[derive(Debug, Clone)]
pub enum Endpoints {
    /// Every path and method is one and needs only a key: nothing declares endpoints.
    AnyPath,
    /// These and no others. Of an empty list every request is answered 404.
    Declared(Vec<Endpoint>),
}

impl Default for Endpoints {
    /// Closed.
    fn default() -> Self {
        Self::Declared(Vec::new())
    }
}

impl Endpoints {
    /// The declared ones.
    pub fn declared(&self) -> &[Endpoint] {
        match self {
            Self::AnyPath => &[],
            Self::Declared(endpoints) => endpoints,
        }
    }
}

/// An endpoint of the API.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Method in upper case.
    pub method: String,
    /// Path template such as `/items/{id}`. A slash at its end is kept.
    pub path: String,
    /// What a key has to have: all permissions of one of these sets. Empty: any key will do.
    pub permissions: Vec<Vec<String>>,
    /// Open to everyone, without a key.
    pub public: bool,
    /// Units that a success costs, at least 1. With `cost_header`, the most that it can cost.
    pub cost: u32,
    /// Name, in lower case, of the upstream's header that tells what a success has cost. None: always `cost`.
    pub cost_header: Option<String>,
    /// The group whose limits count requests to it, apart from limits of all endpoints.
    pub group: Option<Arc<str>>,
    /// Overrides [`Sizes::body`].
    pub max_body: Option<u64>,
    /// Which addresses may use it, of those that may use the API.
    pub access: Access,
    /// What parameters and body have to be, checked before the upstream is asked. None: anything passes.
    pub rules: Option<Arc<RequestRules>>,
    /// It has moved for good to this path template, which uses only names of `path`.
    pub moved_to: Option<String>,
    /// It still works, but clients are told to leave it.
    pub deprecated: Option<Deprecated>,
    /// The service that its requests go to. None: the one that host and path lead to.
    pub service: Option<Arc<str>>,
    /// What it does, in one line, for the reference. May be empty.
    pub summary: String,
    /// The group that it stands in, for the reference. May be empty.
    pub tag: String,
    /// What `rules` check, in words, for the reference.
    pub takes: Arc<Takes>,
}

/// An endpoint that clients are told to leave (RFC 9745).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecated {
    /// Since when, in Unix seconds.
    pub since: u64,
}

/// A path that has moved for good.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Path template of the old place.
    pub from: String,
    /// Path template of the new place; it uses only names of `from`.
    pub to: String,
}

/// The rule of the 301 row.
#[derive(Debug, Clone)]
pub struct Redirects {
    /// What a slash at the end of a path does.
    pub trailing_slash: TrailingSlash,
    /// What methods other than GET and HEAD get.
    pub status: RedirectStatus,
}

/// What a slash at the end of a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailingSlash {
    /// 301 to the same path without it.
    Redirect,
    /// Nothing: the path is taken as it is.
    Keep,
}

/// Which answers are packed for clients that take it.
#[derive(Debug, Clone)]
pub struct Compression {
    /// Media types in small letters, with at most one star each.
    pub types: Vec<String>,
    /// Bytes from which on it is worth it.
    pub minimum: u64,
}

/// Which pages of other origins may read answers.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Whose pages.
    pub origins: Origins,
    /// Methods that they may use. Empty: those that they ask for.
    pub methods: Vec<String>,
    /// Headers that they may send. Empty: those that they ask for.
    pub headers: Vec<String>,
    /// Whether they may send cookies and read what they get for them.
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: Duration,
    /// Headers of answers that they may read, as one list.
    pub exposed: String,
}

/// Origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All.
    Any,
    /// These.
    These(Vec<Origin>),
}

/// An origin, or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This one, as browsers write it.
    Exact(String),
    /// All hosts below one.
    Below {
        /// With `://`.
        scheme: String,
        /// From the dot before the name on, with the port.
        tail: String,
    },
}

impl Origin {
    /// Whether a browser that says this means it.
    pub fn is(&self, said: &[u8]) -> bool {
        match self {
            Self::Exact(origin) => said == origin.as_bytes(),
            Self::Below { scheme, tail } => said
                .strip_prefix(scheme.as_bytes())
                .and_then(|host| host.strip_suffix(tail.as_bytes()))
                // Labels of a host only, or what looks like one host could end in another one.
                .is_some_and(|labels| {
                    !labels.is_empty()
                        && labels.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                }),
        }
    }
}

/// The headers of answers that pages may read: those that the gateway itself tells, and `more`.
pub fn exposed_to_pages(more: &[String]) -> String {
    let own = crate::policies::cors::EXPOSED;
    std::iter::once(own).chain(more.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}

/// Which addresses may use something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Only these. Empty: all.
    pub allow: Vec<IpNet>,
    /// None of these, also if `allow` names them.
    pub deny: Vec<IpNet>,
}

impl Access {
    /// Whether this address may.
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

/// How strictly requests are read where the standards leave it open. What they call malformed is always refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strictness {
    /// Headers whose names hold more than letters, digits and hyphens.
    pub header_names: Treatment,
    /// Headers by which some servers take another path or method than the request line's.
    pub override_headers: Treatment,
    /// Whether GET and HEAD may have a body at endpoints that declare none.
    pub bodies_of_get: bool,
    /// What several slashes in a row are.
    pub slashes: Slashes,
    /// Paths that some servers would read as another path.
    pub ambiguous_paths: AmbiguousPaths,
}

/// What happens to a header that may mean something else to the upstream than it does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// The request is refused.
    Refuse,
    /// The upstream does not see it.
    #[default]
    Drop,
    /// The upstream sees it.
    Pass,
}

/// What several slashes in a row in a path are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slashes {
    /// What they are. A server that merges them is another view of the path (`AmbiguousPaths`).
    #[default]
    Keep,
    /// One slash, for whoever matches the path and for the upstream.
    Merge,
    /// A fault.
    Refuse,
}

/// What happens to a path that some servers would read as another one, because they undo `%2F` before they look for
/// the endpoint, say, or cut off what follows a semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmbiguousPaths {
    /// Refused if the other path leads to another endpoint.
    #[default]
    Check,
    /// Refused.
    Refuse,
    /// Sent on.
    Pass,
}

/// Ceilings on errors per minute. They answer `TOO_MANY_ERRORS` and never touch a limit.
#[derive(Debug, Clone, Copy)]
pub struct Abuse {
    /// Errors per minute and key. None: no ceiling.
    pub errors_per_key: Option<u32>,
    /// Errors per minute and address (IPv6: per /64). None: no ceiling.
    pub errors_per_address: Option<u32>,
}

/// What is too much at once. It answers `UNAVAILABLE`.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Connections of clients, if the system lets the process have as many.
    pub connections: usize,
    /// Connections of one address that is no trusted proxy. None: any number.
    pub connections_per_address: Option<u32>,
    /// Requests in flight.
    pub requests: usize,
    /// How far a data thread may be behind. None: as far as it comes.
    pub lag: Option<Duration>,
    /// Bytes a second that a request's body has to come with, over any span of [`Timeouts::body`]. 0: any.
    pub body_rate: u64,
    /// Bytes of bodies that are held to be checked, of all requests together.
    pub buffered_bytes: usize,
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
