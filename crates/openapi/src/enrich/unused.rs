//! Removes components that nothing refers to any more, because the gateway's responses replaced what did.
//! Components that were unused before stay: the document has its own reason for them.

use contract::pointer::{escape, names, unescape};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Where components are: those of 2.0 at the top.
const OLD: [&str; 3] = ["definitions", "parameters", "responses"];

/// Takes out what `before` refers to and `root` does not.
pub(super) fn take(root: &mut Map<String, Value>, before: &Value) {
    let Some(before) = before.as_object() else { return };
    let used = reached(root);
    let mut gone: Vec<String> =
        reached(before).into_iter().filter(|pointer| !used.contains(pointer)).collect();
    gone.sort();
    for pointer in gone {
        let Some((section, name)) = pointer.rsplit_once('/') else { continue };
        let names = section.split('/').skip(1);
        let held = names
            .clone()
            .next()
            .and_then(|first| names.skip(1).try_fold(root.get_mut(first)?, |held, name| held.get_mut(name)));
        if let Some(Value::Object(held)) = held {
            held.shift_remove(&*unescape(name));
        }
    }
}

/// The pointers of all components that the rest of a document needs.
fn reached(root: &Map<String, Value>) -> HashSet<String> {
    let mut found = HashSet::new();
    let children = children(root);
    let mut open: Vec<&Value> = Vec::new();
    for (name, value) in root {
        if name == "components" {
            let extensions =
                value.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("x-"));
            open.extend(extensions.map(|(_, value)| value));
        } else if !OLD.contains(&name.as_str()) {
            open.push(value);
        }
    }
    while let Some(value) = open.pop() {
        match value {
            Value::Array(list) => open.extend(list),
            Value::Object(members) => {
                for pointer in references(members) {
                    let mut waiting = vec![pointer];
                    while let Some(pointer) = waiting.pop() {
                        let Some(target) = component(root, &pointer) else { continue };
                        if found.insert(pointer.clone()) {
                            open.push(target);
                            // What a discriminator may name is needed, though nothing refers to it.
                            if target.get("discriminator").is_some() {
                                waiting.extend(children.get(&pointer).into_iter().flatten().cloned());
                            }
                        }
                    }
                }
                open.extend(members.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// The components that an object itself refers to. Too many do no harm: they stay.
fn references(members: &Map<String, Value>) -> Vec<String> {
    let mut found: Vec<String> =
        members.get("$ref").and_then(Value::as_str).and_then(pointer).into_iter().collect();
    let mapping =
        members.get("discriminator").and_then(|found| found.get("mapping")).and_then(Value::as_object);
    for target in mapping.into_iter().flat_map(Map::values).filter_map(Value::as_str) {
        found.extend(pointer(target));
        found.extend(
            ["/components/schemas/", "/definitions/"].map(|section| format!("{section}{}", escape(target))),
        );
    }
    found
}

/// The pointer of the component that a reference leads to, or into.
fn pointer(reference: &str) -> Option<String> {
    let path = reference.strip_prefix("#/")?;
    let parts = if path.starts_with("components/") { 3 } else { 2 };
    let mut pointer = String::new();
    for part in path.split('/').take(parts) {
        pointer.push('/');
        pointer.push_str(&percent_decoded(part));
    }
    Some(pointer)
}

/// A part of a fragment without percent-encoding.
fn percent_decoded(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                digit(*high).zip(digit(*low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        match code {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

/// The component at a pointer of two or three parts.
fn component<'r>(root: &'r Map<String, Value>, pointer: &str) -> Option<&'r Value> {
    let mut parts = names(pointer);
    let first = parts.next()?;
    if first != "components" && !OLD.contains(&&*first) {
        return None;
    }
    parts.try_fold(root.get(&*first)?, |held, part| held.get(&*part))
}

/// The schemas that build on each schema.
fn children(root: &Map<String, Value>) -> HashMap<String, Vec<String>> {
    let mut children: HashMap<String, Vec<String>> = HashMap::new();
    let new = root.get("components").and_then(|held| held.get("schemas"));
    for (section, held) in [("/components/schemas", new), ("/definitions", root.get("definitions"))] {
        for (name, schema) in held.and_then(Value::as_object).into_iter().flatten() {
            for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                if let Some(parent) = part.get("$ref").and_then(Value::as_str).and_then(pointer) {
                    children.entry(parent).or_default().push(format!("{section}/{}", escape(name)));
                }
            }
        }
    }
    children
}
