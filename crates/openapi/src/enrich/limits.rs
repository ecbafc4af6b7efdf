//! The gateway's own operation: how the limits of a key stand.

use super::{codes::Row, components::Components, facts::Facts, headers, schemas, security, servers::Servers};
use crate::{
    api::{Access, Api},
    documents::Version,
};
use contract::Status;
use serde_json::{Map, Value, json};

const TAG: &str = "Limits";

/// Adds the operation.
pub(super) fn add(
    root: &mut Map<String, Value>,
    version: Version,
    api: &Api,
    facts: &Facts<'_>,
    servers: &Servers<'_>,
    components: &mut Components<'_>,
) {
    // Under another base path Swagger 2.0 cannot say where it is; `info` tells the address.
    if version == Version::V2 && !servers.begin_at_root() {
        return;
    }
    let mut item = Map::new();
    if let Some(own) = servers.own(&[String::new()], version) {
        item.insert("servers".to_owned(), own);
    }
    let mut operation = json!({
        "tags": [TAG],
        "summary": "How the limits of your key stand",
        "description": "All limits of the key that the request is sent with. It is free.",
        "operationId": operation_id(api, facts),
        "security": security::requirements(&Access::Keys(Vec::new()), version, facts),
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
        tags.push(json!({ "name": TAG, "description": "What a key may still do." }));
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

/// An id that no other operation has.
fn operation_id(api: &Api, facts: &Facts<'_>) -> String {
    let mut id = "getLimits".to_owned();
    let others = || api.operations.iter().filter(|operation| operation.own_path != facts.limits_path);
    while others().any(|operation| operation.id.as_deref() == Some(id.as_str())) {
        id.push('_');
    }
    id
}
