//! Successes get the headers that the gateway adds to them.
//!
//! A response that several operations share gets them once. If operations with and without a key
//! share it, those without get a copy: there is one at most of each response.

use super::{
    components::Components,
    declared::{Declaration, Declared},
    each_operation, existing_section, headers,
    kinds::{Kind, section},
    names::Names,
};
use crate::documents::Version;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// How many references in a row are followed to a response.
const LONGEST_CHAIN: usize = 16;

/// Who uses a response of the components.
#[derive(Default, Clone, Copy)]
struct Users {
    keyed: bool,
    open: bool,
}

/// Adds the headers to every response that is left in the document's operations.
pub(super) fn add_headers(
    root: &mut Map<String, Value>,
    version: Version,
    declared: &Declared,
    components: &mut Components<'_>,
) {
    let names = section(Kind::Response, version).unwrap_or_default();
    let keyed = components.headers(&headers::of_success(true));
    let open = components.headers(&headers::of_success(false));
    let prefix = format!("#/{}/", names.join("/"));
    let shared = existing_section(root, names).map(|held| targets(held, &prefix)).unwrap_or_default();

    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    each_response(root, declared, |response, is_public| {
        match reference(response, &prefix).and_then(|name| shared.get(name)) {
            Some(target) => {
                let users = users.entry(target.clone()).or_default();
                users.keyed |= !is_public;
                users.open |= is_public;
            }
            None => add(response, if is_public { &open } else { &keyed }),
        }
    });

    let mut copies = HashMap::new();
    if let Some(held) = existing_section(root, names) {
        let mut taken: Names = held.keys().cloned().collect();
        for (name, users) in &users {
            let Some(response) = held.get_mut(name) else { continue };
            let copy = (users.keyed && users.open).then(|| response.clone());
            add(response, if users.keyed { &keyed } else { &open });
            if let Some(mut copy) = copy {
                add(&mut copy, &open);
                let new = taken.take(&format!("{name}WithoutKey"));
                held.insert(new.clone(), copy);
                copies.insert(name.clone(), new);
            }
        }
    }
    each_response(root, declared, |response, is_public| {
        let target = reference(response, &prefix).and_then(|name| shared.get(name));
        if let Some(copy) = target.filter(|_| is_public).and_then(|target| copies.get(target))
            && let Some(members) = response.as_object_mut()
        {
            members.insert("$ref".to_owned(), format!("{prefix}{copy}").into());
        }
    });
}

/// Each response of the operations, and whether the operation is open to everyone.
fn each_response(root: &mut Map<String, Value>, declared: &Declared, mut call: impl FnMut(&mut Value, bool)) {
    let mut declarations = declared.operations.iter();
    each_operation(root, |_, _, _, operation| {
        let is_public = declarations.next().is_some_and(Declaration::is_public);
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            for (_, response) in responses.iter_mut().filter(|(name, _)| !name.starts_with("x-")) {
                call(response, is_public);
            }
        }
    });
}

/// The response at the end of each name's references.
fn targets(held: &Map<String, Value>, prefix: &str) -> HashMap<String, String> {
    let follow = |name: &str| {
        let mut name = name.to_owned();
        for _ in 0..LONGEST_CHAIN {
            match held.get(&name).map(|response| reference(response, prefix)) {
                Some(Some(next)) => name = next.to_owned(),
                Some(None) => return Some(name),
                None => return None,
            }
        }
        None
    };
    held.keys().filter_map(|name| Some((name.clone(), follow(name)?))).collect()
}

fn reference<'r>(response: &'r Value, prefix: &str) -> Option<&'r str> {
    response.get("$ref")?.as_str()?.strip_prefix(prefix)
}

/// Adds headers to a response. The gateway's own take the place of those of the same name.
fn add(response: &mut Value, headers: &Value) {
    let (Some(members), Some(headers)) = (response.as_object_mut(), headers.as_object()) else { return };
    if members.contains_key("$ref") {
        return;
    }
    let held = members.entry("headers").or_insert_with(|| Value::Object(Map::new()));
    let Some(held) = held.as_object_mut() else { return };
    held.retain(|name, _| !headers.keys().any(|ours| ours.eq_ignore_ascii_case(name)));
    held.extend(headers.clone());
}
