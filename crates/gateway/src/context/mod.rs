//! The state of one request on its path through the gateway.

pub(crate) mod origin;
pub(crate) mod peer;
pub(crate) mod refusal;
pub(crate) mod request_id;
pub(crate) mod standings;

use crate::{
    clock::Clock,
    cluster::CountedAt,
    config::Config,
    io::pace::Demand,
    keyring::{KnownKey, LastKey, Settled},
    record::usage::Place,
    settings::{Deprecated, Timeouts},
    state::{load::Load, shared::Shared},
};
use http1::{
    field::{ForwardedKind, RequestField},
    request::RequestHead,
    target::Scheme,
};
use limits::{Account, Applying, guard::AddressKey};
use peer::Peer;
use request_id::RequestId;
use std::{cell::Cell, net::IpAddr, sync::Arc};
use tokio::time::Instant;
use transport::turn;
use upstream::{Backend, Service, location::Public};

/// A request, from its head to its log record.
pub(crate) struct RequestContext<'s> {
    pub(crate) shared: &'s Shared,
    pub(crate) config: &'s Config,
    /// The load of its data thread.
    pub(crate) load: &'s Load,
    pub(crate) head: RequestHead,
    pub(crate) id: RequestId,
    pub(crate) now: Moment,
    /// The other end of the connection.
    pub(crate) peer: &'s Peer,
    /// The client's address: that of the peer, or the one that a trusted proxy reports.
    pub(crate) address: IpAddr,
    pub(crate) address_key: AddressKey,
    /// The peer is a trusted proxy, so what it reports of the client is trusted.
    pub(crate) is_peer_trusted: bool,
    /// The valid key, after the lookup.
    pub(crate) key: Option<Arc<KnownKey>>,
    /// The lookup found no valid key.
    pub(crate) has_no_key: bool,
    pub(crate) last_key: LastKey,
    /// The template of the endpoint, after routing.
    pub(crate) template: Option<&'s str>,
    /// The query parameters were checked, split at each `&`.
    pub(crate) has_checked_query: bool,
    /// The upstream of the request, once known.
    pub(crate) service: Option<&'s Service>,
    /// The address that the request was sent to.
    pub(crate) backend: Option<&'s Backend>,
    /// The address began a response and did not complete it.
    pub(crate) has_broken: Cell<bool>,
    /// The group of the endpoint, after routing.
    pub(crate) group: Option<&'s str>,
    /// The protocol to request from the upstream in an upgrade.
    pub(crate) upgrade: Option<&'s str>,
    /// The account whose limits the response states, after units were requested from it.
    pub(crate) counted: Option<Counted>,
    /// If several nodes share limits: the account's owner, and when it was counted.
    pub(crate) counted_at: Option<CountedAt>,
    /// The account that the request was charged to.
    pub(crate) settled: Cell<Option<Settled>>,
    /// The place that usage counts the request under.
    pub(crate) place: Place,
    /// Set if the endpoint is deprecated.
    pub(crate) deprecated: Option<Deprecated>,
}

impl RequestContext<'_> {
    /// The scheme that the client used to reach us, or the trusted proxy before us.
    pub(crate) fn scheme(&self) -> Scheme {
        if !self.is_peer_trusted {
            return self.peer.scheme;
        }
        let proto = self.head.value(RequestField::Forwarded(ForwardedKind::Proto)).or_else(|| {
            // The last element is the proxy's own; what comes before it the client may have written.
            let line = self.head.values(RequestField::Forwarded(ForwardedKind::Forwarded)).next_back()?;
            origin::parameter(origin::elements(line).last().copied()?, b"proto")
        });
        match proto {
            Some(b"https") => Scheme::Https,
            Some(b"http") => Scheme::Http,
            Some(_) | None => self.peer.scheme,
        }
    }

    /// How the client addresses the API.
    pub(crate) fn public(&self) -> Public<'_> {
        Public { host: self.head.host(), scheme: self.scheme(), base: &self.config.public_path }
    }

    /// Unix milliseconds at the start of a response. The clock is read again only if there was a
    /// wait since the request arrived.
    pub(crate) fn millis(&self) -> u64 {
        if turn::now() == self.now.instant { self.now.millis } else { self.shared.clock.now_millis() }
    }

    /// The timeouts of the service that the request goes to.
    pub(crate) fn timeouts(&self) -> &Timeouts {
        self.service.map_or(&self.config.settings.upstream_timeouts, Service::timeouts)
    }

    /// The minimum rate of the request's body.
    pub(crate) fn body_demand(&self) -> Demand {
        Demand { gap: self.config.settings.timeouts.body, rate: self.config.settings.overload.body_rate }
    }
}

/// An account, and which of its limits apply to the request.
pub(crate) struct Counted {
    pub(crate) account: Arc<Account>,
    pub(crate) applying: Applying,
}

/// The arrival of the request. Both clocks are read once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// For durations and deadlines.
    pub(crate) instant: Instant,
    /// Unix milliseconds, for windows and dates.
    pub(crate) millis: u64,
}

impl Moment {
    pub(crate) fn now(clock: &Clock) -> Self {
        Self { instant: turn::now(), millis: clock.now_millis() }
    }

    /// Unix seconds.
    pub(crate) const fn seconds(self) -> u64 {
        self.millis / 1000
    }
}
