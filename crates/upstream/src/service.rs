//! Services: parts of the API with an upstream of their own, selected by the request's host and path.

use super::{
    backend::{Backend, Flight, Waiting, millis},
    budget::Budget,
    choice::{Chosen, Terms, choose},
    health::{Now, Share},
};
use crate::settings::{self, HostHeader, HostPattern, Timeouts};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A service, ready for requests.
pub struct Service {
    /// Its settings.
    pub settings: settings::Service,
    /// In the order of the settings.
    pub backends: Vec<Arc<Backend>>,
    budget: Arc<Budget>,
    /// Public paths differ from those of the upstream.
    changes_paths: bool,
}

/// All services of a configuration.
pub struct Services {
    all: Vec<Service>,
    /// Positions by exact host, longer paths first.
    exact: HashMap<String, Vec<usize>>,
    /// Host suffixes with their dot, longer ones first, and positions.
    under: Vec<(String, Vec<usize>)>,
    /// Positions of those that serve any host.
    any: Vec<usize>,
    /// There is one service, and it serves everything.
    is_plain: bool,
}

impl Services {
    /// `before`: the services of the previous configuration.
    pub fn new(services: Vec<settings::Service>, before: Option<&Self>) -> Self {
        let all: Vec<Service> = services.into_iter().map(|service| Service::new(service, before)).collect();
        let mut positions: Vec<usize> = (0..all.len()).collect();
        let path = |position: &usize| all.get(*position).map_or(0, |one| one.settings.path.len());
        positions.sort_by_key(|position| std::cmp::Reverse(path(position)));
        let (mut exact, mut under, mut any) =
            (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new(), vec![]);
        for position in positions {
            let hosts = all.get(position).map(|one| one.settings.hosts.as_slice()).unwrap_or_default();
            if hosts.is_empty() {
                any.push(position);
            }
            for host in hosts {
                match host {
                    HostPattern::Exact(host) => exact.entry(host.clone()).or_default().push(position),
                    HostPattern::Under(host) => under.entry(format!(".{host}")).or_default().push(position),
                }
            }
        }
        let mut under: Vec<_> = under.into_iter().collect();
        under.sort_by_key(|(host, _)| std::cmp::Reverse(host.len()));
        let is_plain =
            matches!(all.as_slice(), [one] if one.settings.hosts.is_empty() && one.settings.path.is_empty());
        Self { all, exact, under, any, is_plain }
    }

    /// The service for a host, as in the request, and a path. The host takes precedence over the
    /// path, an exact host over a suffix, and a longer path over a shorter one.
    #[inline]
    pub fn find(&self, host: &str, path: &str) -> Option<&Service> {
        if self.is_plain {
            return self.all.first();
        }
        let host = plain_host(host);
        let take = |positions: &[usize]| {
            let mut all = positions.iter().filter_map(|position| self.all.get(*position));
            all.find(|service| is_below(path, &service.settings.path))
        };
        let exact = || self.exact.get(host.as_str()).and_then(|positions| take(positions));
        let ends = |end: &str| host.len() > end.len() && host.ends_with(end);
        let under =
            || self.under.iter().filter(|(end, _)| ends(end)).find_map(|(_, positions)| take(positions));
        exact().or_else(under).or_else(|| take(&self.any))
    }

    /// The service with this name.
    pub fn named(&self, name: &str) -> Option<&Service> {
        self.all.iter().find(|service| service.settings.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.all.iter()
    }

    /// The address with this ID, and its service.
    pub fn backend(&self, id: u32) -> Option<&Arc<Backend>> {
        self.all.iter().flat_map(|service| &service.backends).find(|backend| backend.id == id)
    }
}

/// A host without its port and trailing dot, in lower case.
fn plain_host(host: &str) -> String {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        Some(_) | None => host,
    };
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

/// Whether a path equals the prefix or is below it.
pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

impl Service {
    fn new(settings: settings::Service, before: Option<&Services>) -> Self {
        let known = |address: &settings::UpstreamAddress| {
            let mut all = before?.all.iter().flat_map(|service| &service.backends);
            all.find(|backend| backend.is(&settings.name, address)).cloned()
        };
        let new = |address| Arc::new(Backend::new(&settings.name, address));
        let addresses = &settings.upstream.addresses;
        let backends: Vec<_> = addresses.iter().map(|one| known(one).unwrap_or_else(|| new(one))).collect();
        let ids = |backends: &[Arc<Backend>]| backends.iter().map(|backend| backend.id).collect::<Vec<_>>();
        // The retry budget counts the requests sent to its addresses, so different addresses need a new one.
        let known = before.and_then(|before| before.named(&settings.name));
        let known = known.filter(|known| ids(&known.backends) == ids(&backends));
        let budget = known.map(|known| Arc::clone(&known.budget));
        Self {
            changes_paths: settings.strips_path || !settings.upstream.base_path.is_empty(),
            backends,
            budget: budget.unwrap_or_default(),
            settings,
        }
    }

    /// Its timeouts.
    #[inline]
    pub const fn timeouts(&self) -> &Timeouts {
        &self.settings.upstream.timeouts
    }

