//! The abuse guard: ceilings on errors per address and per key, apart from the advertised limits.

use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
};
use contract::{ErrorCode, Status};

/// Refuses an address that caused too many errors in this minute.
pub(crate) fn check_address(context: &RequestContext<'_>) -> Result<(), Refused> {
    let Some(ceiling) = context.config.settings.abuse.errors_per_address else { return Ok(()) };
    let errors = context.shared.address_errors.within_minute(context.address_key, context.now.seconds());
    if errors < u64::from(ceiling) { Ok(()) } else { Err(refusal(context, "address", ceiling)) }
}

/// Refuses a key that caused too many errors in this minute.
pub(crate) fn check_key(context: &RequestContext<'_>, key: &KnownKey) -> Result<(), Refused> {
    let Some(ceiling) = context.config.settings.abuse.errors_per_key else { return Ok(()) };
    let errors = key.errors_within_minute(context.now.seconds());
    if errors < u64::from(ceiling) { Ok(()) } else { Err(refusal(context, "API key", ceiling)) }
}

/// Counts an error response, if the client could have avoided it.
pub(crate) fn count(context: &RequestContext<'_>, code: ErrorCode) {
    if is_counted(code.status()) {
        context.shared.address_errors.count(context.address_key, context.now.seconds());
        if let Some(key) = &context.key {
            key.count_error(context.now.seconds());
        }
    }
}

/// Redirects, our own errors and maintenance are not the client's fault; and a client over its
/// limit must not be locked out for longer by retrying.
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
