//! The schemas of what the gateway itself answers. They use only keywords that all versions have.

use serde_json::{Value, json};

/// The error specification.
pub(super) fn error_specification() -> Value {
    json!({
        "title": "Error specification",
        "description": "The body of every answer that is not a success.",
        "type": "object",
        "required": ["success", "error"],
        "properties": {
            "success": { "description": "Always false.", "type": "boolean", "enum": [false] },
            "error": {
                "type": "object",
                "required": ["code", "message", "http_code", "check", "request_id"],
                "properties": {
                    "code": {
                        "description": "What is wrong, for programs. A code never changes its name.",
                        "type": "string",
                        "pattern": "^[A-Z0-9_]{1,64}$",
                    },
                    "message": {
                        "description": "What is wrong with this request and what to do next, for people.",
                        "type": "string",
                    },
                    "http_code": { "description": "The status of the answer.", "type": "integer" },
                    "check": { "description": "The page that explains the code.", "type": "string", "format": "uri" },
                    "request_id": { "description": "The id of the request.", "type": "string" },
                    "details": {
                        "description": "All that is wrong with parameters, headers or the body.",
                        "type": "array",
                        "items": {
                            "properties": {
                                "in": {
                                    "description": "Where it is: `path`, `query`, `header`, `cookie` or `body`.",
                                    "type": "string",
                                },
                                "name": { "description": "The parameter, header or member.", "type": "string" },
                                "pointer": { "description": "JSON pointer into the body.", "type": "string" },
                                "message": { "description": "What is wrong with it.", "type": "string" },
                            },
                        },
                    },
                    "contact": { "description": "Who to write to after a 500.", "type": "string" },
                    "location": { "description": "Where to send the request instead.", "type": "string" },
                },
            },
        },
    })
}

/// The same as problem details of RFC 9457. `specification` refers to the error specification.
pub(super) fn problem_details(specification: &str) -> Value {
    json!({
        "title": "Problem details",
        "description": "The error specification as problem details (RFC 9457), for requests whose Accept names them.",
        "allOf": [
            { "$ref": specification },
            {
                "type": "object",
                "required": ["type", "title", "status", "detail", "instance"],
                "properties": {
                    "type": { "description": "The page that explains the code.", "type": "string", "format": "uri" },
                    "title": { "description": "What is wrong, in a few words.", "type": "string" },
                    "status": { "description": "The status of the answer.", "type": "integer" },
                    "detail": { "description": "What is wrong with this request.", "type": "string" },
                    "instance": { "description": "The id of the request.", "type": "string" },
                },
            },
        ],
    })
}

/// How the limits of a key stand.
pub(super) fn limits() -> Value {
    json!({
        "title": "Limits",
        "description": "How the limits of a key stand.",
        "type": "object",
        "required": ["success", "plan", "limits"],
        "properties": {
            "success": { "description": "Always true.", "type": "boolean", "enum": [true] },
            "plan": { "description": "The plan of the key.", "type": "string" },
            "limits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["limit", "amount", "used", "remaining", "reset"],
                    "properties": {
                        "limit": { "description": "The limit in words.", "type": "string" },
                        "amount": { "description": "What it grants.", "type": "integer", "minimum": 1 },
                        "used": { "description": "What is used of it.", "type": "integer", "minimum": 0 },
                        "remaining": { "description": "What is left of it.", "type": "integer", "minimum": 0 },
                        "reset": { "description": "Whole seconds until it resets.", "type": "integer", "minimum": 1 },
                    },
                },
            },
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
