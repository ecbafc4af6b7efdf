//! Several files become one: what references bring in from elsewhere becomes a component.
//!
//! Each target becomes a component once, however often it is referred to, so cycles end and the
//! result is linear in the size of the files. References within the document stay unchanged.

use super::{
    kinds::{Holds, Kind, member, section},
    names::Names,
    operations,
    paths::{self, Origins},
};
use crate::documents::{Documents, Place, Scope, Version};
use contract::pointer::{escape, unescape};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet, hash_map::Entry};

/// Deeper objects keep their references unbundled: no document that people use comes near it, and
/// it keeps the stack small whatever a document holds.
const DEEPEST: usize = 400;

/// What the documents refer to from afar, on its way into the components.
pub(super) struct Bundle<'d> {
    documents: &'d Documents,
    version: Version,
    /// Places of the root file that the enriched document does not have any more.
    removed: &'d HashSet<String>,
    /// The reference to a place.
    made: HashMap<(Place, Kind), String>,
    /// Names in use, by the last name of their section.
    taken: HashMap<&'static str, Names>,
    waiting: Vec<Waiting>,
    /// The locations of the document's operations, by the places that links refer to.
    operations: HashMap<Place, String>,
    /// How many values may still be copied.
    copies: usize,
    /// Security schemes named by operations that the gateway does not serve, such as callbacks.
    pub(super) schemes: HashSet<String>,
    /// Whether one of those operations relies on the security of the whole document.
    pub(super) inherits_security: bool,
}

struct Waiting {
    place: Place,
    kind: Kind,
    section: &'static [&'static str],
    name: String,
}

/// Bundles a whole document. `origins` has the path items that came from another file.
pub(super) fn bundle<'d>(
    root: &mut Value,
    documents: &'d Documents,
    origins: &Origins,
    removed: &'d HashSet<String>,
) -> Bundle<'d> {
    let version = documents.version();
    let mut bundle = Bundle {
        documents,
        version,
        removed,
        made: HashMap::new(),
        taken: taken(root, version),
        waiting: Vec::new(),
        operations: operations::by_place(documents),
        copies: paths::REPEATED,
        schemes: HashSet::new(),
        inherits_security: false,
    };
    bundle.adopt(root);
    let Some(members) = root.as_object_mut() else { return bundle };
    for (name, value) in members.iter_mut() {
        if name == "paths" {
            for (path, item) in value.as_object_mut().into_iter().flatten() {
                bundle.path_item(path, item, origins);
            }
        } else if let Some(holds) = member(Kind::Document, name) {
            bundle.each(value, holds, documents.root_scope(), 0);
        }
    }
    bundle.fill(members);
    bundle
}

/// Kinds that components may be.
const KINDS: [Kind; 11] = [
    Kind::PathItem,
    Kind::Parameter,
    Kind::Header,
    Kind::RequestBody,
    Kind::Response,
    Kind::MediaType,
    Kind::Schema,
    Kind::Example,
    Kind::Link,
    Kind::Callback,
    Kind::SecurityScheme,
];

fn taken(root: &Value, version: Version) -> HashMap<&'static str, Names> {
    let sections = KINDS.into_iter().filter_map(|kind| section(kind, version));
    sections
        .filter_map(|names| {
            let held = names.iter().try_fold(root, |value, name| value.get(name))?;
            Some((*names.last()?, held.as_object()?.keys().cloned().collect()))
        })
        .collect()
}

