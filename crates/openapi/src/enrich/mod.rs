//! The enriched document: the API's own description, and what the gateway adds to it.
//!
//! A client that reads it needs nothing else: it has every response that can arrive, how a key is
//! sent, what it costs, and where the API is found. The steps: path items are moved to where they are used
//! ([`paths`]), what never reaches a client is removed ([`declared`]), several files become one ([`bundle`]),
//! then the contract is written onto each operation ([`operation`]). Time and memory are linear in the
//! documents, and there is one copy of them.
//!
//! **Swagger 2.0 stays Swagger 2.0.** Its publisher has clients that read it; a translation
//! would have to guess (`collectionFormat: tsv`, `type: file` and `consumes` without a body have no
//! equivalent in 3.0), and a wrong guess breaks what worked. What 2.0 cannot express is left out: an
//! example for each media type instead of each code, Bearer as a header, no path outside of `basePath`.
//!
//! **`default` responses** are kept only where an operation declares no success: then it is the
//! success. Beside a declared success it means the errors, and each of those is declared now.

mod bundle;
mod codes;
mod components;
mod declared;
mod examples;
mod facts;
mod headers;
mod kinds;
mod limits;
mod names;
mod operation;
mod operations;
mod paths;
mod schemas;
mod security;
mod servers;
mod success;
mod unused;
mod write;

pub use facts::{Exposed, Facts};
pub use limits::paths as limits_paths;
pub use write::{to_json, to_yaml};

use crate::{
    api::Api,
    documents::{Documents, Version},
};
use components::Components;
use contract::pointer::escape;
use security::Security;
use serde_json::{Map, Value, json};

/// The member of `info` by which an enriched document is recognised.
const MARK: &str = "x-fairgate";

/// Writes the contract onto the document. Several files become one.
pub fn enrich(documents: &Documents, api: &Api, facts: &Facts<'_>) -> Value {
    let mut root = documents.file(documents.root()).cloned().unwrap_or_default();
    if !root.is_object() {
        return root;
    }
    let version = documents.version();
    forget_earlier(&mut root, version);
    complete_version(&mut root, version);
    let origins = paths::inline(&mut root, documents);
    let exposed = facts::by_operation(api, facts);
    let declared = declared::take(&mut root, documents, &origins, &exposed, facts);
    let bundled = bundle::bundle(&mut root, documents, &origins, &declared.removed);
    let Some(members) = root.as_object_mut() else { return root };

    let mut components = Components::new(members, version, facts);
    let mut security = Security::new(members, version, facts, components.prefix());
    let servers = servers::Servers::new(api, facts, &declared);
    success::add_headers(members, version, &declared, &mut components);
    operation::complete(members, version, &declared, &servers, &mut security, facts, &mut components);
    limits::add(members, version, api, facts, &mut security, &mut components);
    components.finish(members);
    if let Some(before) = documents.file(documents.root()) {
        unused::take(members, before);
    }
    security.finish(members, version, &bundled);
    servers.write(members, version);
    complete_info(members, facts, components.prefix());
    root
}

/// Completes a version such as `3.1`, which is accepted here but by hardly any other tool.
fn complete_version(root: &mut Value, version: Version) {
    let (name, parts) = match version {
        Version::V2 => ("swagger", 2),
        Version::V30 | Version::V31 | Version::V32 => ("openapi", 3),
    };
    let Some(written) = root.get_mut(name) else { return };
    let mut text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
    while text.split('.').count() < parts {
        text.push_str(".0");
    }
    *written = text.into();
}

/// Takes out what an earlier enrichment added, so that it is not added twice.
fn forget_earlier(root: &mut Value, version: Version) {
    let Some(mark) = root.pointer("/info/x-fairgate") else { return };
    let prefix = mark.get(components::PREFIX_MEMBER).and_then(Value::as_str);
    let prefix = prefix.unwrap_or(components::PREFIX).to_owned();
    let Some(members) = root.as_object_mut() else { return };
    let sections = components::KINDS.into_iter().filter_map(|kind| kinds::section(kind, version));
    for names in sections.chain([security::section_names(version)]) {
        if let Some(held) = existing_section(members, names) {
            held.retain(|name, _| !name.starts_with(&prefix));
        }
    }
}

fn complete_info(root: &mut Map<String, Value>, facts: &Facts<'_>, prefix: &str) {
    let docs = facts.address(facts.docs_path);
    if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
        if let Some(email) = facts.support_email {
            let contact = info.entry("contact").or_insert_with(|| json!({}));
            if let Some(contact) = contact.as_object_mut() {
                contact.entry("email").or_insert_with(|| email.into());
            }
        }
        // A number of JSON, whose text is not known any more; YAML's is (reading a document keeps it).
        for name in ["title", "version"] {
            if let Some(value @ (Value::Number(_) | Value::Bool(_))) = info.get_mut(name) {
                *value = value.to_string().into();
            }
        }
        info.insert(
            MARK.to_owned(),
            json!({
                "docs": docs, "errors": format!("{docs}/errors"), "limits": facts.address(facts.limits_path),
                components::PREFIX_MEMBER: prefix,
            }),
        );
    }
    root.entry("externalDocs")
        .or_insert_with(|| json!({ "description": "The errors and limits of this API", "url": docs }));
}

/// The section of components of these names, created if missing. None: there is another kind of value.
fn section_of<'r>(root: &'r mut Map<String, Value>, names: &[&str]) -> Option<&'r mut Map<String, Value>> {
    names.iter().try_fold(root, |held, name| {
        held.entry(*name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
    })
}

fn existing_section<'r>(
    root: &'r mut Map<String, Value>,
    names: &[&str],
) -> Option<&'r mut Map<String, Value>> {
    names.iter().try_fold(root, |held, name| held.get_mut(*name)?.as_object_mut())
}

/// Each operation below `paths` with its path and method, in the order of the document.
fn each_operation(
    root: &mut Map<String, Value>,
    mut call: impl FnMut(&str, &str, &str, &mut Map<String, Value>),
) {
    let Some(Value::Object(paths)) = root.get_mut("paths") else { return };
    for (path, item) in paths.iter_mut().filter(|(path, _)| !path.starts_with("x-")) {
        for (name, value) in item.as_object_mut().into_iter().flatten() {
            if name == "additionalOperations" {
                for (method, operation) in value.as_object_mut().into_iter().flatten() {
                    if let Some(operation) = operation.as_object_mut() {
                        let place = format!("additionalOperations/{}", escape(method));
                        call(path, method, &place, operation);
                    }
                }
            } else if let (Some(method), Some(operation)) = (kinds::method(name), value.as_object_mut()) {
                call(path, &method, name, operation);
            }
        }
    }
}
