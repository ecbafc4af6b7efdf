//! The contract of each operation: its errors, its key, its cost, and whether it is deprecated or has moved.

use super::{
    codes::Row,
    components::Components,
    declared::{Declaration, Declared, words_hold},
    each_operation,
    facts::Facts,
    security::{Security, sentence},
    servers::Servers,
};
use crate::{api::Access, documents::Version};
use contract::{ErrorCode, Status};
use serde_json::{Map, Value, json};

/// Writes the contract onto every operation.
pub(super) fn complete(
    root: &mut Map<String, Value>,
    version: Version,
    declared: &Declared,
    servers: &Servers<'_>,
    security: &mut Security,
    facts: &Facts<'_>,
    components: &mut Components<'_>,
) {
    if version == Version::V2 {
        add_produces(root);
    }
    let mut declarations = declared.operations.iter();
    each_operation(root, |_, method, _, operation| {
        let Some(declaration) = declarations.next() else { return };
        add_errors(operation, declaration, method, facts, components);
        add_security(operation, declaration, version, security);
        add_remarks(operation, declaration);
        if let Some(own) = servers.own(&declaration.known.bases, version) {
            operation.insert("servers".to_owned(), own);
        }
        if version == Version::V2 && operation.contains_key("produces") {
            add_produces(operation);
        }
    });
}

/// The errors that can happen at an operation, in the order of the table.
fn add_errors(
    operation: &mut Map<String, Value>,
    declaration: &Declaration,
    method: &str,
    facts: &Facts<'_>,
    components: &mut Components<'_>,
) {
    let is_public = declaration.is_public();
    let known = &declaration.known;
    let responses = operation.entry("responses").or_insert_with(|| Value::Object(Map::new()));
    let Some(responses) = responses.as_object_mut() else { return };
    let mut rows: Vec<(u16, Value)> = Vec::new();
    for status in statuses(declaration) {
        let row = Row::new(status, !is_public, known.has_body, method, facts);
        let own = match &known.exposed.moved_to {
            Some(to) => Some(format!("This endpoint has moved to {to}.")),
            None => words(declaration, status),
        };
        rows.push((row.number, components.response(row, own)));
    }
    rows.sort_by_key(|(number, _)| *number);
    responses.extend(rows.into_iter().map(|(number, response)| (number.to_string(), response)));
}

/// The rows of the table that an operation can answer with.
fn statuses(declaration: &Declaration) -> Vec<Status> {
    let exposed = &declaration.known.exposed;
    if exposed.moved_to.is_some() {
        return vec![Status::Moved];
    }
    let mut statuses = vec![
        Status::Moved,
        Status::NotValid,
        Status::NotFound,
        Status::LimitExceeded,
        Status::Unexpected,
        Status::Unavailable,
    ];
    if exposed.access != Access::Public {
        statuses.extend([Status::NoPermission, Status::KeyRefused]);
    }
    if declaration.known.has_schema {
        statuses.push(Status::Unprocessable);
    }
    for status in declaration.errors.iter().map(|(code, _)| code.status()) {
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    statuses
}

/// The document's descriptions of a row at an operation.
fn words(declaration: &Declaration, status: Status) -> Option<String> {
    if !words_hold(status, declaration.is_public()) {
        return None;
    }
    let mut own: Vec<&str> = Vec::new();
    for (code, text) in &declaration.errors {
        if let Some(text) = text
            && ErrorCode::status(*code) == status
            && !own.contains(&text.as_str())
        {
            own.push(text);
        }
    }
    (!own.is_empty()).then(|| own.join("\n\n"))
}

fn add_security(
    operation: &mut Map<String, Value>,
    declaration: &Declaration,
    version: Version,
    security: &mut Security,
) {
    let exposed = &declaration.known.exposed;
    // Everyone may know where an endpoint has moved.
    let access = if exposed.moved_to.is_some() { &Access::Public } else { &exposed.access };
    let requirements = security.requirements(access, version, declaration.security.as_ref());
    operation.insert("security".to_owned(), requirements);
    operation.shift_remove("x-fairgate-permissions");
    if let (Access::Keys(sets), Some(sentence)) = (access, sentence(access)) {
        add_sentence(operation, &sentence);
        match version {
            Version::V2 | Version::V30 => {
                operation.insert("x-fairgate-permissions".to_owned(), json!(sets));
            }
            Version::V31 | Version::V32 => {}
        }
    }
}

fn add_remarks(operation: &mut Map<String, Value>, declaration: &Declaration) {
    let exposed = &declaration.known.exposed;
    operation.shift_remove("x-fairgate-cost");
    if exposed.cost > 1 && exposed.moved_to.is_none() {
        add_sentence(operation, &format!("Costs {} units of the limits.", exposed.cost));
        operation.insert("x-fairgate-cost".to_owned(), exposed.cost.into());
    }
    if let Some(to) = &exposed.moved_to {
        add_sentence(operation, &format!("This endpoint has moved to {to}."));
    }
    if exposed.deprecated {
        operation.insert("deprecated".to_owned(), true.into());
    } else {
        operation.shift_remove("deprecated");
    }
}

/// Adds a sentence to a description, as a paragraph of its own.
fn add_sentence(operation: &mut Map<String, Value>, sentence: &str) {
    let held = operation.entry("description").or_insert_with(|| "".into());
    if let Value::String(text) = held
        && !text.contains(sentence)
    {
        *text = if text.trim().is_empty() {
            sentence.to_owned()
        } else {
            format!("{}\n\n{sentence}", text.trim_end())
        };
    }
}

/// Swagger 2.0 declares the media types of all responses of an operation at once.
fn add_produces(held: &mut Map<String, Value>) {
    let Some(produces) = held.entry("produces").or_insert_with(|| json!([])).as_array_mut() else { return };
    for media_type in ["application/json", "application/problem+json"] {
        if !produces.iter().any(|held| held == media_type) {
            produces.push(media_type.into());
        }
    }
}
