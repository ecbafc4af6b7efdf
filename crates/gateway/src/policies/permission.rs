//! Permission: 401 for a key that is correct but may not do this.

use crate::{
    keyring::KnownKey,
    refusal::{Refusal, Refused},
};
use contract::ErrorCode;

/// Refuses a key that lacks the endpoint's permission.
pub(crate) fn check(key: &KnownKey, permission: Option<&str>) -> Result<(), Refused> {
    let Some(permission) = permission else { return Ok(()) };
    if key.may(permission) {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::PermissionDenied,
        format!(
            "Your API key is correct, but it does not have the permission \"{permission}\". Use a key that has it, or ask for it."
        ),
    ))
}
