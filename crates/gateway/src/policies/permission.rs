//! Permission: 401 for a key that is correct but may not do this.

use crate::{
    keyring::KnownKey,
    refusal::{Refusal, Refused},
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
