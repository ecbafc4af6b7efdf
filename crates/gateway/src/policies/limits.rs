//! Limits: 429 if the key's plan does not grant what the request costs. The last check, because it
//! is the only one that takes something.

use crate::{
    keyring::{KnownKey, seat::Held},
    refusal::{Refusal, Refused},
    text,
};
use contract::{ErrorCode, Period};
use limits::{Denial, Reservation};
use std::sync::Arc;

/// Reserves the cost in all limits of the key, or refuses and touches none.
pub(crate) fn reserve(key: &Arc<KnownKey>, now: u64, cost: u32) -> Result<Reservation<Held>, Refused> {
    Reservation::take(Held::new(Arc::clone(key)), now, cost).map_err(|denial| refusal(denial, cost))
}

fn refusal(denial: Denial, cost: u32) -> Refused {
    let code = match denial.limit.period {
        Period::Second => ErrorCode::RateExceeded,
        Period::Minute | Period::Hour | Period::Day | Period::Month => ErrorCode::ApiLimitExceeded,
    };
    let used = if cost == 1 {
        format!("You have used all {} requests of the limit \"{}\".", denial.limit.amount, denial.limit)
    } else {
        format!("This request costs {cost} units, and fewer are left of the limit \"{}\".", denial.limit)
    };
    let seconds = if denial.reset == 1 { "second" } else { "seconds" };
    let message =
        format!("{used} It resets in {} {seconds}, at {}.", denial.reset, text::time(denial.resets_at));
    let mut refused = Refusal::new(code, message);
    refused.retry_after = Some(denial.reset);
    refused.denial = Some(denial);
    refused
}
