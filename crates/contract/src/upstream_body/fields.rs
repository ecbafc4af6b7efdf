//! The parts of a request that an upstream's error names, in the formats of common frameworks.

use super::{
    internals::names_internals,
    json::Json,
    localized::localized,
    path::{Path, segments, steps},
    text::{self, clean, sentence},
};
use crate::{detail::Detail, pointer};

/// Maximum number of violations.
const MAX_DETAILS: usize = 50;
/// Maximum number of characters of a message, and of a name.
const MAX_MESSAGE: usize = 300;
const MAX_NAME: usize = 100;
/// Maximum nesting depth of lists and objects of violations.
const MAX_DEPTH: usize = 8;

/// Members that contain violations.
const CONTAINERS: [&str; 30] = [
    "detail",
    "details",
    "errors",
    "error",
    "message",
    "violations",
    "issues",
    "extra",
    "validation",
    "validationErrors",
    "validation_errors",
    "fieldErrors",
    "field_errors",
    "fieldViolations",
    "field_violations",
    "invalid-params",
    "invalid_params",
    "invalidParams",
    "causes",
    "_issues",
    "ModelState",
    "modelState",
    "parameterViolations",
    "propertyViolations",
    "subErrors",
    "_embedded",
    "properties",
    "formErrors",
    "messages",
    "responseStatus",
];
/// Members with the message of a violation.
const MESSAGES: [&str; 10] = [
    "message",
    "msg",
    "detail",
    "description",
    "errorMessage",
    "defaultMessage",
    "reason",
    "title",
    "error",
    "code",
];
/// Members with the name of the invalid part. The framework's word for a path in a body comes first.
const NAMES: [&str; 16] = [
    "instancePath",
    "dataPath",
    "pointer",
    "path",
    "propertyPath",
    "field",
    "param",
    "parameter",
    "property",
    "propertyName",
    "attribute",
    "attr",
    "fieldName",
    "target",
    "key",
    "name",
];
/// Names that frameworks use for errors about no single member.
const WHOLE: [&str; 9] = [
    "non_field_errors",
    "nonFieldErrors",
    "__all__",
    "__root__",
    "_schema",
    "_errors",
    "base",
    "formErrors",
    "",
];

/// Collects violations.
pub(super) struct Fields {
    /// The place of a value if the upstream does not state it.
    place: &'static str,
    details: Vec<Detail>,
}

impl Fields {
    /// The violations in this error. `place` is where they are if not stated.
    pub(super) fn of(error: &Json<'_>, place: &'static str) -> Vec<Detail> {
        let mut fields = Self { place, details: Vec::new() };
        match error {
            Json::Object(_) => fields.containers(error, 0),
            Json::List(_) => fields.container(error, 0),
            Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Text(_) => {}
        }
        fields.details
    }

    /// The violations of an error that consists only of names with their messages, like those of
    /// Django REST and Rails. Empty for anything else.
    pub(super) fn of_names(error: &Json<'_>, place: &'static str) -> Vec<Detail> {
        let mut fields = Self { place, details: Vec::new() };
        match error {
            Json::Object(members)
                if !members.is_empty() && members.iter().all(|(_, value)| is_of_names(value, 0)) =>
            {
                fields.names(error, place, &mut Vec::new(), 0);
            }
            Json::List(list) if list.iter().any(|one| one.object().is_some()) && is_of_names(error, 0) => {
                fields.names(error, place, &mut Vec::new(), 0);
            }
            Json::Object(_)
            | Json::List(_)
            | Json::Null
            | Json::Boolean(_)
            | Json::Number(_)
            | Json::Text(_) => {}
        }
        fields.details
    }

    /// The members of an object that contain violations.
    fn containers(&mut self, object: &Json<'_>, depth: usize) {
        if depth > MAX_DEPTH || is_tree(object) {
            self.tree(object, &mut Vec::new(), depth);
            return;
        }
        for (name, value) in object.object().unwrap_or_default() {
            // `data` often contains machine-readable information; violations in it are a list, or
            // an object with only names.
            let is_data = name == "data"
                && match value {
                    Json::List(_) => true,
                    Json::Object(members) => {
                        !members.is_empty() && members.iter().all(|(_, value)| is_message(value))
                    }
                    Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Text(_) => false,
                };
            if CONTAINERS.contains(&name.as_ref()) || is_data {
                self.container(value, depth + 1);
            }
        }
        // The parameter that one message is about, as in payment APIs.
        if let (Some(name), Some(message)) = (object.text_of("param"), object.text_of("message")) {
            self.push(self.place, &segments(name), message);
        }
        if let Some(keys) = object.get("validation").and_then(|validation| keys(validation)) {
            let message = object.text_of("message").unwrap_or_default();
            self.keys(keys, message);
        }
    }

