//! Finds the references in a file: where a `$ref` is one, and where it is a name or data.

use super::{File, Version, location, pointer};
use serde_json::Value;
use std::collections::HashSet;

/// How many references that lead nowhere are told of a file: a sentence looks for the nearest name.
const MOST_BROKEN: usize = 100;

/// Members whose value is data of the API, not of the document.
const DATA: [&str; 5] = ["example", "default", "enum", "const", "value"];

/// Members that are maps from names to objects, so that `$ref` and `default` are names among their keys.
const NAMED: [&str; 23] = [
    "paths",
    "webhooks",
    "pathItems",
    "callbacks",
    "responses",
    "headers",
    "content",
    "encoding",
    "links",
    "schemas",
    "parameters",
    "requestBodies",
    "securitySchemes",
    "securityDefinitions",
    "mediaTypes",
    "variables",
    "additionalOperations",
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "dependentSchemas",
    "dependencies",
];

/// What the walk through a file finds.
#[derive(Default)]
pub(super) struct Found {
    /// References to other files, each with the pointer of the object that it stands in.
    pub(super) outside: Vec<Outside>,
    /// References within the file that lead nowhere, and where they stand.
    pub(super) broken: Vec<(String, String)>,
    /// `$anchor` and `$dynamicAnchor`, and the pointer of their schema.
    pub(super) anchors: Vec<(String, String)>,
    /// `$id` and `$self`, and the pointer of what they name.
    pub(super) ids: Vec<(String, String)>,
}

/// A reference to another file.
pub(super) struct Outside {
    pub(super) pointer: String,
    pub(super) reference: String,
    /// Whether it is certain to be a reference. A discriminator's mapping may hold plain names, too.
    pub(super) certain: bool,
}

/// What stands in a place, as far as references go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// An object of the specification, or a schema.
    Object,
    /// A map from names to such objects.
    Names,
    /// Data: nothing in it is a reference.
    Data,
}

/// What is kept of a file from one walk to the next.
#[derive(Default)]
pub(super) struct Walked {
    whole: bool,
    /// References that were looked at, as they are written.
    seen: HashSet<String>,
    /// The same of those that may be plain names: they do not stand for one that is certain.
    perhaps: HashSet<String>,
    /// Addresses of values within data that references lead to, so that each is walked once.
    within_data: HashSet<usize>,
}

/// A step of the way from the root, kept on the stack.
struct Step<'p> {
    parent: Option<&'p Step<'p>>,
    name: Name<'p>,
}

enum Name<'p> {
    Start(&'p str),
    Member(&'p str),
    Element(usize),
}

struct Walk<'f> {
    root: &'f Value,
    version: Version,
    walked: Walked,
    found: Found,
    /// Targets within data, still to be walked.
    starts: Vec<String>,
}

/// Walks through a file, once, and through what a pointer names if that stands where nothing is
/// expected to be a reference. Every value is passed at most twice, however many references lead to it.
pub(super) fn find(file: &File, version: Version, start: Option<&str>, walked: Walked) -> (Found, Walked) {
    let mut walk = Walk { root: &file.root, version, walked, found: Found::default(), starts: Vec::new() };
    if !walk.walked.whole {
        walk.walked.whole = true;
        walk.value(&file.root, Kind::Object, &Step { parent: None, name: Name::Start("") }, false);
    }
    if let Some(start) = start {
        walk.target(start);
    }
    while let Some(start) = walk.starts.pop() {
        if let Some(value) = file.root.pointer(&start) {
            walk.value(value, Kind::Object, &Step { parent: None, name: Name::Start(&start) }, true);
        }
    }
    (walk.found, walk.walked)
}