impl Bundle<'_> {
    /// A component that is only a reference to elsewhere gives its name to the target.
    fn adopt(&mut self, root: &mut Value) {
        let root_file = self.documents.root();
        for kind in KINDS {
            let Some(section) = section(kind, self.version) else { continue };
            let held = section.iter().try_fold(&mut *root, |value, name| value.get_mut(name));
            for (name, value) in held.and_then(Value::as_object_mut).into_iter().flatten() {
                let Some(members) = value.as_object().filter(|members| members.len() == 1) else { continue };
                let Some(reference) = members.get("$ref").and_then(Value::as_str) else { continue };
                let place = self.documents.resolve_in(self.documents.root_scope(), reference);
                let Some(place) = place.ok().filter(|place| place.file != root_file) else { continue };
                let key = (place.clone(), kind);
                if let Entry::Vacant(made) = self.made.entry(key) {
                    let pointer = format!("/{}/{}", section.join("/"), escape(name));
                    made.insert(as_reference(&pointer));
                    self.waiting.push(Waiting { place, kind, section, name: name.clone() });
                    *value = Value::Null; // the target is moved here
                }
            }
        }
    }

    /// Copies what is waited for into the document, and what that refers to in turn.
    fn fill(&mut self, root: &mut Map<String, Value>) {
        while let Some(waiting) = self.waiting.pop() {
            let Some(found) = self.documents.get(&waiting.place) else { continue };
            let mut value = found.clone();
            if waiting.kind == Kind::Schema {
                make_dependent(&mut value);
            }
            self.walk(&mut value, waiting.kind, self.documents.scope(&waiting.place), 0);
            if let Some(held) = super::section_of(root, waiting.section) {
                held.insert(waiting.name, value);
            }
        }
    }

    /// A path item, whose operations may have come from other files than itself.
    fn path_item(&mut self, path: &str, item: &mut Value, origins: &Origins) {
        let root = self.documents.root_scope();
        let scope = origins.of_item(path, root);
        let Some(members) = item.as_object_mut().filter(|members| !members.contains_key("$ref")) else {
            return self.walk(item, Kind::PathItem, scope, 0);
        };
        for (name, value) in members.iter_mut() {
            match member(Kind::PathItem, name) {
                Some(Holds::One(Kind::Operation)) => {
                    self.walk(value, Kind::Operation, origins.of_operation(path, name, root), 1);
                }
                Some(Holds::Each(Kind::Operation)) => {
                    for (method, operation) in value.as_object_mut().into_iter().flatten() {
                        let place = format!("{name}/{}", escape(method));
                        self.walk(operation, Kind::Operation, origins.of_operation(path, &place, root), 2);
                    }
                }
                Some(holds) => self.each(value, holds, scope, 1),
                None => {}
            }
        }
    }

    fn walk(&mut self, value: &mut Value, kind: Kind, scope: Scope, depth: usize) {
        let Some(members) = value.as_object_mut() else { return };
        if depth > DEEPEST {
            return;
        }
        let scope = if kind == Kind::Schema { self.without_base(members, scope) } else { scope };
        self.without_missing(members, kind, scope);
        if let Some(Value::String(reference)) = members.get_mut("$ref")
            && let Some(bundled) = self.bundled(reference, kind, scope)
        {
            *reference = bundled;
        }
        if kind == Kind::Link {
            self.link(members, scope);
        }
        if section(kind, self.version).is_none()
            && let Some(from) = self.inline(members, scope)
        {
            return self.walk(value, kind, from, depth + 1);
        }
        if kind == Kind::Operation {
            self.note_security(members);
        }
        for (name, value) in members.iter_mut() {
            if let Some(holds) = member(kind, name) {
                self.each(value, holds, scope, depth + 1);
            } else if kind == Kind::Schema && name == "discriminator" {
                self.discriminator(value, scope);
            }
        }
    }

    /// A link may name an operation by its location.
    fn link(&self, members: &mut Map<String, Value>, scope: Scope) {
        let Some(Value::String(reference)) = members.get_mut("operationRef") else { return };
        let place = self.documents.resolve_in(scope, reference).ok();
        if let Some(pointer) = place.and_then(|place| self.operations.get(&place)) {
            *reference = as_reference(pointer);
        }
    }

    /// Removes a dangling reference, where it is optional: no tool reads a document with
    /// one. A warning has named it.
    fn without_missing(&self, members: &mut Map<String, Value>, kind: Kind, scope: Scope) {
        let (name, value) = match kind {
            // An empty path item or callback says nothing.
            Kind::Schema | Kind::Example | Kind::PathItem | Kind::Callback => ("", Value::Null),
            Kind::Response => ("description", Value::String("Not described.".to_owned())),
            Kind::RequestBody => ("content", Value::Object(Map::new())),
            Kind::Header if self.version != Version::V2 => ("schema", Value::Object(Map::new())),
            Kind::Document
            | Kind::Components
            | Kind::Operation
            | Kind::Parameter
            | Kind::Header
            | Kind::MediaType
            | Kind::Encoding
            | Kind::Link
            | Kind::SecurityScheme => return,
        };
        let Some(reference) = members.get("$ref").and_then(Value::as_str) else { return };
        if self.documents.resolve_in(scope, reference).is_ok() {
            return;
        }
        members.shift_remove("$ref");
        if !name.is_empty() && !members.contains_key(name) {
            members.insert(name.to_owned(), value);
        }
    }

    /// Whether an object is a reference that leads nowhere, at once or by another one, and nothing can stand in its place: a
    /// link needs an operation, and a parameter a name.
    fn is_missing(&self, value: &Value, kind: Kind, scope: Scope) -> bool {
        let reference = value.get("$ref").and_then(Value::as_str);
        let Some(reference) = reference.filter(|_| matches!(kind, Kind::Link | Kind::Parameter)) else {
            return false;
        };
        match self.documents.resolve_in(scope, reference) {
            Ok(place) => self.documents.follow(&place).is_err(),
            Err(_) => true,
        }
    }

    /// Takes a base of its own from a schema: references are written from the root of the document. What its anchors
    /// name may have the same name elsewhere in the document, so they go as well.
    fn without_base(&self, members: &mut Map<String, Value>, scope: Scope) -> Scope {
        let within = self.documents.scope_within(scope, members).unwrap_or(scope);
        if within != scope {
            members.shift_remove("$id");
        }
        if within != self.documents.root_scope() {
            members.shift_remove("$anchor");
        }
        within
    }

    /// Puts what is referred to in the place of the reference, where the version has no section for it. Returns
    /// where it was. None: there is no reference, it is dangling, or too much was copied already.
    fn inline(&mut self, members: &mut Map<String, Value>, scope: Scope) -> Option<Scope> {
        let reference = members.get("$ref")?.as_str()?;
        let target = self.documents.follow(&self.documents.resolve_in(scope, reference).ok()?).ok()?;
        let found = self.documents.get(&target)?.as_object()?;
        self.copies = self.copies.checked_sub(paths::values(found))?;
        *members = found.clone();
        Some(self.documents.scope(&target))
    }

    fn each(&mut self, value: &mut Value, holds: Holds, scope: Scope, depth: usize) {
        match (holds, value) {
            (Holds::One(kind) | Holds::Each(kind), Value::Array(list)) => {
                list.retain(|value| !self.is_missing(value, kind, scope));
                list.iter_mut().for_each(|value| self.walk(value, kind, scope, depth));
            }
            (Holds::One(kind), value) => self.walk(value, kind, scope, depth),
            (Holds::Each(kind), Value::Object(members)) => {
                members.retain(|_, value| !self.is_missing(value, kind, scope));
                for (name, value) in members {
                    // Where names are free, only its value marks an extension; elsewhere its name does.
                    if kind == Kind::Schema || !name.starts_with("x-") {
                        self.walk(value, kind, scope, depth);
                    }
                }
            }
            (Holds::Each(_), _) => {}
        }
    }

    /// The mapping of a discriminator holds names of schemas, or references.
    fn discriminator(&mut self, value: &mut Value, scope: Scope) {
        let Some(Value::Object(mapping)) = value.get_mut("mapping") else { return };
        for target in mapping.values_mut() {
            if let Value::String(reference) = target
                && reference.contains(['/', '#', '.'])
                && let Some(bundled) = self.bundled(reference, Kind::Schema, scope)
            {
                *reference = bundled;
            }
        }
    }

    /// What a reference becomes. None: it stays. An unresolved one stays, too: reading reports it.
    fn bundled(&mut self, reference: &str, kind: Kind, scope: Scope) -> Option<String> {
        let root = self.documents.root();
        let is_plain = reference == "#" || reference.starts_with("#/");
        if scope == self.documents.root_scope() && is_plain && !self.may_be_removed(reference) {
            return None;
        }
        let place = self.documents.resolve_in(scope, reference).ok()?;
        // Client generators ignore what is nested within a component.
        let is_within = kind == Kind::Schema && is_within_a_schema(&place.pointer);
        if place.file == root && !is_within && !self.is_removed(&place.pointer) {
            return Some(as_reference(&place.pointer)).filter(|found| found != reference);
        }
        if let Some(made) = self.made.get(&(place.clone(), kind)) {
            return Some(made.clone());
        }
        let section = section(kind, self.version)?;
        let name = self.free_name(section, &place);
        let made = format!("#/{}/{name}", section.join("/"));
        self.made.insert((place.clone(), kind), made.clone());
        self.waiting.push(Waiting { place, kind, section, name });
        Some(made)
    }

    fn may_be_removed(&self, reference: &str) -> bool {
        reference.starts_with("#/paths/") && !self.removed.is_empty()
    }

    /// Whether a place was removed, or is within one that was.
    fn is_removed(&self, pointer: &str) -> bool {
        let mut slashes = pointer.match_indices('/').map(|(position, _)| position).skip(1);
        slashes.any(|position| pointer.get(..position).is_some_and(|start| self.removed.contains(start)))
            || self.removed.contains(pointer)
    }

    fn free_name(&mut self, section: &[&'static str], place: &Place) -> String {
        let last = place.pointer.rsplit('/').next().filter(|last| !last.is_empty());
        let file = self.documents.spot(place).file;
        let stem = file.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
        let wanted = unescape(last.unwrap_or(stem));
        let wanted: String = wanted
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
            .collect();
        let taken = self.taken.entry(section.last().copied().unwrap_or_default()).or_default();
        taken.take(if wanted.is_empty() { "part" } else { &wanted })
    }

    fn note_security(&mut self, operation: &Map<String, Value>) {
        match operation.get("security") {
            None => self.inherits_security = true,
            Some(security) => self.schemes.extend(scheme_names(security)),
        }
    }
}

