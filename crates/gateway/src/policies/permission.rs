//! Permission: 401 for a correct key without the permission, and for an address that is not allowed.

use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::KnownKey,
    settings::Endpoint,
};
use contract::{ErrorCode, permission::needed};

/// Refuses a key that does not have all permissions of one of these sets. No sets: any key is sufficient.
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

/// Refuses an address that may not use the API, or this endpoint, whatever the permissions of its key.
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
