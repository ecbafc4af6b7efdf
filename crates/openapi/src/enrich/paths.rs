//! Path items that stand elsewhere come to where they are used: the contract of an operation may be
//! another on each path.

use super::bundle::token;
use crate::documents::{Documents, FileId, Place};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// How many values may be copied for path items that several paths share. Beyond it a shared item
/// stays a reference, without a contract: a document must not make a larger one than it is.
const REPEATED: usize = 2_000_000;

/// Puts path items in the place of references to them. Tells which file each of them came from.
pub(super) fn inline(root: &mut Value, documents: &Documents) -> HashMap<String, FileId> {
    let mut origins = HashMap::new();
    let mut seen = HashSet::new();
    let mut left = REPEATED;
    let Some(Value::Object(paths)) = root.get_mut("paths") else { return origins };
    for (path, item) in paths.iter_mut() {
        let Some(members) = item.as_object_mut().filter(|members| members.contains_key("$ref")) else {
            continue;
        };
        let place = Place { file: documents.root(), pointer: format!("/paths/{}", token(path)) };
        let Ok(target) = documents.follow(&place) else { continue };
        let Some(Value::Object(found)) = documents.get(&target) else { continue };
        if !seen.insert(target.clone()) {
            let Some(rest) = left.checked_sub(values(found)) else { continue };
            left = rest;
        }
        let mut inlined = found.clone();
        // What stands beside the reference tells of this path, but operations and parameters are those
        // of the reference alone: so they are read, too.
        for (name, value) in std::mem::take(members) {
            if matches!(name.as_str(), "summary" | "description") || name.starts_with("x-") {
                inlined.insert(name, value);
            }
        }
        *members = inlined;
        origins.insert(path.clone(), target.file);
    }
    origins
}

/// How many values an object holds, itself among them.
fn values(members: &Map<String, Value>) -> usize {
    let mut count = 1;
    let mut open: Vec<&Value> = members.values().collect();
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Value::Array(list) => open.extend(list),
            Value::Object(members) => open.extend(members.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    count
}