/// Takes from a schema what names it as a document of its own: within another one it would move the
/// base of its references. What it defines is bundled where it is referred to.
fn make_dependent(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        for name in ["$id", "id", "$schema", "$anchor", "definitions", "$defs"] {
            let is_keyword = match members.get(name) {
                Some(Value::String(_)) => name != "definitions" && name != "$defs",
                Some(Value::Object(_)) => name == "definitions" || name == "$defs",
                _ => false,
            };
            if is_keyword {
                members.shift_remove(name);
            }
        }
    }
}

fn is_within_a_schema(pointer: &str) -> bool {
    pointer.strip_prefix("/components/schemas/").is_some_and(|name| name.contains('/'))
}

/// A pointer as the fragment of a reference.
pub(super) fn as_reference(pointer: &str) -> String {
    let mut reference = String::with_capacity(pointer.len() + 1);
    reference.push('#');
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@?".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            use std::fmt::Write;
            // Writing into a String cannot fail.
            let _ = write!(reference, "%{byte:02X}");
        }
    }
    reference
}

/// The names of the schemes that security requirements ask for.
pub(super) fn scheme_names(security: &Value) -> impl Iterator<Item = String> {
    let requirements = security.as_array().into_iter().flatten();
    requirements.filter_map(Value::as_object).flat_map(|requirement| requirement.keys().cloned())
}
