//! The location of a value in a body, in the formats of common frameworks.

use super::json::Json;
use crate::{percent, pointer};
use std::borrow::Cow;

/// Maximum number of steps.
const MAX_STEPS: usize = 16;

/// Steps from the root to a value: the name of a member, or the index of an element.
pub(super) type Path = Vec<String>;

/// The steps of a path given as a list.
pub(super) fn steps(path: &[Json<'_>]) -> Path {
    let step = |step: &Json<'_>| match step {
        Json::Text(text) => Some(text.to_string()),
        Json::Number(number) => Some(number.to_string()),
        // Valibot: an object for each step.
        Json::Object(_) => step.text_of("key").map(str::to_owned),
        Json::Null | Json::Boolean(_) | Json::List(_) => None,
    };
    path.iter().take(MAX_STEPS).filter_map(step).collect()
}

/// The steps of a path given as text: a JSON pointer, `$.price`, `items[0].count`, `items.0.price`.
pub(super) fn segments(path: &str) -> Path {
    // As a URI fragment it is percent-encoded (RFC 6901, 6).
    let fragment = path.strip_prefix('#').map(percent::decoded);
    let pointer = fragment.as_deref().unwrap_or(path);
    if pointer.starts_with('/') {
        return pointer::names(pointer).take(MAX_STEPS).map(Cow::into_owned).collect();
    }
    let path = path.strip_prefix("$.").unwrap_or(path);
    let steps = path.split(['.', '[', ']']).map(|step| step.trim_matches(['"', '\'']));
    steps.filter(|step| !step.is_empty() && *step != "$").take(MAX_STEPS).map(str::to_owned).collect()
}