    fn container(&mut self, value: &Json<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        // OData: a message and its language. Others have one for each language.
        let is_odata = value.text_of("value").is_some() && value.text_of("lang").is_some();
        if is_odata || localized(value).is_some() {
            return;
        }
        match value {
            Json::List(list) => list.iter().for_each(|one| self.item(one, self.place, None, depth)),
            Json::Object(members)
                if is_message(value) || members.iter().any(|(name, value)| is_container(name, value)) =>
            {
                self.containers(value, depth);
            }
            Json::Object(_) => self.names(value, self.place, &mut Vec::new(), depth),
            // A list serialized as text, like Zod's errors.
            Json::Text(text) if text.starts_with('[') => {
                if let Some(list @ Json::List(_)) = Json::read(text.as_bytes()) {
                    self.container(&list, depth + 1);
                }
            }
            Json::Text(_) | Json::Null | Json::Boolean(_) | Json::Number(_) => {}
        }
    }

    /// One violation. `place` and `under` are its location if it does not state one.
    fn item(&mut self, item: &Json<'_>, place: &'static str, under: Option<&[String]>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let path = under.unwrap_or_default();
        let Json::Object(members) = item else {
            // Messages without a location belong to the main message.
            if let (Some(text), false) = (item.text(), path.is_empty()) {
                self.push(place, path, text);
            }
            return;
        };
        // GraphQL: its path is one in the response.
        if item.get("locations").is_some() || item.get("extensions").is_some() {
            return;
        }
        if let Some(keys) = keys(item) {
            self.keys(keys, message_of(item).unwrap_or_default());
            return;
        }
        if let Some(constraints) = item.get("constraints").and_then(Json::object) {
            let path = [path, &item.text_of("property").map(segments).unwrap_or_default()].concat();
            for (_, text) in constraints {
                self.push(place, &path, text.text().unwrap_or_default());
            }
            return;
        }
        let names = ["fields", "members"].into_iter().find_map(|name| item.get(name).and_then(Json::list));
        if let (Some(names), Some(message)) = (names, message_of(item)) {
            self.keys((place, names), message);
            return;
        }
        let located = locate(item, place);
        let named = located.is_some() || under.is_some();
        match (named, message_of(item)) {
            (true, Some(message)) => match located {
                Some((place, path)) => self.push(place, &path, message),
                None => self.push(place, path, message),
            },
            (_, _) if members.iter().any(|(name, value)| is_container(name, value)) => {
                self.containers(item, depth + 1);
            }
            (_, _) if members.iter().all(|(_, value)| is_of_names(value, 0)) => {
                self.names(item, place, &mut path.to_vec(), depth + 1);
            }
            (_, _) => {}
        }
    }

