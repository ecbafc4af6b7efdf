//! Addresses as shown to an operator.

use super::{
    backend::millis,
    health::{Share, WHOLE},
    service::Services,
};
use std::net::SocketAddr;

/// Whether an address gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamState {
    /// It gets its share.
    In,
    /// It came back recently, and gets this percentage of its share.
    SlowStart(u32),
    /// It is ejected because requests failed: it gets none for a time, as long as another one is available.
    Out,
    /// Its checks fail: it gets none.
    Unhealthy,
    /// Its name is not resolved.
    NotResolved,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamView {
    /// The service that it belongs to.
    pub service: String,
    /// Host and port, as configured.
    pub address: String,
    /// Its weight among those of its service.
    pub weight: u32,
    /// Whether it gets requests.
    pub state: UpstreamState,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests sent so far; it wraps after four billion.
    pub sent: u32,
    /// Requests that failed there: no connection, no response, or a malformed one.
    pub failures: u64,
    /// Unix milliseconds of the last change of its health. None: there was none.
    pub since: Option<u64>,
    /// The resolved addresses.
    pub places: Vec<SocketAddr>,
    /// Why the last resolution failed.
    pub error: Option<String>,
}

/// All addresses, in the order of the configuration.
pub fn of(services: &Services) -> Vec<UpstreamView> {
    let now = millis(std::time::Instant::now());
    let mut views = Vec::new();
    for service in services.iter() {
        let upstream = &service.settings.upstream;
        for (backend, address) in service.backends.iter().zip(&upstream.addresses) {
            let resolved = backend.resolved.load_full();
            let state = match backend.health.share(&upstream.outlier_detection, || now) {
                Share::Unhealthy => UpstreamState::Unhealthy,
                Share::Out => UpstreamState::Out,
                Share::Of(_) if resolved.addresses.is_empty() => UpstreamState::NotResolved,
                Share::Of(WHOLE) => UpstreamState::In,
                Share::Of(share) => UpstreamState::SlowStart(share / 10),
            };
            views.push(UpstreamView {
                service: backend.service.clone(),
                address: backend.authority.clone(),
                weight: address.weight,
                state,
                in_flight: backend.in_flight(),
                sent: backend.sent(),
                failures: backend.health.failures(),
                since: backend.health.since(),
                places: resolved.addresses.clone(),
                error: resolved.error.clone(),
            });
        }
    }
    views
}