    /// The Host for the upstream, if it is not the client's.
    #[inline]
    pub fn own_host<'b>(&self, backend: &'b Backend) -> Option<&'b str> {
        match self.settings.upstream.host_header {
            HostHeader::Client => None,
            HostHeader::Upstream => Some(&backend.authority),
        }
    }

    /// The path for the upstream: in two parts, of which the first may be empty.
    #[inline]
    pub fn inner_path<'p>(&'p self, path: &'p str) -> [&'p str; 2] {
        let strips = self.settings.strips_path;
        let rest = if strips { path.strip_prefix(self.settings.path.as_str()).unwrap_or(path) } else { path };
        [&self.settings.upstream.base_path, if rest.is_empty() { "/" } else { rest }]
    }

    /// The public path for a path that the upstream sent. It may be followed by a query.
    pub fn public_path(&self, path: &str) -> String {
        // A path that is not below the base path cannot be reached from outside; it is not changed.
        let (prefix, rest) = self.behind_base(path).map_or(("", path), |rest| (self.public_prefix(), rest));
        // Two leading slashes would name another host, and browsers read a backslash as a slash.
        let rest = rest.trim_start_matches(['/', '\\']);
        if rest.is_empty() && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}/{rest}") }
    }

    /// What its public paths begin with and those of the upstream do not.
    pub fn public_prefix(&self) -> &str {
        if self.settings.strips_path { &self.settings.path } else { "" }
    }

    /// Whether public paths differ from those of the upstream.
    pub const fn changes_paths(&self) -> bool {
        self.changes_paths
    }

    /// Whether a path of the upstream can be reached from outside: it is below the base path. It may be followed by a
    /// query.
    pub fn is_reachable(&self, path: &str) -> bool {
        self.behind_base(path).is_some()
    }

    fn behind_base<'p>(&self, path: &'p str) -> Option<&'p str> {
        let base = self.settings.upstream.base_path.as_str();
        let is_end = |rest: &&str| rest.is_empty() || rest.starts_with(['/', '?', '#']) || base.is_empty();
        path.strip_prefix(base).filter(is_end)
    }

    /// Whether a Set-Cookie may have to be rewritten.
    pub fn may_change_cookie(&self, value: &[u8]) -> bool {
        self.changes_paths || value.windows(7).any(|part| part.eq_ignore_ascii_case(b"domain="))
    }

    /// Whether this is the host of one of its addresses.
    pub fn is_own_host(&self, host: &[u8]) -> bool {
        let host = host.strip_prefix(b".").unwrap_or(host);
        self.backends.iter().any(|backend| backend.host.as_bytes().eq_ignore_ascii_case(host))
    }

    // === load balancing ===

    /// Chooses an address. `tried`: a bit for each position that was tried already.
    #[inline]
    pub fn choose(&self, now: Instant, tried: u64, random: &mut fastrand::Rng) -> Chosen {
        let upstream = &self.settings.upstream;
        // Most APIs have one address, so there is no choice.
        if let ([only], 0, None) = (self.backends.as_slice(), tried, upstream.max_requests) {
            return if only.health.share(&upstream.outlier_detection, || millis(now.into_std()))
                == Share::Unhealthy
            {
                Chosen::Unhealthy
            } else {
                Chosen::One(0)
            };
        }
        let terms = Terms {
            outlier_detection: &upstream.outlier_detection,
            max_requests: upstream.max_requests,
            tried,
        };
        let now = || millis(now.into_std());
        choose(&self.backends, &upstream.addresses, &terms, now, |below| random.u64(0..below))
    }

    /// Counts a request as in flight at an address. None: the maximum is reached.
    #[inline]
    pub fn begin(&self, position: usize) -> Option<(&Arc<Backend>, Flight<'_>)> {
        let backend = self.backends.get(position)?;
        Some((backend, backend.begin(self.settings.upstream.max_requests)?))
    }

    /// Adds a waiting request. None: the maximum is reached.
    pub fn wait(&self, most_each: u32) -> Option<Waiting<'_>> {
        // They wait for any address, so they are counted at one of them, for all.
        let most = most_each.saturating_mul(u32::try_from(self.backends.len()).unwrap_or(u32::MAX));
        self.backends.first()?.wait(most)
    }

    /// Whether a request may be retried.
    pub fn may_retry(&self, now: Instant) -> bool {
        let sent = self.backends.iter().fold(0u32, |sum, backend| sum.wrapping_add(backend.sent()));
        self.budget.take(&self.settings.upstream.retries, sent, millis(now.into_std()) / 1000)
    }

    /// Records a failure of a request at an address. Some: the address is ejected for this long.
    pub fn failed(&self, backend: &Backend, unix_millis: u64, random: f64) -> Option<Duration> {
        let detection = &self.settings.upstream.outlier_detection;
        let now = Now { millis: millis(std::time::Instant::now()), unix_millis };
        let is_asked = |other: &&Arc<Backend>| {
            other.id != backend.id && matches!(other.health.share(detection, || now.millis), Share::Of(_))
        };
        let may_go = self.backends.iter().any(|other| is_asked(&other));
        backend.health.failed(detection, now, may_go, random)
    }
}
