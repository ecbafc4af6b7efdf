//! Limits of one key: read from their texts, and whether they go together with those of the plan.

use super::{error::OperationError, nearest::nearest};
use contract::Limit;
use gateway::keyring::grant::{combine, has_place_of};
use limits::MAX_LIMITS;
use std::sync::Arc;

/// Reads the text of a limit, or says in a sentence why it is none.
pub type ReadLimit = fn(&str) -> Result<Limit, String>;

/// What a request to an endpoint costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The endpoint, such as `GET /items/{id}`.
    pub endpoint: String,
    /// The group that it is in.
    pub group: Option<Arc<str>>,
    /// Units.
    pub units: u32,
}

/// Reads limits as they were typed, and gives them in the form in which they are kept. `costs`: what they have to allow; none, if
/// they were there before.
pub(super) fn check(
    texts: &[String],
    plan: &[Limit],
    read: ReadLimit,
    costs: Option<&[Cost]>,
) -> Result<Vec<String>, OperationError> {
    let mut own: Vec<Limit> = Vec::new();
    for text in texts {
        let what = || format!("the limit \"{}\"", text.escape_debug());
        let limit = read(text).map_err(|why| OperationError::not_valid(&what(), why))?;
        if let Some(before) = own.iter().find(|before| has_place_of(before, &limit)) {
            let why = format!("it is the same kind of limit as \"{before}\"; give only one of them");
            return Err(OperationError::not_valid(&what(), why));
        }
        if let Some(why) = costs.and_then(|costs| contradiction(&limit, costs)) {
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

/// Why the limit counts nothing, or grants nothing to a request that it counts.
fn contradiction(limit: &Limit, costs: &[Cost]) -> Option<String> {
    let groups = || costs.iter().filter_map(|cost| cost.group.as_deref());
    if let Some(group) = limit.group.as_deref()
        && !groups().any(|known| known == group)
    {
        let near = nearest(group, groups()).map(|near| format!("; did you mean \"{near}\"?"));
        return Some(format!(
            "no endpoint that needs a key is in the group \"{group}\"{}",
            near.unwrap_or_default()
        ));
    }
    let most = limit.at_most_at_once()?;
    let counted = costs.iter().filter(|cost| limit.applies_to(cost.group.as_deref()));
    let dearest = counted.max_by_key(|cost| cost.units).filter(|cost| cost.units > most)?;
    Some(format!(
        "a request to {} costs {} units, and it never grants more than {most} at once",
        dearest.endpoint, dearest.units
    ))
}