    /// An object whose members are names with their messages: a text, a list of texts, or another
    /// such object.
    fn names(&mut self, value: &Json<'_>, place: &'static str, path: &mut Path, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Json::Text(text) => self.push(place, path, text),
            Json::List(list) => {
                for (position, one) in list.iter().enumerate() {
                    match one {
                        Json::Text(text) => self.push(place, path, text),
                        Json::Object(_) if is_message(one) => self.item(one, place, Some(path), depth + 1),
                        Json::Object(_) => {
                            path.push(position.to_string());
                            self.names(one, place, path, depth + 1);
                            path.pop();
                        }
                        Json::List(_) | Json::Null | Json::Boolean(_) | Json::Number(_) => {}
                    }
                }
            }
            Json::Object(_) if is_message(value) || keys(value).is_some() => {
                self.item(value, place, Some(path), depth + 1)
            }
            Json::Object(members) => {
                let places = path.is_empty() && members.iter().all(|(name, _)| place_of(name).is_some());
                for (name, value) in members {
                    let place = if places { place_of(name).unwrap_or(place) } else { place };
                    let step =
                        if places || WHOLE.contains(&name.as_ref()) { Vec::new() } else { segments(name) };
                    let before = path.len();
                    path.extend(step);
                    self.names(value, place, path, depth + 1);
                    path.truncate(before);
                }
            }
            Json::Null | Json::Boolean(_) | Json::Number(_) => {}
        }
    }

    /// Zod's tree: `errors` of a value, next to its `properties` or `items`.
    fn tree(&mut self, tree: &Json<'_>, path: &mut Path, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for text in tree.get("errors").and_then(Json::list).unwrap_or_default() {
            if !path.is_empty() {
                self.push(self.place, path, text.text().unwrap_or_default());
            }
        }
        for (name, value) in tree.get("properties").and_then(Json::object).unwrap_or_default() {
            path.push(name.to_string());
            self.tree(value, path, depth + 1);
            path.pop();
        }
        for (position, value) in tree.get("items").and_then(Json::list).unwrap_or_default().iter().enumerate()
        {
            path.push(position.to_string());
            self.tree(value, path, depth + 1);
            path.pop();
        }
    }

    /// Several names with the same message.
    fn keys(&mut self, (place, keys): (&'static str, &[Json<'_>]), message: &str) {
        for key in keys.iter().filter_map(Json::text) {
            self.push(place, &segments(key), message);
        }
    }

    fn push(&mut self, place: &'static str, path: &[String], message: &str) {
        if self.details.len() >= MAX_DETAILS {
            return;
        }
        // A name is one of the request's, unless it tells of a machine.
        let is_internal = path.iter().any(|step| names_internals(step));
        let Some(message) = sentence(message, MAX_MESSAGE).filter(|_| !is_internal) else { return };
        let name = clean(path.last().map_or("", String::as_str), MAX_NAME).unwrap_or_default();
        let detail = if place == "body" {
            let mut pointer = String::new();
            path.iter().for_each(|step| pointer::push(&mut pointer, step));
            let pointer = clean(&pointer, text::MAX_MESSAGE);
            Detail { place, name, pointer, message }
        } else {
            let name = clean(&path.join("."), MAX_NAME).unwrap_or_default();
            Detail { place, name, pointer: None, message }
        };
        if !self.details.contains(&detail) {
            self.details.push(detail);
        }
    }
}

/// The details of an error specification, each with the members that the specification gives it and no other.
pub(super) fn specified(details: &[Json<'_>], place: &'static str) -> Vec<Detail> {
    let detail = |item: &Json<'_>| {
        let (name, pointer) = (item.text_of("name").unwrap_or_default(), item.text_of("pointer"));
        let mut steps = pointer.into_iter().flat_map(pointer::names);
        if names_internals(name) || steps.any(|step| names_internals(&step)) {
            return None;
        }
        Some(Detail {
            place: item.text_of("in").and_then(place_of).unwrap_or(place),
            name: clean(name, MAX_NAME).unwrap_or_default(),
            pointer: pointer.and_then(|pointer| clean(pointer, text::MAX_MESSAGE)),
            message: sentence(item.text_of("message")?, text::MAX_MESSAGE)?,
        })
    };
    // The last one may count those that are left out.
    details.iter().take(MAX_DETAILS + 1).filter_map(detail).collect()
}

