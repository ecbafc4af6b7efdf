//! JSON pointers looked up in a document, with a sentence for what is missing.

use crate::text::{nearest, quoted};
use contract::pointer::{index, unescape};
use serde_json::Value;

/// The member or element of a name.
pub(super) fn child<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(elements) => elements.get(index(name)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Where a pointer breaks off.
#[derive(Debug)]
pub(super) struct Missing {
    /// The last place that is there.
    around: String,
    name: String,
    nearest: Option<String>,
}

/// What a pointer names; it is empty or begins with a slash.
///
/// # Errors
/// The first of its tokens that is not there.
pub(super) fn look_up<'v>(root: &'v Value, pointer: &str) -> Result<&'v Value, Missing> {
    let mut value = root;
    let mut read = 0;
    for token in pointer.split('/').skip(1) {
        let name = unescape(token);
        value = child(value, &name).ok_or_else(|| Missing {
            around: pointer.get(..read).unwrap_or_default().to_owned(),
            nearest: value
                .as_object()
                .and_then(|members| nearest(&name, members.keys().map(String::as_str)).map(str::to_owned)),
            name: name.into_owned(),
        })?;
        read += token.len() + 1;
    }
    Ok(value)
}

impl Missing {
    /// A sentence about a reference that breaks off here.
    pub(super) fn sentence(&self, reference: &str) -> String {
        let around = if self.around.is_empty() { "the file" } else { self.around.as_str() };
        let name = quoted(&self.name);
        match &self.nearest {
            Some(nearest) => format!(
                "The reference {} cannot be resolved: {around} has no {name}. Did you mean {}?",
                quoted(reference),
                quoted(nearest)
            ),
            None => {
                format!("The reference {} cannot be resolved: {around} has no {name}.", quoted(reference))
            }
        }
    }
}
