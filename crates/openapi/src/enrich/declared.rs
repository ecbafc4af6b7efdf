//! What the document itself declares about the responses of an operation: what stays, and what never
//! reaches a client.

use super::{
    components::OWN_DESCRIPTION,
    each_operation,
    facts::{ByOperation, Facts, Known},
    paths::Origins,
};
use crate::{
    api::Access,
    documents::{Documents, Scope},
};
use contract::{
    ErrorCode, Status,
    pointer::escape,
    upstream::{Disposition, disposition, may_keep_message},
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// What was declared, of all operations in the order of the document.
pub(super) struct Declared {
    pub(super) operations: Vec<Declaration>,
    /// Places that are not in the document any more.
    pub(super) removed: HashSet<String>,
    /// Base paths of operations that have servers of their own, at the position of the operation.
    pub(super) own_servers: HashSet<usize>,
}

/// What was declared of an operation, beside its successes.
pub(super) struct Declaration {
    pub(super) known: Known,
    /// Errors that the document declares here, with its descriptions.
    pub(super) errors: Vec<(ErrorCode, Option<String>)>,
    /// Its own security requirements.
    pub(super) security: Option<Value>,
}

impl Declaration {
    /// Whether it is answered without a key. What has moved is: everyone may know where.
    pub(super) fn is_public(&self) -> bool {
        let exposed = &self.known.exposed;
        exposed.moved_to.is_some() || exposed.access == Access::Public
    }
}

/// Removes from each operation what the gateway declares instead.
pub(super) fn take(
    root: &mut Value,
    documents: &Documents,
    origins: &Origins,
    exposed: &ByOperation,
    facts: &Facts<'_>,
) -> Declared {
    let mut declared =
        Declared { operations: Vec::new(), removed: HashSet::new(), own_servers: HashSet::new() };
    let Some(members) = root.as_object_mut() else { return declared };
    let with_servers = take_path_servers(members);
    each_operation(members, |path, method, name, operation| {
        let scope = origins.of_operation(path, name, documents.root_scope());
        let known = exposed.get(&(path.to_owned(), method.to_owned())).cloned().unwrap_or_default();
        // Its own declaration is a placeholder for the one that is written at the end, so that bundling can
        // distinguish the gateway's operations from others.
        let security = operation.insert("security".to_owned(), Value::Array(Vec::new()));
        if operation.shift_remove("servers").is_some() || with_servers.contains(path) {
            declared.own_servers.insert(declared.operations.len());
        }
        let place = format!("/paths/{}/{name}/responses", escape(path));
        let mut errors = Vec::new();
        let is_root = scope.file == documents.root();
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            let gone = sort(responses, &known, facts, |status, response| {
                errors.push((status, description(response, documents, scope)));
            });
            if is_root {
                declared.removed.extend(gone.into_iter().map(|name| format!("{place}/{name}")));
            }
        }
        declared.operations.push(Declaration { known, errors, security });
    });
    declared
}

fn take_path_servers(root: &mut Map<String, Value>) -> HashSet<String> {
    let paths = root.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths
        .filter_map(|(path, item)| item.as_object_mut()?.shift_remove("servers").map(|_| path.clone()))
        .collect()
}

/// Keeps the successes. Calls `error` with each error that is taken out, and returns the names of all
/// that is taken out.
fn sort(
    responses: &mut Map<String, Value>,
    known: &Known,
    facts: &Facts<'_>,
    mut error: impl FnMut(ErrorCode, &Value),
) -> Vec<String> {
    let moved = known.exposed.moved_to.is_some();
    let has_success = responses.keys().any(|name| is_success(name, facts));
    let mut gone = Vec::new();
    responses.retain(|name, response| {
        if name.starts_with("x-") {
            return true;
        }
        let keep = !moved && (is_success(name, facts) || (name == "default" && !has_success));
        if !keep {
            gone.push(name.clone());
            match name.as_str() {
                "default" => facts.extra_codes.iter().for_each(|&extra| {
                    error(ErrorCode::of_extra(extra), &Value::Null);
                }),
                "4XX" | "4xx" => facts.extra_codes.iter().for_each(|&extra| {
                    error(ErrorCode::of_extra(extra), &Value::Null);
                }),
                number => {
                    if let Some(Disposition::Replace(code)) =
                        number.parse().ok().map(|number| disposition(number, facts.extra_codes))
                    {
                        error(code, response);
                    }
                }
            }
        }
        keep
    });
    gone
}

fn is_success(name: &str, facts: &Facts<'_>) -> bool {
    match name {
        "2XX" | "3XX" | "2xx" | "3xx" => true,
        number => {
            number.parse().is_ok_and(|number| disposition(number, facts.extra_codes) == Disposition::Pass)
        }
    }
}

/// The document's description of a response, as far as it still applies to what the client gets.
///
/// Words about keys, limits and failures are about what the gateway has taken over, so its own are
/// the true ones.
fn description(response: &Value, documents: &Documents, scope: Scope) -> Option<String> {
    let mut found = response;
    if let Some(reference) = response.get("$ref").and_then(Value::as_str) {
        let target = documents.resolve_in(scope, reference).ok()?;
        found = documents.get(&documents.follow(&target).ok()?)?;
    }
    if found.get(super::MARK).is_some() {
        return found.get(OWN_DESCRIPTION).and_then(Value::as_str).map(str::to_owned);
    }
    let text = found.get("description")?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether the document's description of an error may be kept beside the contract's.
pub(super) fn words_hold(status: Status, is_public: bool) -> bool {
    match status {
        Status::NoPermission => is_public,
        Status::KeyRefused | Status::LimitExceeded | Status::Moved => false,
        Status::NotValid
        | Status::NotFound
        | Status::Unprocessable
        | Status::Unexpected
        | Status::Unavailable
        | Status::Extra(_) => may_keep_message(status),
    }
}
