//! The abuse guard: ceilings on errors per address and per key, apart from the advertised limits.

use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
};
use contract::{ErrorCode, Status};

/// Refuses an address that made too many errors within this minute.
pub(crate) fn check_address(context: &RequestContext<'_>) -> Result<(), Refused> {
    let Some(ceiling) = context.config.settings.abuse.errors_per_address else { return Ok(()) };
    let errors = context.shared.address_errors.within_minute(context.address_key, context.now.seconds());
    if errors < u64::from(ceiling) { Ok(()) } else { Err(refusal(context, "address", ceiling)) }
}

/// Refuses a key that made too many errors within this minute.
pub(crate) fn check_key(context: &RequestContext<'_>, key: &KnownKey) -> Result<(), Refused> {
    let Some(ceiling) = context.config.settings.abuse.errors_per_key else { return Ok(()) };
    let errors = key.errors_within_minute(context.now.seconds());
    if errors < u64::from(ceiling) { Ok(()) } else { Err(refusal(context, "API key", ceiling)) }
}

/// Counts an error that was answered, if it is one that a client can avoid.
pub(crate) fn count(context: &RequestContext<'_>, code: ErrorCode) {
    if is_counted(code.status()) {
        context.shared.address_errors.count(context.address_key, context.now.seconds());
        if let Some(key) = &context.key {
            key.count_error(context.now.seconds());
        }
    }
}

/// Redirects, our own faults and maintenance are not the client's doing; and whoever is over a limit
/// already must not be locked out for longer by asking again.
const fn is_counted(status: Status) -> bool {
    match status {
        Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::Extra(_) => true,
        Status::Moved | Status::LimitExceeded | Status::Unexpected | Status::Unavailable => false,
    }
}

fn refusal(context: &RequestContext<'_>, whose: &str, ceiling: u32) -> Refused {
    let wait = 60 - context.now.seconds() % 60;
    let mut refused = Refusal::new(
        ErrorCode::TooManyErrors,
        format!(
            "{ceiling} requests from this {whose} failed within the current minute. Correct the failing requests, then retry in {wait} seconds. Nothing was charged."
        ),
    );
    refused.retry_after = Some(wait);
    refused
}
