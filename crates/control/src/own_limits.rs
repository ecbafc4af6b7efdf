//! Limits of one key: read from their texts, and whether they go together with those of the plan.

use super::error::OperationError;
use contract::Limit;
use gateway::keyring::grant::{combine, has_place_of};
use limits::MAX_LIMITS;

/// Reads the text of a limit, or says in a sentence why it is none.
pub type ReadLimit = fn(&str) -> Result<Limit, String>;

/// Reads limits as they were typed, and gives them in the form in which they are kept.
pub(super) fn check(
    texts: &[String],
    plan: &[Limit],
    read: ReadLimit,
) -> Result<Vec<String>, OperationError> {
    let mut own: Vec<Limit> = Vec::new();
    for text in texts {
        let what = || format!("the limit \"{}\"", text.escape_debug());
        let limit = read(text).map_err(|why| OperationError::not_valid(&what(), why))?;
        if let Some(before) = own.iter().find(|before| has_place_of(before, &limit)) {
            let why = format!("it stands in the same place as \"{before}\": give one of the two");
            return Err(OperationError::not_valid(&what(), why));
        }
        own.push(limit);
    }
    let count = combine(plan, &own).len();
    if count > MAX_LIMITS {
        let why =
            format!("with those of the plan they are {count}, and at most {MAX_LIMITS} can hold for one key");
        return Err(OperationError::not_valid("the limits", why));
    }
    Ok(own.iter().map(Limit::to_string).collect())
}
