//! Overload: 503 while there is more to do than can be done, before anything was done for it.

use crate::{refusal::Refused, refusals::overloaded, visit::Visit};

/// Refuses a request if too many are in flight, or its thread is far behind.
///
/// Every check after it costs more than this one, and nothing is taken yet.
pub(crate) fn check(visit: &Visit<'_>) -> Result<(), Refused> {
    let bounds = &visit.config.settings.overload;
    if bounds.lag.is_some_and(|most| u128::from(visit.load.lag_millis()) > most.as_millis())
        || visit.shared.loads.has_more_requests_than(bounds.requests, visit.load)
    {
        return Err(overloaded(visit.now.millis));
    }
    Ok(())
}
