//! Overload: 503 while there are more requests than can be handled, before any work is done for this one.

use crate::context::{
    RequestContext,
    refusal::{Refusal, Refused},
};

/// Refuses a request if too many are in flight, or its thread lags too far behind.
///
/// Every later check costs more than this one, and nothing is reserved yet.
pub(crate) fn check(context: &RequestContext<'_>) -> Result<(), Refused> {
    let bounds = &context.config.settings.overload;
    if bounds.lag.is_some_and(|most| u128::from(context.load.lag_millis()) > most.as_millis())
        || context.shared.loads.has_more_requests_than(bounds.requests, context.load)
    {
        return Err(Refusal::overloaded(context.now.millis));
    }
    Ok(())
}
