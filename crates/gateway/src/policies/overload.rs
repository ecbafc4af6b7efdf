//! Overload: 503 while there is more to do than can be done, before anything was done for it.

use crate::{
    refusal::{Refusal, Refused},
    visit::Visit,
};
use contract::ErrorCode;

/// Refuses a request if too many are in flight, or its thread is far behind.
///
/// Every check after it costs more than this one, and nothing is taken yet.
pub(crate) fn check(visit: &Visit<'_>) -> Result<(), Refused> {
    let bounds = &visit.config.settings.overload;
    if bounds.lag.is_some_and(|most| u128::from(visit.load.lag_millis()) > most.as_millis())
        || visit.shared.loads.has_more_requests_than(bounds.requests, visit.load)
    {
        return Err(refusal(visit.now.millis));
    }
    Ok(())
}

/// What is said to whoever is turned away. `now`: Unix milliseconds.
pub(crate) fn refusal(now: u64) -> Refused {
    // Not the same for all, or they would all come back at once.
    let wait = 2 + now % 4;
    let mut refused = Refusal::new(
        ErrorCode::Unavailable,
        format!(
            "The API has more to do than it can at present. Nothing was charged. Try again in {wait} seconds."
        ),
    );
    refused.retry_after = Some(wait);
    refused
}
