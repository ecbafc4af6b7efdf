//! The schemas of the gateway's own responses. They have no titles, by which client generators would name
//! them, and refer to each other, so that each object has the name of its component.

use crate::documents::Version;
use serde_json::{Value, json};

/// A flag that is always the same. Neither `const` nor `enum` says so: of those of booleans most generators of clients make
/// an enumeration of strings, which does not compile or accepts no boolean.
fn always(value: bool, version: Version) -> Value {
    let description = if value { "Always true." } else { "Always false." };
    match version {
        Version::V2 | Version::V30 => {
            json!({ "description": description, "type": "boolean", "example": value })
        }
        Version::V31 | Version::V32 => {
            json!({ "description": description, "type": "boolean", "examples": [value] })
        }
    }
}

/// The error specification. `error` refers to what is wrong.
pub(super) fn error_specification(error: &Value, version: Version) -> Value {
    json!({
        "description": "The body of every error response.",
        "type": "object",
        "required": ["success", "error"],
        "properties": { "success": always(false, version), "error": error },
    })
}

/// What is wrong. `detail` refers to one violation.
pub(super) fn error(detail: &Value) -> Value {
    json!({
        "description": "What is wrong.",
        "type": "object",
        "required": ["code", "message", "http_code", "check", "request_id"],
        "properties": {
            "code": {
                "description": "The error code, for programs. A code never changes.",
                "type": "string",
                "pattern": "^[A-Z0-9_]{1,64}$",
            },
            "message": {
                "description": "What is wrong with this request and what to do next, for humans.",
                "type": "string",
            },
            "http_code": { "description": "The HTTP status of the response.", "type": "integer" },
            "check": { "description": "The page that explains the code.", "type": "string", "format": "uri" },
            "request_id": { "description": "The request id.", "type": "string" },
            "details": {
                "description": "Everything that is wrong with parameters, headers or the body.",
                "type": "array",
                "items": detail,
            },
            "contact": { "description": "Who to write to after a 500.", "type": "string" },
            "location": { "description": "Where to send the request instead.", "type": "string" },
        },
    })
}

/// A violation. The API's own validation may report it in another form.
pub(super) fn error_detail() -> Value {
    json!({
        "description": "Something that is wrong with a parameter, a header or the body.",
        "type": "object",
        "properties": {
            "in": {
                "description": "Its location: `path`, `query`, `header`, `cookie` or `body`.",
                "type": "string",
            },
            "name": { "description": "The parameter, header or property.", "type": "string" },
            "pointer": { "description": "JSON pointer into the body.", "type": "string" },
            "message": { "description": "What is wrong with it.", "type": "string" },
        },
    })
}

/// The same as problem details of RFC 9457. `error` refers to what is wrong.
pub(super) fn problem_details(error: &Value, example: Value, version: Version) -> Value {
    let mut schema = json!({
        "description": "The error specification as problem details (RFC 9457), for requests whose Accept names them.",
        "type": "object",
        "required": ["success", "error", "type", "title", "status", "detail", "instance"],
        "properties": {
            "success": always(false, version),
            "error": error,
            "type": { "description": "The page that explains the code, or the registered problem type if a limit denied the request.", "type": "string", "format": "uri" },
            "title": { "description": "What is wrong, in a few words.", "type": "string" },
            "status": { "description": "The HTTP status of the response.", "type": "integer" },
            "detail": { "description": "What is wrong with this request.", "type": "string" },
            "instance": { "description": "The request id.", "type": "string" },
            "violated-policies": {
                "description": "The names in RateLimit-Policy of the limits that denied the request.",
                "type": "array",
                "items": { "type": "string" },
            },
        },
    });
    let (keyword, example) = match version {
        Version::V2 | Version::V30 => ("example", example),
        Version::V31 | Version::V32 => ("examples", json!([example])),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(keyword.to_owned(), example);
    }
    schema
}

/// The state of a key's limits. `limit` refers to one of them.
pub(super) fn limits(limit: &Value, version: Version) -> Value {
    json!({
        "description": "The state of a key's limits.",
        "type": "object",
        "required": ["success", "plan", "limits"],
        "properties": {
            "success": always(true, version),
            "plan": { "description": "The plan of the key.", "type": "string" },
            "limits": { "description": "All limits of the plan.", "type": "array", "items": limit },
        },
    })
}

/// The state of a limit.
pub(super) fn limit() -> Value {
    json!({
        "description": "The state of a limit.",
        "type": "object",
        "required": ["limit", "amount", "used", "remaining", "reset"],
        "properties": {
            "limit": { "description": "The limit in words.", "type": "string" },
            "amount": { "description": "Its size.", "type": "integer", "minimum": 1 },
            "used": { "description": "What is used.", "type": "integer", "minimum": 0 },
            "remaining": { "description": "What is left.", "type": "integer", "minimum": 0 },
            "reset": { "description": "Seconds until it resets.", "type": "integer", "minimum": 1 },
        },
    })
}

/// An answer of that schema.
pub(super) fn limits_example() -> Value {
    json!({
        "success": true,
        "plan": "standard",
        "limits": [
            { "limit": "1000 per day", "amount": 1000, "used": 1, "remaining": 999, "reset": 12812 },
            { "limit": "20 per second", "amount": 20, "used": 1, "remaining": 19, "reset": 1 },
        ],
    })
}
