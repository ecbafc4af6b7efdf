//! The interface of a running gateway for the control plane.

use crate::{
    clock::Clock,
    cluster::{self, Cluster},
    config::{
        Config,
        maintenance::{Pattern, Window},
        routes::BadTemplate,
    },
    keyring::Keyring,
    record::{
        Incident, Level, LogSink, Value,
        usage::{Entry, Place},
    },
    settings::{NamedEndpoint, Settings},
    state::{load::ThreadLoad, shared::Shared},
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};
use transport::tls::{Challenges, Server};
use upstream::UpstreamView;

/// Settings that are ready to use.
pub struct Compiled(Config);

/// Configurations that are no longer used, to be dropped.
pub struct Unused(#[allow(dead_code, reason = "only dropped")] Vec<Arc<Config>>);

/// A running gateway, for the control plane.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Handle {
    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The clock that all windows follow.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// The log.
    pub fn log(&self) -> &LogSink {
        &self.shared.log
    }

    /// Another gateway has the sockets: it accepts the pending connections.
    pub fn hand_over(&self) {
        self.shared.is_handed_over.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// The load of each data thread.
    pub fn loads(&self) -> Vec<ThreadLoad> {
        self.shared.loads.all(self.shared.age_millis())
    }

    /// Whether requests that would be charged are refused, see [`Handle::set_stopped`].
    pub fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Replaces the maintenance windows, at once.
    pub fn set_maintenance(&self, windows: Vec<Window>) {
        let is_partial = windows.iter().any(|window| !window.endpoints.is_empty());
        self.shared.maintenance.store(Arc::new(windows));
        self.shared.has_partial_maintenance.store(is_partial, Ordering::Relaxed);
    }

    /// Whether this pattern matches any endpoint.
    pub fn has_endpoints(&self, pattern: &Pattern) -> bool {
        self.shared.config.load().routes.has_any_of(pattern)
    }

    /// The endpoints that are named operations.
    pub fn operations(&self) -> Vec<NamedEndpoint> {
        self.shared.config.load().routes.operations()
    }

    /// Replaces the TLS configuration. Open connections keep theirs.
    pub fn offer(&self, offer: Server) {
        self.shared.tls.store(Some(Arc::new(offer)));
    }

    /// Where responses to ACME challenges are stored.
    pub fn challenges(&self) -> &Challenges {
        &self.shared.challenges
    }

    /// Compiles settings, so that [`Handle::replace`] cannot fail. May take seconds for a large document.
    ///
    /// # Errors
    /// A template cannot be routed.
    pub fn compile(&self, settings: Settings) -> Result<Compiled, BadTemplate> {
        let before = self.shared.config.load();
        Ok(Compiled(Config::new(settings, self.shared.address, &self.shared.endpoint_ids, Some(&before))?))
    }

    /// Applies these settings to requests that begin from now on; running requests keep theirs. The
    /// keyring has the plans.
    pub fn replace(&self, compiled: Compiled) {
        self.shared.replace(compiled.0);
    }

    /// Configurations that no request uses any more. Dropping them may take seconds. None: there are none.
    pub fn take_unused(&self) -> Option<Unused> {
        let unused = self.shared.take_unused();
        (!unused.is_empty()).then_some(Unused(unused))
    }

    /// Refuses requests that would be charged, or stops doing so: while charges cannot be recorded,
    /// if so configured.
    pub fn set_stopped(&self, is_stopped: bool) {
        self.shared.is_stopped.store(is_stopped, std::sync::atomic::Ordering::Relaxed);
    }

    /// Restores the usage of an account that belongs to an address, as of `now` (Unix
    /// milliseconds). To be called before requests are admitted.
    pub fn restore_address(&self, who: limits::Who, used: &[limits::Used], now: u64) {
        // Addresses without limits may get some later, which then must count this usage.
        let without = || limits::Addresses::new(Arc::new(limits::Limits::none()));
        self.shared.addresses.get_or_init(without).restore(who, used, now);
    }

    /// The usage of an account, without windows that begin after `now` (Unix milliseconds).
    pub fn begun(&self, who: &limits::Who, used: &[limits::Used], now: u64) -> Vec<limits::Used> {
        let of_key = || self.shared.keyring.begun(who, used, now);
        let of_address = || self.shared.addresses.get().map(|addresses| addresses.begun(used, now));
        let of_unknown = || limits::Limits::none().begun(used, now);
        of_key().or_else(of_address).unwrap_or_else(of_unknown)
    }

    /// Shares limits with other nodes from now on. To be called before requests are admitted.
    pub fn share_limits(&self, cluster: Arc<Cluster>) {
        let _ = self.shared.cluster.set(cluster);
    }

    /// This process's leases. None: it does not share limits.
    pub fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.shared.cluster.get()
    }

    /// The usage of an account, as reported to the shared ledger, at `now` (Unix milliseconds).
    pub fn leases_used(&self, who: &limits::Who, used: &[limits::Used], now: u64) -> Vec<lease::Used> {
        let of_key = self.shared.keyring.limits_of(who);
        let of_address = || self.shared.addresses.get().map(limits::Addresses::limits);
        let limits = of_key.or_else(of_address).unwrap_or_default();
        cluster::used(&limits, who, used, now)
    }

    /// The incidents that were not yet taken for storing.
    pub fn take_incidents(&self) -> Vec<Incident> {
        let lost = self.shared.incidents.take_lost();
        if lost > 0 {
            let members =
                [("count", Value::Number(lost)), ("reason", Value::Text("the store did not keep up"))];
            self.shared.log.event_of(Level::Error, "incidents were lost", &members);
        }
        self.shared.incidents.take()
    }

    /// The usage tallies that were not yet taken. Requests of the last second may be missing.
    pub fn take_usage(&self) -> impl Iterator<Item = Entry> {
        std::iter::from_fn(|| self.shared.usage.pop()).take(self.shared.usage.capacity()).flatten()
    }

    /// The number of requests missing in usage because the queue was full, since the last call.
    pub fn take_lost_usage(&self) -> u64 {
        self.shared.lost_usage.swap(0, std::sync::atomic::Ordering::Relaxed)
    }

    /// The addresses of all services, and their health.
    pub fn upstreams(&self) -> Vec<UpstreamView> {
        upstream::view(&self.shared.config.load().services)
    }

    /// The name of a place in usage: method and path template of an endpoint. None: not an endpoint.
    pub fn place_name(&self, place: Place) -> Option<String> {
        match place {
            Place::None => None,
            Place::AnyPath => Some(Place::ANY_PATH.to_owned()),
            Place::Endpoint(number) => self.shared.endpoint_ids.name(number),
        }
    }
}
