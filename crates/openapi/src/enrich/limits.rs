//! The gateway's own operation: the state of a key's limits.

use super::{
    codes::Row,
    components::{Components, plain},
    facts::Facts,
    headers, schemas,
    security::Security,
};
use crate::{
    api::{Access, Api},
    documents::Version,
};
use contract::Status;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

const TAG: &str = "Fairgate";
/// The operation's id, if no operation of the document has one that reads like it.
const ID: &str = "fairgateLimits";

/// The paths at which the document places the limits: below each of its base paths. The gateway must answer
/// there.
pub fn paths(api: &Api, limits_path: &str) -> Vec<String> {
    let of_operations = api
        .operations
        .iter()
        .filter_map(|operation| operation.path.strip_suffix(operation.own_path.as_str()));
    let mut bases: Vec<&str> = api.base_paths.iter().map(String::as_str).chain(of_operations).collect();
    bases.sort_unstable();
    bases.dedup();
    bases.into_iter().filter(|base| !base.is_empty()).map(|base| format!("{base}{limits_path}")).collect()
}

/// Adds the operation.
pub(super) fn add(
    root: &mut Map<String, Value>,
    version: Version,
    api: &Api,
    facts: &Facts<'_>,
    security: &mut Security,
    components: &mut Components<'_>,
) {
    // It is below the base path like everything else, because no generator of clients reads a path's own servers: the
    // gateway answers at both places.
    let mut item = Map::new();
    let mut operation = json!({
        "tags": [TAG],
        "summary": "The state of your key's limits",
        "description": "All limits of the key that sends the request. The request is free.",
        "operationId": operation_id(api, facts),
        "security": security.requirements(&Access::Keys(Vec::new()), version, Some(&Value::Null)),
        "responses": responses(version, facts, components),
    });
    if version == Version::V2
        && let Some(operation) = operation.as_object_mut()
    {
        operation.insert("produces".to_owned(), json!(["application/json", "application/problem+json"]));
    }
    item.insert("get".to_owned(), operation);
    let paths = root.entry("paths").or_insert_with(|| Value::Object(Map::new()));
    if let Some(paths) = paths.as_object_mut() {
        paths.insert(facts.limits_path.to_owned(), Value::Object(item));
    }
    if let Some(tags) = root.get_mut("tags").and_then(Value::as_array_mut)
        && !tags.iter().any(|tag| tag.get("name").is_some_and(|name| name == TAG))
    {
        tags.push(json!({ "name": TAG, "description": "Responses of the gateway itself." }));
    }
}

fn responses(version: Version, facts: &Facts<'_>, components: &mut Components<'_>) -> Value {
    let mut responses = Map::new();
    let (schema, example) = (components.limits_schema(), schemas::limits_example());
    let headers = components.headers(&headers::of_success(true));
    let description = "All limits of the plan, and what is left of each.";
    let success = match version {
        Version::V2 => json!({
            "description": description, "headers": headers, "schema": schema,
            "examples": { "application/json": example },
        }),
        Version::V30 | Version::V31 | Version::V32 => json!({
            "description": description, "headers": headers,
            "content": { "application/json": { "schema": schema, "example": example } },
        }),
    };
    responses.insert("200".to_owned(), success);
    let rows = [
        Status::Moved,
        Status::NotValid,
        Status::KeyRefused,
        Status::LimitExceeded,
        Status::Unexpected,
        Status::Unavailable,
    ];
    let mut rows = rows.map(|status| {
        let row = Row::new(status, true, false, "GET", facts);
        (row.number, components.response(row, None))
    });
    rows.sort_by_key(|(number, _)| *number);
    responses.extend(rows.into_iter().map(|(number, response)| (number.to_string(), response)));
    Value::Object(responses)
}

/// An id that no other operation has, also where a generator changes the case and drops what is between words.
fn operation_id(api: &Api, facts: &Facts<'_>) -> String {
    let others = api.operations.iter().filter(|operation| operation.own_path != facts.limits_path);
    let taken: HashSet<String> = others.filter_map(|operation| operation.id.as_deref()).map(plain).collect();
    let mut id = ID.to_owned();
    let mut number = 2;
    while taken.contains(&plain(&id)) {
        id = format!("{ID}{number}");
        number += 1;
    }
    id
}
