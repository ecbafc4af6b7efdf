//! Limits of one key: read from their texts, and whether they go together with those of the plan.

use super::operation::OperationError;
use contract::Limit;
use gateway::keyring::grant::{combine, has_place_of};

/// Limits that can hold for one key, its plan's included.
pub(crate) const MOST: usize = limits::account::MOST_LIMITS;

/// Reads the limits of a key's record.
///
/// # Errors
/// A sentence about the first that is none.
pub(crate) fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Limit>, String> {
    texts.into_iter().map(|text| one(text).map_err(|why| format!("the limit \"{text}\": {why}"))).collect()
}

fn one(text: &str) -> Result<Limit, String> {
    text.parse::<Limit>().map_err(|error| error.to_string())
}

/// Reads limits as they were typed, and gives them in the form in which they are kept.
pub(super) fn check(texts: &[String], plan: &[Limit]) -> Result<Vec<String>, OperationError> {
    let mut own: Vec<Limit> = Vec::new();
    for text in texts {
        let what = || format!("the limit \"{}\"", text.escape_debug());
        let limit = one(text).map_err(|why| OperationError::not_valid(&what(), why))?;
        if let Some(before) = own.iter().find(|before| has_place_of(before, &limit)) {
            let why = format!("it stands in the same place as \"{before}\": give one of the two");
            return Err(OperationError::not_valid(&what(), why));
        }
        own.push(limit);
    }
    let count = combine(plan, &own).len();
    if count > MOST {
        let why = format!("with those of the plan they are {count}, and at most {MOST} can hold for one key");
        return Err(OperationError::not_valid("the limits", why));
    }
    Ok(own.iter().map(Limit::to_string).collect())
}
