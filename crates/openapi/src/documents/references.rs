//! Finds the references in a file: where a `$ref` is a reference, and where it is a name or data.

use super::{
    Version, location, pointer,
    resources::{self, Resources},
};
use contract::pointer::{push, unescape};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How many unresolved references are reported per file: each message looks for the nearest name.
const MAX_BROKEN: usize = 100;

/// The warning about a reference that only tools without `$id` can follow.
const FROM_THE_FILE: &str = "The reference cannot be resolved within the schema of the nearest `$id`. It is resolved from the root of the file, like tools do that do not support `$id`.";

/// The warning about an `$id` beyond those that are kept.
const NO_ROOM: &str = "The file has too many or too long `$id`s: this one is ignored.";

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
    /// References to other files, each with the pointer of the object that contains it.
    pub(super) outside: Vec<Outside>,
    /// Dangling references within the file, and their locations.
    pub(super) broken: Vec<(String, String)>,
    /// Identities by `$id` and `$self`, and the pointer of what has them.
    pub(super) ids: Vec<(String, String)>,
}

/// A reference to another file.
pub(super) struct Outside {
    pub(super) pointer: String,
    /// The resource of the file that contains it.
    pub(super) resource: u32,
    pub(super) reference: String,
    /// Whether it is certain to be a reference. A discriminator's mapping may hold plain names, too.
    pub(super) certain: bool,
}

/// The kind of value at a location, as far as references go.
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
    /// References that were looked at, as they are written, and the resource that contains them.
    seen: HashSet<(u32, String)>,
    /// The same of those that may be plain names: they are not evidence of a certain one.
    perhaps: HashSet<(u32, String)>,
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
    resources: &'f mut Resources,
    version: Version,
    walked: Walked,
    found: Found,
    /// Targets within data, still to be walked.
    starts: Vec<String>,
}

/// Walks through a file, once, and through the target of a pointer if that is where nothing is
/// expected to be a reference. Every value is passed at most twice, however many references lead to it.
pub(super) fn find(
    root: &Value,
    resources: &mut Resources,
    version: Version,
    start: Option<&str>,
    walked: Walked,
) -> (Found, Walked) {
    let found = Found::default();
    let mut walk = Walk { root, resources, version, walked, found, starts: Vec::new() };
    if !walk.walked.whole {
        walk.walked.whole = true;
        walk.value(root, Kind::Object, &Step { parent: None, name: Name::Start("") }, 0, false);
    }
    if let Some(start) = start {
        walk.target(start);
    }
    while let Some(start) = walk.starts.pop() {
        if let Some(value) = root.pointer(&start) {
            let resource = walk.resources.around(&start);
            walk.value(
                value,
                Kind::Object,
                &Step { parent: None, name: Name::Start(&start) },
                resource,
                true,
            );
        }
    }
    (walk.found, walk.walked)
}

impl<'f> Walk<'f> {
    /// As deep as the file is nested, which parsing has bounded.
    fn value(&mut self, value: &'f Value, kind: Kind, step: &Step<'_>, resource: u32, once: bool) {
        if once && !self.walked.within_data.insert(std::ptr::from_ref(value).addr()) {
            return;
        }
        match value {
            Value::Object(members) => {
                let resource =
                    if kind == Kind::Object { self.object(members, step, resource) } else { resource };
                for (name, child) in members {
                    let kind = kind_of(kind, name, child, self.version);
                    if kind != Kind::Data && (child.is_object() || child.is_array()) {
                        let step = Step { parent: Some(step), name: Name::Member(name) };
                        self.value(child, kind, &step, resource, once);
                    }
                }
            }
            Value::Array(elements) => {
                for (at, child) in elements.iter().enumerate() {
                    if child.is_object() || child.is_array() {
                        let step = Step { parent: Some(step), name: Name::Element(at) };
                        self.value(child, Kind::Object, &step, resource, once);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Looks at an object itself. Returns the resource that what is in it belongs to.
    fn object(&mut self, members: &Map<String, Value>, step: &Step<'_>, around: u32) -> u32 {
        let resource = self.resource(members, step, around);
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        for reference in [text("$ref"), text("$dynamicRef")].into_iter().flatten() {
            self.reference(reference, step, resource, true);
        }
        for anchor in resources::anchors(members) {
            self.resources.anchor(resource, anchor, step.pointer());
        }
        let mapping = members.get("discriminator").and_then(|found| found.get("mapping"));
        for target in mapping.and_then(Value::as_object).into_iter().flat_map(Map::values) {
            if let Some(target) = target.as_str().filter(|target| names_file(target)) {
                self.reference(target, step, resource, false);
            }
        }
        resource
    }

    /// The resource that an object is, or the one around it.
    fn resource(&mut self, members: &Map<String, Value>, step: &Step<'_>, around: u32) -> u32 {
        let Some(named) = resources::named(members, step.is_root(), self.version) else { return around };
        let identity = location::resolve(self.resources.base(around), named.id);
        let pointer = step.pointer();
        if !self.resources.has_room(identity.len() + pointer.len()) {
            if self.found.broken.len() < MAX_BROKEN {
                self.found.broken.push((pointer, NO_ROOM.to_owned()));
            }
            return around;
        }
        self.found.ids.push((identity.clone(), pointer.clone()));
        if named.moves_base { self.resources.add(pointer, identity) } else { around }
    }

    fn reference(&mut self, reference: &str, step: &Step<'_>, resource: u32, certain: bool) {
        // Of references that are equal, the first is enough.
        let seen = if certain { &mut self.walked.seen } else { &mut self.walked.perhaps };
        if !seen.insert((resource, reference.to_owned())) {
            return;
        }
        let (file, fragment) = location::split(reference);
        if !file.is_empty() {
            self.found.outside.push(Outside {
                pointer: step.pointer(),
                resource,
                reference: reference.to_owned(),
                certain,
            });
            return;
        }
        let fragment = location::percent_decode(fragment.unwrap_or_default());
        // Anchors may be defined further below, so they are checked where they are followed.
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return;
        }
        let begin = self.resources.get(resource).map_or("", |resource| resource.pointer.as_str());
        let whole = format!("{begin}{fragment}");
        match pointer::look_up(self.root, &whole) {
            Ok(_) => self.target(&whole),
            Err(missing) => self.missing(missing, &fragment, reference, step),
        }
    }

    /// Notes a reference that leads nowhere within its resource.
    fn missing(&mut self, missing: pointer::Missing, fragment: &str, reference: &str, step: &Step<'_>) {
        let is_in_file = pointer::look_up(self.root, fragment).is_ok();
        if self.found.broken.len() < MAX_BROKEN {
            let sentence = if is_in_file { FROM_THE_FILE.to_owned() } else { missing.sentence(reference) };
            self.found.broken.push((step.pointer(), sentence));
        }
        if is_in_file {
            self.target(fragment);
        }
    }

    /// Notes a target that the walk from the root does not come through.
    fn target(&mut self, target: &str) {
        let mut kind = Kind::Object;
        let mut value = self.root;
        for token in target.split('/').skip(1) {
            let name = unescape(token);
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
    fn is_root(&self) -> bool {
        self.parent.is_none() && matches!(self.name, Name::Start(""))
    }

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
                Name::Member(name) => push(&mut pointer, name),
                Name::Element(at) => push(&mut pointer, &at.to_string()),
            }
        }
        pointer
    }
}
