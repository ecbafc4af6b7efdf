//! Limits shared by several nodes: reserved as in `limits`, and the same units taken from this
//! node's leases. A request whose units are not available waits for the ledger; no other request
//! does.

use super::{limits, route::Terms};
use crate::{
    cluster::{Cluster, CountedAt, Denied, Leased},
    context::{
        Counted, RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
    settle::payment::Owed,
};
use ::limits::{Addresses, Reservation, Who};
use contract::ErrorCode;
use std::sync::Arc;

/// `Retry-After` in seconds while the remaining units cannot be determined.
const RETRY_UNAVAILABLE: u64 = 1;

/// The result of a reservation.
pub(crate) enum Reserved {
    /// Complete. None: no limits apply.
    Now(Option<Owed>),
    /// Some units must be waited for.
    Later(Waiting),
}

/// A request that waits for the ledger.
pub(crate) struct Waiting {
    /// The owner of the charges in the journal.
    owner: Who,
    reservation: Reservation,
    leased: Box<Leased>,
}

/// Whose limits apply.
#[derive(Clone, Copy)]
enum Whose<'k> {
    Key(&'k KnownKey),
    Address(&'k Addresses, Who),
}

/// Reserves the cost in all limits that apply, or refuses and takes nothing.
pub(crate) fn reserve(
    context: &mut RequestContext<'_>,
    cluster: &Arc<Cluster>,
    key: Option<&KnownKey>,
    terms: Terms<'_>,
) -> Result<Reserved, Refused> {
    let whose = match key {
        Some(key) => Whose::Key(key),
        None => match limits::addresses(context) {
            Some((addresses, who)) => Whose::Address(addresses, who),
            None => return Ok(Reserved::Now(None)),
        },
    };
    limits::check_running(context)?;
    // A window may end between two reads of the clock, once.
    for _ in 0..2 {
        if let Some(reserved) = begin(context, cluster, whose, terms)? {
            return Ok(reserved);
        }
    }
    Err(unavailable(whose))
}

/// None: a window ended meanwhile.
fn begin(
    context: &mut RequestContext<'_>,
    cluster: &Arc<Cluster>,
    whose: Whose<'_>,
    terms: Terms<'_>,
) -> Result<Option<Reserved>, Refused> {
    let Some(time) = cluster.time() else { return Err(unavailable(whose)) };
    let counted_at = CountedAt { who: *whose.who(), time };
    context.counted_at = Some(counted_at);
    let (owner, reservation) = reserve_here(context, whose, terms, time)?;
    let Some(account) = reservation.account().map(Arc::clone) else { return Err(unavailable(whose)) };
    let applying = reservation.applying();
    let taken = cluster.take(whose.who(), account.limits(), applying, terms.cost, time);
    context.counted = Some(Counted { account, applying });
    match taken {
        Ok(leased) if leased.waits() => Ok(Some(Reserved::Later(Waiting { owner, reservation, leased }))),
        Ok(leased) => Ok(Some(Reserved::Now(Some(Owed::leased(owner, reservation, leased))))),
        Err(Denied::Over) => Ok(None),
        Err(denied) => Err(refusal(context, cluster, whose, &denied, terms.cost)),
    }
}

/// Reserves in the account: what this process counts itself.
fn reserve_here(
    context: &mut RequestContext<'_>,
    whose: Whose<'_>,
    terms: Terms<'_>,
    time: u64,
) -> Result<(Who, Reservation), Refused> {
    match whose {
        Whose::Key(key) => {
            let account = context.last_key.account(key.who());
            let taken = key.reserve(account, terms.group, time, terms.cost);
            Ok((*key.who(), taken.map_err(|denial| limits::refusal(denial, terms.cost, whose.name()))?))
        }
        Whose::Address(addresses, who) => {
            addresses.take(who, terms.group, time, terms.cost).map_err(|denial| {
                let (_, account) = addresses.account(who, time);
                context.counted = Some(Counted { applying: account.limits().applying(terms.group), account });
                limits::refusal(denial, terms.cost, whose.name())
            })
        }
    }
}

/// Queries the state of all limits of a key, so that the response is correct across nodes.
pub(crate) async fn look(context: &mut RequestContext<'_>, key: &KnownKey) {
    let Some(cluster) = context.shared.cluster.get() else { return };
    let Some(time) = cluster.time() else { return };
    context.counted_at = Some(CountedAt { who: *key.who(), time });
    let asked = {
        let grant = key.grant();
        let limits = grant.limits();
        cluster.ask(key.who(), &limits, limits.all(), time)
    };
    if let Ok(asked) = asked
        && asked.waits()
    {
        // If it is not available, the response states the last known values.
        let _ = asked.wait().await;
    }
}

impl Waiting {
    /// Waits until the ledger has decided, for a bounded time.
    pub(crate) async fn wait(
        self,
        context: &mut RequestContext<'_>,
        cluster: &Arc<Cluster>,
        key: Option<&KnownKey>,
        terms: Terms<'_>,
    ) -> Result<Option<Owed>, Refused> {
        let mut waiting = self;
        loop {
            let Self { owner, reservation, leased } = waiting;
            let denied = match leased.wait().await {
                Ok(leased) => return Ok(Some(Owed::leased(owner, reservation, leased))),
                Err(denied) => denied,
            };
            drop(reservation); // a denial takes nothing
            if denied != Denied::Over {
                let address = limits::addresses(context);
                let whose = match (key, address) {
                    (Some(key), _) => Whose::Key(key),
                    (None, Some((addresses, who))) => Whose::Address(addresses, who),
                    (None, None) => return Ok(None),
                };
                return Err(refusal(context, cluster, whose, &denied, terms.cost));
            }
            match reserve(context, cluster, key, terms)? {
                Reserved::Now(owed) => return Ok(owed),
                Reserved::Later(next) => waiting = next,
            }
        }
    }
}

impl Whose<'_> {
    const fn who(&self) -> &Who {
        match self {
            Self::Key(key) => key.who(),
            Self::Address(_, who) => who,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Key(_) => "API key",
            Self::Address(..) => "address",
        }
    }
}

fn refusal(
    context: &RequestContext<'_>,
    cluster: &Cluster,
    whose: Whose<'_>,
    denied: &Denied,
    cost: u32,
) -> Refused {
    let (Denied::Exhausted(positions), Some(counted), Some(at)) =
        (denied, &context.counted, context.counted_at)
    else {
        return unavailable(whose);
    };
    let account = &counted.account;
    let known = cluster.known(account.limits(), counted.applying, at);
    let of = |position: usize| known.get(position).copied().unwrap_or_default();
    match account.shared_denial(positions.iter().copied(), cost, of) {
        Some(denial) => limits::refusal(denial, cost, whose.name()),
        None => unavailable(whose),
    }
}

fn unavailable(whose: Whose<'_>) -> Refused {
    let name = whose.name();
    let mut refused = Refusal::new(
        ErrorCode::Unavailable,
        format!(
            "The limits of this {name} cannot be checked at the moment, so requests are rejected. Nothing was charged. \
             Try again in {RETRY_UNAVAILABLE} second."
        ),
    );
    refused.retry_after = Some(RETRY_UNAVAILABLE);
    refused
}

/// The places of a request among those in flight were lost, because the ledger could not be reached
/// to keep them.
pub(crate) fn lost() -> Refused {
    let mut refused = Refusal::new(
        ErrorCode::Unavailable,
        "The limit on concurrent requests could not be kept up, so this request was ended. Nothing was charged. Try again \
         in 1 second.",
    );
    refused.retry_after = Some(RETRY_UNAVAILABLE);
    refused.closes = true;
    refused
}
