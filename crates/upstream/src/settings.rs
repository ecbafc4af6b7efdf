//! The settings of upstreams.

use std::{net::SocketAddr, time::Duration};
use transport::tls::Client;

/// The timeout of each phase of a request to the upstream.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Connecting to the upstream.
    pub connect: Duration,
    /// From the request to the first byte of the upstream's response.
    pub first_byte: Duration,
    /// Between two reads of the upstream's response, and between two writes to either side.
    pub stall: Duration,
    /// From the end of the request, or the beginning of its response if that is earlier, to the end
    /// of the response. None: no limit.
    pub total: Option<Duration>,
    /// How long a tunnel (an upgraded connection) may be idle in both directions, and an event
    /// stream or a gRPC stream of the upstream.
    pub stream: Duration,
}

/// A part of the API with its own upstream.
#[derive(Debug, Clone)]
pub struct Service {
    /// Unique name.
    pub name: String,
    /// Its hosts. Empty: all that no other service has.
    pub hosts: Vec<HostPattern>,
    /// The prefix of its paths, without a trailing slash. Empty: any path.
    pub path: String,
    /// `path` is removed before the request is forwarded.
    pub strips_path: bool,
    /// Where its requests go.
    pub upstream: Upstream,
}

/// Hosts, in lower case and without ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// Exactly this one.
    Exact(String),
    /// All that end in a dot followed by this.
    Under(String),
}

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// 1 to [`Upstream::MAX_ADDRESSES`] addresses.
    pub addresses: Vec<UpstreamAddress>,
    /// A path prepended to every request's path: empty, or `/base` without a trailing slash.
    pub base_path: String,
    /// The Host that the upstream gets.
    pub host_header: HostHeader,
    /// The timeout of each phase.
    pub timeouts: Timeouts,
    /// Maximum number of requests in flight at one address. None: no limit.
    pub max_requests: Option<u32>,
    /// Requests that may wait for a free place at one address, and for how long.
    pub queue: Queue,
    /// Retries.
    pub retries: Retries,
    /// How failing requests affect an address.
    pub outlier_detection: OutlierDetection,
    /// Active health checks of the addresses. None: no checks.
    pub health_check: Option<HealthCheck>,
    /// How names are resolved.
    pub names: Names,
    /// Whether the rate-limit fields of the upstream reach clients that have limits here.
    pub keeps_limiter: bool,
    /// Whether an error in XML keeps its body, and a 403 in XML its status: clients of such a
    /// protocol need them.
    pub keeps_xml_errors: bool,
}

impl Upstream {
    /// Maximum number of addresses of a service.
    pub const MAX_ADDRESSES: usize = 64;
}

/// One address of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAddress {
    /// Host name, or IP address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Its relative share of the requests, at least 1.
    pub weight: u32,
    /// TLS configuration for https. None: plain http.
    pub tls: Option<Client>,
    /// Whether to use HTTP/2.
    pub speaks_http2: bool,
}

impl UpstreamAddress {
    /// The authority for URLs and Host.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls.is_some() { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

/// Requests that may wait for a free place at one address.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Maximum number of waiting requests. 0: none.
    pub max_pending_requests: u32,
    /// Maximum time to wait.
    pub pending_timeout: Duration,
}

/// Retries.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Maximum number of retries of one request. 0: none.
    pub max_retries: u32,
    /// This percentage of all requests.
    pub budget_percent: u32,
    /// In addition, this many per second.
    pub budget_min_per_second: u32,
}

/// How failing requests affect an address.
#[derive(Debug, Clone, Copy)]
pub struct OutlierDetection {
    /// Consecutive failures that eject it. None: it is never ejected.
    pub consecutive_failures: Option<u32>,
    /// The first ejection time; it doubles each time.
    pub base_ejection_time: Duration,
    /// The maximum ejection time.
    pub max_ejection_time: Duration,
    /// From its return until it gets its full share.
    pub slow_start: Duration,
}

/// An active health check.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    /// The path to request, below the base path; it may have a query.
    pub path: String,
    /// The Host to send. None: the address itself.
    pub host: Option<String>,
    /// How often.
    pub interval: Duration,
    /// The timeout of a check.
    pub timeout: Duration,
    /// Statuses of a healthy address. Empty: 200 to 299.
    pub expected_statuses: Vec<u16>,
    /// Consecutive successful checks until it is healthy.
    pub healthy_threshold: u32,
    /// Consecutive failed checks until it is unhealthy.
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
    /// The maximum time until a name is resolved again; the TTL of a DNS answer may be shorter.
    pub dns_refresh_interval: Duration,
}

/// The Host that the upstream gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostHeader {
    /// The client's own: an upstream that generates absolute links then generates public ones.
    Client,
    /// The host of `upstream.url`: for upstreams that share an address and differ by name.
    Upstream,
}
