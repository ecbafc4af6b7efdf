//! The schema resources of a file (JSON Schema 2020-12, section 8.2): the file itself, and each schema with an `$id` of its
//! own. References and anchors belong to the nearest of them.

use super::{Version, location};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The resources of one file. The first is the file itself.
#[derive(Default)]
pub(super) struct Resources {
    all: Vec<Resource>,
    /// Those within the file. Most files have none, and then nothing is looked up.
    by_pointer: HashMap<String, u32>,
    /// How many bytes identities, and the pointers of what has a name, may still have.
    room: usize,
}

/// How many bytes the identities of a file and the pointers of what has a name may have together, beside so many for each
/// of its values: a long base makes long ones of short `$id`s.
const BYTES: usize = 64 << 10;
const BYTES_PER_VALUE: usize = 256;

pub(super) struct Resource {
    /// Where it begins.
    pub(super) pointer: String,
    /// What relative references are resolved against: a URI, or the location of the file.
    pub(super) base: String,
    /// The pointers of its schemas by their `$anchor` or `$dynamicAnchor`.
    pub(super) anchors: HashMap<String, String>,
}

/// What an object calls itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'v> {
    /// Its identity, relative to the base around it.
    pub(super) id: &'v str,
    /// Whether references within it are resolved against that identity.
    pub(super) moves_base: bool,
}

impl Resources {
    /// The resources of a file of so many values of which nothing else is known but its location.
    pub(super) fn of(location: &str, values: usize) -> Self {
        let (pointer, anchors) = Default::default();
        let room = BYTES.saturating_add(values.saturating_mul(BYTES_PER_VALUE));
        Self {
            all: vec![Resource { pointer, base: location.to_owned(), anchors }],
            by_pointer: HashMap::new(),
            room,
        }
    }

    pub(super) fn get(&self, resource: u32) -> Option<&Resource> {
        self.all.get(resource as usize)
    }

    pub(super) fn base(&self, resource: u32) -> &str {
        self.get(resource).map_or("", |resource| resource.base.as_str())
    }

    /// Whether there is room for so many bytes more.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let rest = self.room.checked_sub(bytes);
        self.room = rest.unwrap_or(self.room);
        rest.is_some()
    }

    /// Adds the resource that begins at a pointer. It is the one that is there if it has been added before.
    pub(super) fn add(&mut self, pointer: String, base: String) -> u32 {
        if pointer.is_empty() {
            if let Some(file) = self.all.first_mut() {
                file.base = base;
            }
            return 0;
        }
        if let Some(&known) = self.by_pointer.get(&pointer) {
            return known;
        }
        let resource = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.by_pointer.insert(pointer.clone(), resource);
        self.all.push(Resource { pointer, base, anchors: HashMap::new() });
        resource
    }

    /// Adds an anchor. The first of a name stays.
    pub(super) fn anchor(&mut self, resource: u32, name: &str, pointer: String) {
        if self.has_room(name.len() + pointer.len())
            && let Some(resource) = self.all.get_mut(resource as usize)
        {
            resource.anchors.entry(name.to_owned()).or_insert(pointer);
        }
    }

    /// The pointer of an anchor; of another resource in this file where the resource has none of that name.
    pub(super) fn anchored(&self, resource: u32, name: &str) -> Option<&str> {
        let own = self.get(resource).and_then(|resource| resource.anchors.get(name));
        own.or_else(|| self.all.iter().find_map(|other| other.anchors.get(name))).map(String::as_str)
    }

    /// The nearest resource around a pointer.
    pub(super) fn around(&self, pointer: &str) -> u32 {
        if self.by_pointer.is_empty() {
            return 0;
        }
        let mut pointer = pointer;
        loop {
            if let Some(&resource) = self.by_pointer.get(pointer) {
                return resource;
            }
            match pointer.rfind('/') {
                Some(end) => pointer = pointer.get(..end).unwrap_or_default(),
                None => return 0,
            }
        }
    }
}

/// The identity of an object. OpenAPI 3.0 and Swagger 2.0 know neither `$id` nor `$self`: there they are names
/// that absolute references may find, and move nothing.
pub(super) fn named(members: &Map<String, Value>, is_file: bool, version: Version) -> Option<Named<'_>> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let (written, moves_base) = match text("$self").filter(|_| is_file) {
        Some(written) => (written, version >= Version::V32),
        None => (text("$id")?, version >= Version::V31),
    };
    let (id, _) = location::split(written);
    (!id.is_empty()).then_some(Named { id, moves_base })
}

/// The names of the places in a resource that an object defines. Old drafts write `$id: "#name"`.
pub(super) fn anchors(members: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let old = text("$id").and_then(|id| id.split_once('#')).map(|(_, name)| name);
    [text("$anchor"), text("$dynamicAnchor"), old.filter(|name| !name.is_empty())].into_iter().flatten()
}
