//! Permission: 401 for a key that is correct but may not do this.

use crate::{
    keyring::KnownKey,
    refusal::{Refusal, Refused},
};
use contract::ErrorCode;

/// Refuses a key that has not all permissions of any of these sets. No set at all: any key will do.
pub(crate) fn check(key: &KnownKey, sets: &[Vec<String>]) -> Result<(), Refused> {
    let fits = |set: &Vec<String>| set.iter().all(|permission| key.may(permission));
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

/// `the permission "a"`, `the permissions "a" and "b"`, or the alternatives.
fn needed(sets: &[Vec<String>]) -> String {
    let one = |set: &Vec<String>| {
        let quoted: Vec<String> = set.iter().map(|permission| format!("\"{permission}\"")).collect();
        let noun = if quoted.len() == 1 { "permission" } else { "permissions" };
        format!("the {noun} {}", quoted.join(" and "))
    };
    sets.iter().map(one).collect::<Vec<_>>().join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_said_in_words() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(needed(&[set(&["a"])]), "the permission \"a\"");
        assert_eq!(
            needed(&[set(&["a", "b"]), set(&["c"])]),
            "the permissions \"a\" and \"b\", or the permission \"c\""
        );
    }
}
