//! Paths: their items, merged from references, and the operations of each.

use super::{Reader, bases, known::Kind, objects::Object, operations::Around, template::Template};
use crate::{
    api::{Access, Operation, foreign_name, parameter_name},
    documents::{Place, Version},
    text::quoted,
};
use serde_json::Value;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl<'d> Reader<'d> {
    /// Every operation, in the order of the document.
    pub(super) fn paths(
        &mut self,
        root: &Object<'d>,
        security: Option<&Access>,
        bases: &[String],
    ) -> Vec<Operation> {
        let mut operations = Vec::new();
        if root.get("paths").is_none() && self.version < Version::V31 {
            self.notes.fault(&root.place, "The document needs `paths`.", "");
        }
        let Some(paths) = self.object(root, "paths") else { return operations };
        for path in paths.members.keys().filter(|path| !path.starts_with("x-")) {
            let place = paths.place.child(path);
            let Some(template) = self.template(path, &place) else { continue };
            let before = operations.len();
            if paths.get(path).is_some() {
                let around = Around { root, path, template: &template, security, bases };
                self.path_item(&place, &around, &mut operations);
            }
            if operations.len() == before && !self.room.spent {
                let from = match paths.get(path).and_then(|item| item.get("$ref")).and_then(Value::as_str) {
                    Some(reference) => format!(" (its $ref leads to {})", quoted(reference)),
                    None => String::new(),
                };
                let message = format!(
                    "The path has no operation{from}: every request to it gets a 404. Declare its methods, or remove the path."
                );
                self.notes.warn(&place, message);
            }
        }
        operations
    }

    /// A path that can be served.
    fn template(&mut self, path: &str, place: &Place) -> Option<Template> {
        if path.contains(['?', '#']) {
            let message = "The path contains a ? or #, so no request can match it; it is ignored.";
            self.notes.warn(place, message);
            return None;
        }
        if !path.starts_with('/') {
            self.notes.fault(
                place,
                format!("A path must begin with a slash, but this one is {}.", quoted(path)),
                "",
            );
            return None;
        }
        if has_broken_escape(path) {
            let message = format!(
                "The path {} has a % that is not followed by two hexadecimal digits, so no request can match it: write %25 for a percent sign.",
                quoted(path)
            );
            self.notes.warn(place, message);
        }
        match Template::parse(path) {
            Ok(template) if template.has_neighbours() => {
                let message = format!(
                    "The path {} has two parameters with nothing between them, so no request can be matched to it; it is \
                     ignored.",
                    quoted(path)
                );
                self.notes.warn(place, message);
                None
            }
            Ok(template) => {
                for name in template.names.iter().filter(|name| is_foreign(name)) {
                    let plain = parameter_name(name);
                    let message = format!(
                        "The path's {{{name}}} uses the notation of a framework and matches one segment of the path: write {{*{plain}}} to match the rest of the path, or {{{plain}}}."
                    );
                    self.notes.warn(place, message);
                }
                for segment in path.split('/') {
                    if let Some(name) = foreign_name(segment) {
                        let message = format!(
                            "The path's {} would be taken literally, not as a parameter: write a parameter as a name \
                             between braces: {{{name}}}.",
                            quoted(segment)
                        );
                        self.notes.warn(place, message);
                    } else if let Some(name) = foreign_rest(segment) {
                        let message = format!(
                            "The path's {} would be taken literally, not as a wildcard: write {{*{name}}} as the last segment \
                             to match the rest of the path.",
                            quoted(segment)
                        );
                        self.notes.warn(place, message);
                    }
                }
                if let Some(name) = template.duplicate() {
                    let message = format!("The path has the parameter {} twice.", quoted(name));
                    self.notes.fault(place, message, "");
                }
                Some(template)
            }
            Err(sentence) => {
                self.notes.fault(place, sentence, "");
                None
            }
        }
    }

    /// The operations of a path item. One that is a reference may have members of its own beside it, which win.
    fn path_item(&mut self, place: &Place, around: &Around<'_, 'd>, operations: &mut Vec<Operation>) {
        if self.room.spent {
            return;
        }
        let Some(own) = self.object_at(place) else { return };
        let item = if own.get("$ref").is_some() {
            let Some(target) = self.followed(place) else { return };
            self.beside(&own, "path item");
            target
        } else {
            own
        };
        self.known(&item, Kind::PathItem);
        let servers = self.own_servers(&item);
        let bases = servers.as_deref().unwrap_or(around.bases);
        let around = Around { bases, ..*around };
        let inherited = self.parameters(&item);
        for name in item.members.keys() {
            let method = match name.as_str() {
                "query" if self.version >= Version::V32 => "QUERY".to_owned(),
                "additionalOperations" if self.version >= Version::V32 => {
                    self.additional(&item, &inherited, &around, operations);
                    continue;
                }
                name if METHODS.contains(&name) => name.to_ascii_uppercase(),
                _ => continue,
            };
            if let Some(operation) = self.operation_at(&item, name) {
                self.operation(&operation, method, &inherited, &around, operations);
            }
        }
    }

    /// The operation that a member is. It may be a reference, as tools write it that take documents apart.
    fn operation_at(&mut self, parent: &Object<'d>, name: &str) -> Option<Object<'d>> {
        let place = parent.place.child(name);
        if parent.get(name).is_none() {
            let message = "The operation has no value and is left out: write an object, at least {}.";
            self.notes.warn(&place, message);
            return None;
        }
        let target = self.followed(&place)?;
        // Each reference on the way to it may have members beside it.
        let mut on_the_way = place;
        while on_the_way != target.place {
            let own = self.object_at(&on_the_way)?;
            if own.get("security").is_some() {
                let message = "The operation has security beside its $ref, which would not be asked for: move it to \
                               where the $ref leads.";
                self.notes.fault(&on_the_way.child("security"), message, "");
            }
            self.beside(&own, "operation");
            let reference = own.get("$ref").and_then(Value::as_str).unwrap_or_default();
            on_the_way = self.documents.resolve(&on_the_way, reference).ok()?;
        }
        Some(target)
    }

    /// Warns about members beside a reference, which are not read.
    pub(super) fn beside(&mut self, object: &Object<'d>, what: &str) {
        let is_read =
            |name: &str| matches!(name, "$ref" | "summary" | "description") || name.starts_with("x-");
        let ignored: Vec<&str> =
            object.members.keys().map(String::as_str).filter(|name| !is_read(name)).collect();
        if !ignored.is_empty() {
            let message =
                format!("The members beside the $ref of the {what} are ignored: {}.", ignored.join(", "));
            self.notes.warn(&object.place, message);
        }
    }

    /// Operations whose methods the specification does not name.
    fn additional(
        &mut self,
        item: &Object<'d>,
        inherited: &[super::Read],
        around: &Around<'_, 'd>,
        operations: &mut Vec<Operation>,
    ) {
        let Some(more) = self.object(item, "additionalOperations") else { return };
        for method in more.members.keys() {
            let place = more.place.child(method);
            if METHODS.contains(&method.to_ascii_lowercase().as_str())
                && method.bytes().all(|byte| byte.is_ascii_uppercase())
            {
                let message = format!("The method {method} has its own field in the path item.");
                self.notes.fault(&place, message, "");
            } else if !super::security::is_token(method) {
                self.notes.fault(&place, format!("{} is not a valid method.", quoted(method)), "");
            } else if method.bytes().all(|byte| byte.is_ascii_lowercase()) {
                let message = format!(
                    "The operation is left out: methods are case-sensitive, and no client sends {}. Write {}.",
                    quoted(method),
                    method.to_ascii_uppercase()
                );
                self.notes.warn(&place, message);
            } else if let Some(operation) = self.operation_at(&more, method) {
                self.operation(&operation, method.clone(), inherited, around, operations);
            }
        }
    }

    /// The base paths of an item's or operation's own servers.
    pub(super) fn own_servers(&mut self, object: &Object<'d>) -> Option<Vec<String>> {
        if self.version == Version::V2 {
            return None;
        }
        let bases = self.servers(object)?;
        self.usable_bases(&object.place.child("servers"), &bases);
        Some(if bases.is_empty() { bases::own() } else { bases })
    }
}

/// Whether a name is written as frameworks write what takes the rest of a path, or what a pattern restricts.
fn is_foreign(name: &str) -> bool {
    parameter_name(name) != name.trim_start_matches('*')
}

/// The name of what takes the rest of a path in the notation of another framework: `*`, `*rest`, `[...slug]`, `(.*)`, `{p}*`.
fn foreign_rest(segment: &str) -> Option<&str> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let nameless = matches!(segment, "*" | "**" | "(.*)" | ".*" | "(*)").then_some("rest");
    let starred = segment.strip_prefix('*').map(|name| name.trim_start_matches('*')).filter(is_name);
    let squared = segment.trim_start_matches('[').strip_prefix("...").map(|name| name.trim_end_matches(']'));
    let braced =
        segment.strip_prefix('{').and_then(|name| name.strip_suffix("}*").or(name.strip_suffix("}(.*)")));
    nameless
        .or(starred)
        .or(squared.filter(|name| segment.starts_with('[') && is_name(name)))
        .or(braced.filter(is_name))
}

/// Whether there is a percent sign that begins no escape. Those in names are not part of a request.
fn has_broken_escape(path: &str) -> bool {
    let mut in_name = false;
    path.char_indices().any(|(at, c)| {
        in_name = c == '{' || (in_name && c != '}');
        let digits = path.as_bytes().get(at + 1..at + 3).unwrap_or_default();
        c == '%' && !in_name && !(digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit))
    })
}
