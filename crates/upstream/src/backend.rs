//! One address of a service, shared by all data threads: requests in flight, health, resolved addresses.
//!
//! It outlives a configuration: a newer one with the same address of the same service keeps its state.

use super::{health::Health, resolved::Resolved};
use crate::settings::UpstreamAddress;
use arc_swap::ArcSwap;
use std::{
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};
use transport::tls::Client;

/// Data written by each request is on a separate cache line from data that is only read.
#[repr(align(128))]
struct OwnLine<T>(T);

/// One address of a service.
pub struct Backend {
    /// Unique in this process.
    pub id: u32,
    /// The service that it belongs to.
    pub service: String,
    /// Host name, or IP address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The authority for URLs and Host.
    pub authority: String,
    /// TLS configuration for https. None: plain http.
    pub tls: Option<Client>,
    /// Whether to use HTTP/2.
    pub speaks_http2: bool,
    /// All requests sent so far in the upper half, requests in flight in the lower half: both
    /// change atomically.
    requests: OwnLine<AtomicU64>,
    /// Requests that wait for a free place.
    waiting: OwnLine<AtomicU32>,
    /// Its health.
    pub health: Health,
    /// The resolved addresses of the name.
    pub resolved: ArcSwap<Resolved>,
    /// Counts connections, to distribute them over all resolved addresses.
    turn: AtomicU32,
}

const ONE_SENT: u64 = 1 << 32;

/// A request in flight at an address, until it is dropped.
pub struct Flight<'b>(&'b Backend);

/// A request that waits for a free place at an address, until it is dropped.
pub struct Waiting<'b>(&'b Backend);

impl Backend {
    /// An address without any state yet.
    pub(crate) fn new(service: &str, address: &UpstreamAddress) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self {
            id: NEXT.fetch_add(1, Relaxed),
            service: service.to_owned(),
            host: address.host.clone(),
            port: address.port,
            authority: address.authority(),
            tls: address.tls.clone(),
            speaks_http2: address.speaks_http2,
            requests: OwnLine(AtomicU64::new(0)),
            waiting: OwnLine(AtomicU32::new(0)),
            health: Health::default(),
            resolved: ArcSwap::from_pointee(Resolved::first(&address.host, address.port)),
            turn: AtomicU32::new(0),
        }
    }

    pub(crate) fn is(&self, service: &str, address: &UpstreamAddress) -> bool {
        let is_place = self.service == service && self.port == address.port && self.host == address.host;
        is_place && self.tls == address.tls && self.speaks_http2 == address.speaks_http2
    }

    /// The number of the current DNS result.
    #[inline]
    pub fn generation(&self) -> u32 {
        self.resolved.load().generation
    }

    /// The resolved addresses, beginning with another one each time.
    pub(crate) fn turn<'p>(&self, places: &'p [SocketAddr]) -> impl Iterator<Item = SocketAddr> + use<'p> {
        let turn = if places.len() > 1 { self.turn.fetch_add(1, Relaxed) as usize } else { 0 };
        let (before, behind) = places.split_at(turn.checked_rem(places.len()).unwrap_or(0));
        behind.iter().chain(before).copied()
    }

    /// Requests in flight.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        (self.requests.0.load(Relaxed) & u64::from(u32::MAX)) as u32
    }

    /// Requests sent so far. It wraps after four billion.
    pub fn sent(&self) -> u32 {
        (self.requests.0.load(Relaxed) >> 32) as u32
    }

    /// Counts a request as in flight. None: `most` are in flight already.
    #[inline]
    pub(crate) fn begin(&self, most: Option<u32>) -> Option<Flight<'_>> {
        let Some(most) = most else {
            self.requests.0.fetch_add(ONE_SENT + 1, Relaxed);
            return Some(Flight(self));
        };
        let step = |requests: u64| {
            let in_flight = (requests & u64::from(u32::MAX)) as u32;
            (in_flight < most).then(|| requests.wrapping_add(ONE_SENT + 1))
        };
        self.requests.0.fetch_update(Relaxed, Relaxed, step).is_ok().then(|| Flight(self))
    }

    /// Adds a waiting request. None: `most` are waiting already.
    pub(crate) fn wait(&self, most: u32) -> Option<Waiting<'_>> {
        let step = |waiting: u32| (waiting < most).then_some(waiting + 1);
        self.waiting.0.fetch_update(Relaxed, Relaxed, step).is_ok().then(|| Waiting(self))
    }
}

impl Drop for Flight<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.requests.0.fetch_sub(1, Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.0.fetch_sub(1, Relaxed);
    }
}

/// Milliseconds of the monotonic clock, from a time before the first use. Never 0.
#[inline]
pub fn millis(now: Instant) -> u64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = now.saturating_duration_since(*BEGIN);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_flight_never_exceed_the_maximum_and_each_is_counted_once() {
        let address =
            UpstreamAddress { host: "127.0.0.1".into(), port: 1, weight: 1, tls: None, speaks_http2: false };
        let backend = Backend::new("a", &address);
        let first = backend.begin(Some(2)).unwrap();
        let second = backend.begin(Some(2)).unwrap();
        assert!(backend.begin(Some(2)).is_none());
        assert_eq!((backend.in_flight(), backend.sent()), (2, 2));
        drop(first);
        let third = backend.begin(Some(2)).unwrap();
        assert_eq!((backend.in_flight(), backend.sent()), (2, 3));
        drop((second, third));
        assert_eq!((backend.in_flight(), backend.sent()), (0, 3));
        let waits = backend.wait(1).unwrap();
        assert!(backend.wait(1).is_none());
        drop(waits);
        assert!(backend.wait(1).is_some());
    }
}
