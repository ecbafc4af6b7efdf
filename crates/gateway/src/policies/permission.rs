//! Permission: 401 for a key that is correct but may not do this, and for an address that may not.

use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
    settings::Endpoint,
};
use contract::{ErrorCode, permission::needed};

/// Refuses a key that has not all permissions of any of these sets. No set at all: any key will do.
pub(crate) fn check(key: &KnownKey, sets: &[Vec<String>]) -> Result<(), Refused> {
    let grant = key.grant();
    let fits = |set: &Vec<String>| set.iter().all(|permission| grant.may(permission));
    if sets.is_empty() || sets.iter().any(fits) {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::PermissionDenied,
        format!(
            "Your API key is correct, but it does not have {}. Use a key that has it, or ask for it.",
            needed(sets)
        ),
    ))
}

/// Refuses an address that may not use the API, or not this endpoint, whatever its key may.
pub(crate) fn check_address(
    context: &RequestContext<'_>,
    endpoint: Option<&Endpoint>,
) -> Result<(), Refused> {
    let of = |what: &str| {
        Err(Refusal::new(
            ErrorCode::PermissionDenied,
            format!(
                "Requests from the address {} are not allowed to use {what}. Send them from an allowed address, or ask for access.",
                context.address
            ),
        ))
    };
    if !context.config.settings.access.admits(context.address) {
        return of("this API");
    }
    match endpoint {
        Some(endpoint) if !endpoint.access.admits(context.address) => of("this endpoint"),
        Some(_) | None => Ok(()),
    }
}
