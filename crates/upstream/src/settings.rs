//! Where requests go.

use std::{net::SocketAddr, time::Duration};
use transport::tls::Client;

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
    /// 1 to [`Upstream::MAX_ADDRESSES`] addresses.
    pub addresses: Vec<UpstreamAddress>,
    /// Path that is put before every request's path: empty, or `/base` without a slash at its end.
    pub base_path: String,
    /// Which Host the upstream sees.
    pub host_header: HostHeader,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// Requests that one address works on at once. None: no bound.
    pub max_requests: Option<u32>,
    /// Requests that may wait for a place at one address, and for how long.
    pub queue: Queue,
    /// Requests that may be sent a second time.
    pub retries: Retries,
    /// What failing requests do to an address.
    pub outlier_detection: OutlierDetection,
    /// Active health checks of the addresses. None: no checks.
    pub health_check: Option<HealthCheck>,
    /// How names are resolved.
    pub names: Names,
    /// What a limiter of its own says of its limits reaches clients that have limits here.
    pub keeps_limiter: bool,
    /// An error in XML keeps its body, and a 403 in XML its status: it means something to clients of the protocol.
    pub keeps_xml_errors: bool,
}

impl Upstream {
    /// Addresses that one service can have.
    pub const MAX_ADDRESSES: usize = 64;
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
    /// At most this many. 0: no queue.
    pub max_pending_requests: u32,
    /// At most this long.
    pub pending_timeout: Duration,
}

/// Requests that may be sent a second time.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How often one request, at most. 0: never.
    pub max_retries: u32,
    /// This percentage of all requests.
    pub budget_percent: u32,
    /// In addition, this many per second.
    pub budget_min_per_second: u32,
}

/// What failing requests do to an address.
#[derive(Debug, Clone, Copy)]
pub struct OutlierDetection {
    /// Consecutive failures that eject it. None: it is never ejected.
    pub consecutive_failures: Option<u32>,
    /// For how long, the first time; each time it is twice as long.
    pub base_ejection_time: Duration,
    /// But no longer than that.
    pub max_ejection_time: Duration,
    /// From its coming back until it gets its whole share.
    pub slow_start: Duration,
}

/// An active health check.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    /// Path of the question, behind the base path; it may have a query.
    pub path: String,
    /// Host of the question. None: the address itself.
    pub host: Option<String>,
    /// How often.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Statuses of a healthy address. Empty: 200 to 299.
    pub expected_statuses: Vec<u16>,
    /// Good answers in a row that bring it back.
    pub healthy_threshold: u32,
    /// Bad ones in a row that take it out.
    pub unhealthy_threshold: u32,
}

impl HealthCheck {
    /// Whether this status means that the address is healthy.
    pub fn takes(&self, status: u16) -> bool {
        if self.expected_statuses.is_empty() {
            (200..300).contains(&status)
        } else {
            self.expected_statuses.contains(&status)
        }
    }
}

/// How names are resolved.
#[derive(Debug, Clone)]
pub struct Names {
    /// DNS servers. Empty: the system's resolver is used.
    pub dns_servers: Vec<SocketAddr>,
    /// The longest time until a name is resolved again; the TTL of a DNS answer may be shorter.
    pub dns_refresh_interval: Duration,
}

/// Which Host the upstream sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostHeader {
    /// The client's own: an upstream that makes absolute links makes public ones.
    Client,
    /// The host of `upstream.url`: for upstreams that share an address and differ by name.
    Upstream,
}
