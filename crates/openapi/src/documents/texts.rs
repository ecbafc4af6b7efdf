//! Strings by the specification, whatever a plain scalar of YAML looks like: the version `1.10` is not 1.1.

use serde_json::{Map, Value};

/// Members that hold values of the API, in which nothing means what it means elsewhere.
const DATA: [&str; 6] = ["example", "examples", "default", "enum", "const", "value"];
/// Members whose own members have names of the author's choice.
const NAMED: [&str; 15] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "schemas",
    "responses",
    "parameters",
    "headers",
    "requestBodies",
    "links",
    "callbacks",
    "paths",
    "pathItems",
    "variables",
];
/// Members of a schema whose values have its type.
const TYPED: [&str; 3] = ["const", "default", "example"];
/// Members of a schema that are lists of such values.
const LISTED: [&str; 2] = ["enum", "examples"];

/// The source of a value that may turn out to be text: its location in the schema, and how it is written.
pub(super) struct Source {
    pub(super) keyword: String,
    pub(super) index: Option<usize>,
    pub(super) text: String,
}

/// Whether a value of a schema may be text by its `type`: the value of a keyword, or an element of its list.
pub(super) fn may_be_typed(keyword: &str, is_element: bool) -> bool {
    if is_element { LISTED.contains(&keyword) } else { TYPED.contains(&keyword) }
}

/// Whether there is text at the end of this way from the root. Elements of a list have an empty name.
pub(super) fn is_text(way: &[&str]) -> bool {
    let Some((last, before)) = way.split_last() else { return false };
    let parent = before.last().copied().unwrap_or_default();
    match way {
        ["openapi" | "swagger"] => return true,
        ["info", inner @ ..] if !inner.is_empty() => return !inner.iter().any(|name| name.starts_with("x-")),
        ["tags", "", "name"] | ["paths", _, _, "operationId"] | ["paths", _, _, "tags", ""] => return true,
        _ => {}
    }
    let is_of_variable = match before {
        [.., "variables", _] => *last == "default",
        [.., "variables", _, "enum"] => last.is_empty(),
        _ => false,
    };
    let is_meant = matches!(*last, "title" | "description" | "summary") && !NAMED.contains(&parent)
        || (last.is_empty() && parent == "required");
    (is_meant && !is_data(before)) || (is_of_variable && before.contains(&"servers"))
}

/// Whether the value at the end of this path is a value of the API, or an extension.
pub(super) fn is_data(way: &[&str]) -> bool {
    let mut parent = "";
    way.iter().any(|name| {
        let named = NAMED.contains(&std::mem::replace(&mut parent, name));
        !named && (DATA.contains(name) || name.starts_with("x-"))
    })
}

/// Replaces values by their text as written, if the schema is one of strings.
pub(super) fn restore(schema: &mut Map<String, Value>, sources: Vec<Source>) {
    let is_text = |name: &Value| name == "string" || name == "null";
    let is_of_strings = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().all(is_text) && names.iter().any(|name| name == "string"),
        Some(name) => name == "string",
        None => false,
    };
    for source in sources.into_iter().filter(|_| is_of_strings) {
        let value = schema.get_mut(&source.keyword);
        let value = match source.index {
            Some(index) => value.and_then(|list| list.get_mut(index)),
            None => value,
        };
        if let Some(value @ (Value::Number(_) | Value::Bool(_))) = value {
            *value = Value::String(source.text);
        }
    }
}
