//! What is kept of the error bodies of frameworks: each body in `tests/messages`, and what a client gets of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports what it finds by panicking"
)]

use contract::upstream_body::{Found, ResponseContext, read};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/messages")
}

fn load(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every body, with the framework that wrote it.
fn corpus() -> Vec<Value> {
    ["python.json", "node.json", "documented.json"]
        .into_iter()
        .flat_map(|name| load(name).as_array().unwrap().clone())
        .collect()
}

fn kept(case: &Value) -> Value {
    let status = case["status"].as_u64().unwrap();
    let context = ResponseContext {
        media_type: case["content_type"].as_str().map(str::as_bytes),
        names_fields: matches!(status, 400 | 422),
        place: "body",
    };
    match read(case["body"].as_str().unwrap().as_bytes(), context) {
        Found::Message { message, details } if details.is_empty() => json!({ "message": message }),
        Found::Message { message, details } => json!({ "message": message, "details": details }),
        Found::Specification { code, message, details } => {
            json!({ "code": code, "message": message, "details": details })
        }
        Found::Nothing => Value::Null,
    }
}

/// `UPDATE=1` rewrites the expected results, to be reviewed before they are committed.
#[test]
fn each_framework_keeps_its_message_and_its_fields() {
    let made: BTreeMap<String, Value> =
        corpus().iter().map(|case| (case["name"].as_str().unwrap().to_owned(), kept(case))).collect();
    assert_eq!(made.len(), corpus().len(), "two bodies have the same name");
    if std::env::var_os("UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap();
        return fs::write(folder().join("expected.json"), text + "\n").unwrap();
    }
    let expected = load("expected.json");
    assert_eq!(expected.as_object().unwrap().len(), made.len());
    for (name, made) in &made {
        assert_eq!(made, &expected[name], "{name}");
    }
}
