//! Referenced path items and operations are moved to where they are used: the contract of an operation may
//! differ on each path.

use super::kinds;
use crate::documents::{Documents, Place, Scope};
use contract::pointer::escape;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// How many values may be copied for path items that several paths share. Beyond it a shared item
/// stays a reference, without a contract: a document must not make a larger one than it is.
pub(super) const REPEATED: usize = 2_000_000;

/// The scopes of references in path items and operations, where that is not the root file.
#[derive(Default)]
pub(super) struct Origins {
    items: HashMap<String, Scope>,
    /// By path and the operation's place within the path item.
    operations: HashMap<(String, String), Scope>,
}

impl Origins {
    pub(super) fn of_item(&self, path: &str, root: Scope) -> Scope {
        self.items.get(path).copied().unwrap_or(root)
    }

    pub(super) fn of_operation(&self, path: &str, place: &str, root: Scope) -> Scope {
        // Most documents have no such operation, and then nothing is made to look for it.
        let own = if self.operations.is_empty() {
            None
        } else {
            self.operations.get(&(path.to_owned(), place.to_owned())).copied()
        };
        own.unwrap_or_else(|| self.of_item(path, root))
    }
}

/// Replaces references to path items and operations by their targets. Returns where each of them was.
pub(super) fn inline(root: &mut Value, documents: &Documents) -> Origins {
    let mut origins = Origins::default();
    let mut seen = HashSet::new();
    let mut left = REPEATED;
    inline_items(root, documents, &mut origins.items, &mut seen, &mut left);
    let Some(Value::Object(paths)) = root.get_mut("paths") else { return origins };
    let own = documents.root_scope();
    for (path, item) in paths.iter_mut() {
        let scope = origins.of_item(path, own);
        let Some(members) = item.as_object_mut() else { continue };
        for (name, value) in members.iter_mut() {
            let places: Vec<(String, &mut Value)> = if name == "additionalOperations" {
                let held = value.as_object_mut().into_iter().flatten();
                held.map(|(method, value)| (format!("{name}/{}", escape(method)), value)).collect()
            } else if kinds::method(name).is_some() {
                vec![(name.clone(), value)]
            } else {
                continue;
            };
            for (place, operation) in places {
                let from = inline_operation(operation, documents, scope, &mut seen, &mut left);
                if let Some(from) = from {
                    origins.operations.insert((path.clone(), place), from);
                }
            }
        }
    }
    origins
}

/// Replaces a reference to an operation by its target. Returns where it was.
fn inline_operation(
    operation: &mut Value,
    documents: &Documents,
    scope: Scope,
    seen: &mut HashSet<Place>,
    left: &mut usize,
) -> Option<Scope> {
    let reference = operation.get("$ref")?.as_str()?;
    let target = documents.follow(&documents.resolve_in(scope, reference).ok()?).ok()?;
    let found = documents.get(&target)?.as_object()?;
    if !seen.insert(target.clone()) {
        *left = left.checked_sub(values(found))?;
    }
    *operation = Value::Object(found.clone());
    Some(documents.scope(&target))
}

fn inline_items(
    root: &mut Value,
    documents: &Documents,
    origins: &mut HashMap<String, Scope>,
    seen: &mut HashSet<Place>,
    left: &mut usize,
) {
    let Some(Value::Object(paths)) = root.get_mut("paths") else { return };
    for (path, item) in paths.iter_mut() {
        let Some(members) = item.as_object_mut().filter(|members| members.contains_key("$ref")) else {
            continue;
        };
        let place = Place { file: documents.root(), pointer: format!("/paths/{}", escape(path)) };
        let Ok(target) = documents.follow(&place) else { continue };
        let Some(Value::Object(found)) = documents.get(&target) else { continue };
        if !seen.insert(target.clone()) {
            let Some(rest) = left.checked_sub(values(found)) else { continue };
            *left = rest;
        }
        let mut inlined = found.clone();
        // What is next to the reference describes this path, but operations and parameters are those
        // of the reference alone: so they are read, too.
        for (name, value) in std::mem::take(members) {
            if matches!(name.as_str(), "summary" | "description") || name.starts_with("x-") {
                inlined.insert(name, value);
            }
        }
        *members = inlined;
        origins.insert(path.clone(), documents.scope(&target));
    }
}

/// How many values an object holds, itself among them.
pub(super) fn values(members: &Map<String, Value>) -> usize {
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
