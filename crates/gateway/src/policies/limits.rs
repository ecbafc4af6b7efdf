//! Limits: 429 if the key's plan, or for an address the public endpoints, does not grant the cost
//! of the request. The last check, because it is the only one that reserves units.

use crate::{
    clock::text,
    context::{
        Counted, RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
    policies::route::Terms,
    settle::payment::Owed,
};
use contract::{
    ErrorCode,
    limit::{Kind, Limit},
};
use limits::{Addresses, Denial, Reservation, Who};
use std::{
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

/// `Retry-After` in seconds while charges cannot be recorded.
const RETRY_STOPPED: u64 = 10;

/// Reserves the cost in all limits of the key that apply to the endpoint, or refuses and takes nothing.
pub(crate) fn reserve_for_key(
    context: &mut RequestContext<'_>,
    key: &KnownKey,
    terms: Terms<'_>,
) -> Result<Owed, Refused> {
    check_running(context)?;
    let account = context.last_key.account(key.who());
    let taken = key.reserve(account, terms.group, context.now.millis, terms.cost);
    settle_on(context, *key.who(), taken, terms.cost)
}

/// Reserves the cost in all limits that the address has on public endpoints, if there are any.
pub(crate) fn reserve_for_address(
    context: &mut RequestContext<'_>,
    terms: Terms<'_>,
) -> Result<Option<Owed>, Refused> {
    let Some((addresses, who)) = addresses(context) else { return Ok(None) };
    check_running(context)?;
    match addresses.take(who, terms.group, context.now.millis, terms.cost) {
        Ok((whose, reservation)) => settle_on(context, whose, Ok(reservation), terms.cost).map(Some),
        Err(denial) => {
            let (_, account) = addresses.account(who, context.now.millis);
            context.counted = Some(Counted { applying: account.limits().applying(terms.group), account });
            Err(refusal(denial, terms.cost, "address"))
        }
    }
}

/// The accounts of addresses, and the owner of this request's one. None: addresses have no limits.
pub(super) fn addresses<'s>(context: &RequestContext<'s>) -> Option<(&'s Addresses, Who)> {
    if context.config.settings.address_limits.is_empty() {
        return None;
    }
    let addresses = context.shared.addresses.get()?;
    Some((addresses, context.shared.keyring.who_of_address(&address_bytes(context.address))))
}

/// Fail closed, if so configured: charges that cannot be recorded would be lost in a crash.
pub(super) fn check_running(context: &RequestContext<'_>) -> Result<(), Refused> {
    if !context.shared.is_stopped.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut refused = Refusal::new(
        ErrorCode::Unavailable,
        "Usage cannot be recorded at the moment, so requests are rejected. Nothing was charged. Try again \
         in 10 seconds.",
    );
    refused.retry_after = Some(RETRY_STOPPED);
    Err(refused)
}

fn settle_on(
    context: &mut RequestContext<'_>,
    who: Who,
    taken: Result<Reservation, Denial>,
    cost: u32,
) -> Result<Owed, Refused> {
    let reservation = taken.map_err(|denial| refusal(denial, cost, "API key"))?;
    context.counted = reservation
        .account()
        .map(|account| Counted { account: Arc::clone(account), applying: reservation.applying() });
    Ok(Owed::new(who, reservation))
}

/// An address as it is counted: IPv6 by /64, the smallest network that a customer gets.
fn address_bytes(address: IpAddr) -> [u8; 16] {
    let bits = match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    };
    bits.to_be_bytes()
}

pub(super) fn refusal(denial: Denial, cost: u32, whose: &str) -> Refused {
    let Some(limit) = denial.limit() else {
        return Refusal::unexpected("a limit that does not exist denied a request", "A bug in the gateway.");
    };
    let mut refused = Refusal::new(limit.error_code(), message(limit, &denial, cost, whose));
    refused.retry_after = denial.reset;
    refused.never_resets = denial.reset.is_none();
    refused.denial = Some(denial);
    refused
}

/// Assembled piece by piece, because clients at their limit send the most requests.
fn message(limit: &Limit, denial: &Denial, cost: u32, whose: &str) -> String {
    let mut message = String::with_capacity(192);
    let amount = limit.amount;
    // Into memory: cannot fail.
    let _ = match &limit.kind {
        Kind::Concurrent if amount == 1 => write!(
            message,
            "A request from this {whose} is in flight, which is all that the limit \"{limit}\" allows. Wait until it completes."
        ),
        Kind::Concurrent => write!(
            message,
            "{amount} requests from this {whose} are in flight, which is all that the limit \"{limit}\" allows. Wait until one completes."
        ),
        Kind::Rate { .. } => {
            write!(message, "This {whose} sends requests faster than the limit \"{limit}\" allows.")
        }
        Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Lifetime if cost == 1 && amount == 1 => {
            write!(message, "You have used the only request of the limit \"{limit}\".")
        }
        Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Lifetime if cost == 1 => {
            write!(message, "You have used all {amount} requests of the limit \"{limit}\".")
        }
        Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Lifetime => {
            write!(message, "This request costs {cost} units, but the limit \"{limit}\" has fewer left.")
        }
    };
    let what_then = match &limit.kind {
        Kind::Concurrent => return message,
        Kind::Lifetime => None,
        Kind::Rate { .. } => Some(" Retry in "),
        Kind::Rolling { .. } => Some(" Enough units are available again in "),
        Kind::Calendar { .. } => Some(" It resets in "),
    };
    match (what_then, denial.reset.zip(denial.resets_at)) {
        (Some(what_then), Some((reset, at))) => {
            message.push_str(what_then);
            message.push_str(itoa::Buffer::new().format(reset));
            message.push_str(if reset == 1 { " second, at " } else { " seconds, at " });
            text::write_time(at, &mut message);
            message.push('.');
        }
        (None, _) | (_, None) => message.push_str(" It does not reset; ask for a larger limit."),
    }
    message
}
