//! Addresses as an operator sees them.

use super::{
    backend::millis,
    health::{Share, WHOLE},
    service::Services,
};
use std::net::SocketAddr;

/// What becomes of requests for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamState {
    /// It gets its share.
    In,
    /// It came back a short time ago, and gets so many percent of its share.
    SlowStart(u32),
    /// Its requests failed: for a time it gets none, as long as another one can be asked.
    Out,
    /// Its checks fail: it gets none.
    Unhealthy,
    /// Its name leads nowhere.
    NotResolved,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamView {
    /// The service that it belongs to.
    pub service: String,
    /// Host and port, as they are set.
    pub address: String,
    /// Its weight among those of its service.
    pub weight: u32,
    /// What becomes of requests for it.
    pub state: UpstreamState,
    /// Requests that it works on.
    pub in_flight: u32,
    /// Requests that it was sent; begins anew after four thousand millions.
    pub sent: u32,
    /// Requests that failed there: not connected, not answered, or answered by garbage.
    pub failures: u64,
    /// Unix milliseconds of the last change of its health. None: there was none.
    pub since: Option<u64>,
    /// Where its name leads to.
    pub places: Vec<SocketAddr>,
    /// Why its name could not be resolved the last time.
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
