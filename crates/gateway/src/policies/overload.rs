//! Overload: 503 while there is more to do than can be done, before anything was done for it.

use crate::context::{
    RequestContext,
    refusal::{Refusal, Refused},
};

/// Refuses a request if too many are in flight, or its thread is far behind.
///
/// Every check after it costs more than this one, and nothing is taken yet.
pub(crate) fn check(context: &RequestContext<'_>) -> Result<(), Refused> {
    let bounds = &context.config.settings.overload;
    if bounds.lag.is_some_and(|most| u128::from(context.load.lag_millis()) > most.as_millis())
        || context.shared.loads.has_more_requests_than(bounds.requests, context.load)
    {
        return Err(Refusal::overloaded(context.now.millis));
    }
    Ok(())
}