impl<'f> Walk<'f> {
    /// As deep as the file is nested, which parsing has bounded.
    fn value(&mut self, value: &'f Value, kind: Kind, step: &Step<'_>, once: bool) {
        if once && !self.walked.within_data.insert(std::ptr::from_ref(value).addr()) {
            return;
        }
        match value {
            Value::Object(members) => {
                if kind == Kind::Object {
                    self.object(members, step);
                }
                for (name, child) in members {
                    let kind = kind_of(kind, name, child, self.version);
                    if kind != Kind::Data && (child.is_object() || child.is_array()) {
                        self.value(child, kind, &Step { parent: Some(step), name: Name::Member(name) }, once);
                    }
                }
            }
            Value::Array(elements) => {
                for (at, child) in elements.iter().enumerate() {
                    if child.is_object() || child.is_array() {
                        let step = Step { parent: Some(step), name: Name::Element(at) };
                        self.value(child, Kind::Object, &step, once);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, members: &serde_json::Map<String, Value>, step: &Step<'_>) {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if let Some(reference) = text("$ref") {
            self.reference(reference, step, true);
        }
        if let Some(reference) = text("$dynamicRef") {
            self.reference(reference, step, true);
        }
        for anchor in [text("$anchor"), text("$dynamicAnchor")].into_iter().flatten() {
            self.found.anchors.push((anchor.to_owned(), step.pointer()));
        }
        for id in [text("$id"), text("$self")].into_iter().flatten() {
            self.found.ids.push((id.to_owned(), step.pointer()));
        }
        let mapping = members.get("discriminator").and_then(|found| found.get("mapping"));
        for target in mapping.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values) {
            if let Some(target) = target.as_str().filter(|target| names_file(target)) {
                self.reference(target, step, false);
            }
        }
    }

    fn reference(&mut self, reference: &str, step: &Step<'_>, certain: bool) {
        // Of references that are equal, the first is enough.
        let seen = if certain { &mut self.walked.seen } else { &mut self.walked.perhaps };
        if !seen.insert(reference.to_owned()) {
            return;
        }
        let (file, fragment) = location::split(reference);
        if !file.is_empty() {
            self.found.outside.push(Outside {
                pointer: step.pointer(),
                reference: reference.to_owned(),
                certain,
            });
            return;
        }
        let fragment = location::percent_decode(fragment.unwrap_or_default());
        // Anchors may be defined further below, so they are checked where they are followed.
        if fragment.is_empty() || fragment.starts_with('/') {
            match pointer::look_up(self.root, &fragment) {
                Ok(_) => self.target(&fragment),
                Err(_) if self.found.broken.len() >= MOST_BROKEN => {}
                Err(missing) => self.found.broken.push((step.pointer(), missing.sentence(reference))),
            }
        }
    }

    /// Notes a target that the walk from the root does not come through.
    fn target(&mut self, target: &str) {
        let mut kind = Kind::Object;
        let mut value = self.root;
        for token in target.split('/').skip(1) {
            let name = pointer::unescape(token);
            let Some(child) = pointer::child(value, &name) else { return };
            kind = if value.is_object() { kind_of(kind, &name, child, self.version) } else { Kind::Object };
            value = child;
            if kind == Kind::Data {
                self.starts.push(target.to_owned());
                return;
            }
        }
    }
}

fn kind_of(parent: Kind, name: &str, child: &Value, version: Version) -> Kind {
    match parent {
        Kind::Names => Kind::Object,
        Kind::Data => Kind::Data,
        Kind::Object if name.starts_with("x-") || DATA.contains(&name) => Kind::Data,
        // A map of examples has objects that may be references; a list of them, and that of Swagger, is data.
        Kind::Object if name == "examples" && (version == Version::V2 || !child.is_object()) => Kind::Data,
        Kind::Object if child.is_object() && (name == "examples" || NAMED.contains(&name)) => Kind::Names,
        Kind::Object => Kind::Object,
    }
}

fn names_file(target: &str) -> bool {
    let (file, _) = location::split(target);
    [".json", ".yaml", ".yml"].iter().any(|ending| file.ends_with(ending))
}

impl Step<'_> {
    fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut next = Some(self);
        while let Some(step) = next {
            steps.push(step);
            next = step.parent;
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            match step.name {
                Name::Start(start) => pointer.push_str(start),
                Name::Member(name) => pointer::push_token(&mut pointer, name),
                Name::Element(at) => pointer::push_token(&mut pointer, &at.to_string()),
            }
        }
        pointer
    }
}