/// The location that a violation states.
fn locate(item: &Json<'_>, place: &'static str) -> Option<(&'static str, Path)> {
    // pydantic: the place, then the path.
    if let Some(loc) = item.get("loc").and_then(Json::list) {
        let mut path = steps(loc);
        let known = path.first().and_then(|first| place_of(first));
        if known.is_some() {
            path.remove(0);
        }
        // The number is a character offset.
        let is_whole = item.text_of("type") == Some("json_invalid");
        return Some((known.unwrap_or(place), if is_whole { Vec::new() } else { path }));
    }
    // JSON:API.
    if let Some(source) = item.get("source").filter(|source| source.object().is_some()) {
        return match (source.text_of("pointer"), source.text_of("parameter"), source.text_of("header")) {
            (Some(pointer), _, _) => Some(("body", segments(pointer))),
            (None, Some(name), _) => Some(("query", vec![name.to_owned()])),
            (None, None, Some(name)) => Some(("header", vec![name.to_owned()])),
            (None, None, None) => None,
        };
    }
    let stated =
        ["in", "location", "source", "locationType", "on"].into_iter().find_map(|name| item.text_of(name));
    let known = stated.and_then(place_of);
    for name in NAMES {
        match item.get(name) {
            Some(Json::List(path)) => return Some((known.unwrap_or(place), steps(path))),
            Some(Json::Text(text)) if name != "name" || is_named(item, known.is_some()) => {
                let mut path = segments(text);
                // "/body/name", from validators for OpenAPI documents.
                if let (None, true, Some(first)) = (known, text.starts_with('/'), path.first())
                    && let Some(first) = place_of(first)
                        .filter(|_| path.len() > 1 && !matches!(first.as_str(), "data" | "json"))
                {
                    path.remove(0);
                    return Some((first, path));
                }
                return Some((known.unwrap_or(place), path));
            }
            Some(_) | None => {}
        }
    }
    // "body.items[0].name", "query.limit".
    let mut path = segments(stated?);
    let known = place_of(path.first()?)?;
    path.remove(0);
    Some((known, path))
}

/// Whether `name` is the name of the invalid part, not that of the error: it is next to a reason or a place.
fn is_named(item: &Json<'_>, has_place: bool) -> bool {
    has_place || item.text_of("reason").is_some()
}

/// `source` and `keys`, with which hapi and celebrate name the invalid parts.
fn keys<'j, 'b>(item: &'j Json<'b>) -> Option<(&'static str, &'j [Json<'b>])> {
    Some((place_of(item.text_of("source")?)?, item.get("keys")?.list()?))
}

fn message_of<'j>(item: &'j Json<'_>) -> Option<&'j str> {
    MESSAGES.into_iter().find_map(|name| match item.get(name)? {
        Json::Text(text) => Some(text.as_ref()),
        Json::List(list) => list.first()?.text(),
        Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Object(_) => None,
    })
}

/// Whether an object is one error, not an object of names: it has a message of its own.
fn is_message(value: &Json<'_>) -> bool {
    ["message", "msg", "detail", "description", "errorMessage", "reason", "error_description"]
        .into_iter()
        .any(|name| match value.get(name) {
            Some(Json::Text(_)) => true,
            // Play: a list of texts next to their arguments. Alone it is a member with this name.
            Some(Json::List(_)) => name == "msg" && value.get("args").is_some(),
            Some(Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Object(_)) | None => false,
        })
}

fn is_container(name: &str, value: &Json<'_>) -> bool {
    CONTAINERS.contains(&name)
        && match value {
            // `errors` of a field would be a list of texts, and of a form one of objects.
            Json::List(list) => list.iter().any(|one| one.object().is_some()),
            Json::Object(_) => name != "detail" && name != "error" || is_message(value),
            Json::Text(text) => name == "message" && text.starts_with('['),
            Json::Null | Json::Boolean(_) | Json::Number(_) => false,
        }
        || matches!(name, "fieldErrors" | "field_errors") && value.object().is_some()
}

/// Whether a value contains messages for a name: texts, or names with texts.
fn is_of_names(value: &Json<'_>, depth: usize) -> bool {
    match value {
        Json::List(list) => list.iter().all(|one| one.text().is_some() || is_nested(one, depth)),
        Json::Object(_) => is_nested(value, depth),
        Json::Text(_) | Json::Null | Json::Boolean(_) | Json::Number(_) => false,
    }
}

fn is_nested(value: &Json<'_>, depth: usize) -> bool {
    let members = value.object();
    depth < MAX_DEPTH && members.is_some_and(|all| all.iter().all(|(_, value)| is_of_names(value, depth + 1)))
}

fn is_tree(value: &Json<'_>) -> bool {
    value.get("errors").and_then(Json::list).is_some()
        && (value.get("properties").and_then(Json::object).is_some()
            || value.get("items").and_then(Json::list).is_some())
}

/// The part of a request for a framework's word.
fn place_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "body" | "json" | "payload" | "form" | "formData" | "data" | "json_or_form" => "body",
        "query" | "querystring" | "queryString" | "query_string" | "queryParameter" => "query",
        "path" | "params" | "param" | "url" | "uri" | "view_args" => "path",
        "header" | "headers" => "header",
        "cookie" | "cookies" => "cookie",
        _ => return None,
    })
}
