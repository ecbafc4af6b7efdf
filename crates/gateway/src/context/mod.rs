//! One request on its way through the gateway: what is known of it at each place.

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
use upstream::{Backend, Service};

/// One request, from its head to its record.
pub(crate) struct RequestContext<'s> {
    pub(crate) shared: &'s Shared,
    pub(crate) config: &'s Config,
    /// What its data thread has to do.
    pub(crate) load: &'s Load,
    pub(crate) head: RequestHead,
    pub(crate) id: RequestId,
    pub(crate) now: Moment,
    /// The other end of the connection.
    pub(crate) peer: &'s Peer,
    /// Whom the request came from: the peer, or whom a trusted proxy names.
    pub(crate) address: IpAddr,
    pub(crate) address_key: AddressKey,
    /// The peer is a trusted proxy, so what it says of the client is believed.
    pub(crate) is_peer_trusted: bool,
    /// The valid key, once it was looked up.
    pub(crate) key: Option<Arc<KnownKey>>,
    /// The key was looked up, and there is none that is valid.
    pub(crate) has_no_key: bool,
    pub(crate) last_key: LastKey,
    /// The template of the endpoint, once it was found.
    pub(crate) template: Option<&'s str>,
    /// The parameters of its query were checked, one for each `&`.
    pub(crate) has_checked_query: bool,
    /// Where the request goes, once that was found.
    pub(crate) service: Option<&'s Service>,
    /// Which of its addresses was asked.
    pub(crate) backend: Option<&'s Backend>,
    /// The address began an answer and did not end it.
    pub(crate) has_broken: Cell<bool>,
    /// The group of the endpoint, once it was found.
    pub(crate) group: Option<&'s str>,
    /// The protocol that the upstream is asked to switch to.
    pub(crate) upgrade: Option<&'s str>,
    /// The account whose limits the answer tells, once units were asked of it.
    pub(crate) counted: Option<Counted>,
    /// Where several nodes share limits: whose they are, and when they were asked.
    pub(crate) counted_at: Option<CountedAt>,
    /// The account that the request was charged to.
    pub(crate) settled: Cell<Option<Settled>>,
    /// What the request counts under in usage.
    pub(crate) place: Place,
    /// The endpoint, once it was found, is one that clients are told to leave.
    pub(crate) deprecated: Option<Deprecated>,
}

impl RequestContext<'_> {
    /// By which scheme the client reached us, or the trusted proxy before us.
    pub(crate) fn scheme(&self) -> Scheme {
        let told = self.head.value(RequestField::Forwarded(ForwardedKind::Proto));
        match told.filter(|_| self.is_peer_trusted) {
            Some(b"https") => Scheme::Https,
            Some(b"http") => Scheme::Http,
            Some(_) | None => self.peer.scheme,
        }
    }

    /// Unix milliseconds as an answer begins. The clock is read again only if something was waited for since the request
    /// came.
    pub(crate) fn millis(&self) -> u64 {
        if turn::now() == self.now.instant { self.now.millis } else { self.shared.clock.now_millis() }
    }

    /// How long each phase may take, for the service that the request goes to.
    pub(crate) fn timeouts(&self) -> &Timeouts {
        self.service.map_or(&self.config.settings.timeouts, Service::timeouts)
    }

    /// How fast the request's body has to come.
    pub(crate) fn body_demand(&self) -> Demand {
        Demand { gap: self.timeouts().body, rate: self.config.settings.overload.body_rate }
    }
}

/// An account, and which of its limits apply to the request.
pub(crate) struct Counted {
    pub(crate) account: Arc<Account>,
    pub(crate) applying: Applying,
}

/// When the request arrived. Both clocks are read once.
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
