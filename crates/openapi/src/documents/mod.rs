//! The files of a document: read, parsed, and their references followed.

mod json;
mod lines;
mod load;
mod location;
mod parsed;
mod pointer;
mod problem;
mod references;
mod resources;
mod scalar;
#[cfg(test)]
pub(crate) mod tests;
mod texts;
mod yaml;

use crate::{
    fault::{Faults, Spot},
    text::quoted,
};
use contract::pointer::push;
use lines::Lines;
use references::Walked;
use resources::Resources;
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashMap, fmt};

/// How many levels of arrays and objects a file may have. Real documents have up to 35. Everything that walks
/// through a value may recurse by its depth, so this is also what keeps every stack small, and it is below
/// the limit of 128 with which JSON is commonly read.
pub(crate) const DEPTH: usize = 120;

/// How many files a document may have.
const FILES: usize = 10_000;

/// How many bytes the location of a file may have, as on most systems. Files whose references go one folder
/// deeper each would otherwise take memory that grows with the square of their number.
const LOCATION: usize = 4096;

/// How many bytes the files of a document may have together.
const BYTES: usize = 256 * 1024 * 1024;

/// How many values the files of a document may have together. The largest real ones have 1.5 million; three
/// bytes of text can make a value of a hundred, so that the limit of bytes alone would not bound memory.
const VALUES: usize = 10_000_000;

/// How many references may lead to one another before another kind of value.
const HOPS: usize = 64;

/// Gives the bytes of a file. The crate itself touches no disk.
pub trait Files {
    /// Reads the file at this location: that of the root, or one that a `$ref` names, relative to the
    /// file that contains it, already joined.
    ///
    /// # Errors
    /// A sentence with the reason why it cannot be read.
    fn read(&self, location: &str) -> Result<Vec<u8>, String>;
}

/// One file among [`Documents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// A place in the documents: a file and a JSON pointer into it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// JSON pointer (RFC 6901); empty for the whole file.
    pub pointer: String,
}

/// The location of a reference, as far as it matters to its target: the nearest resource with a base of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    /// The file.
    pub(crate) file: FileId,
    resource: u32,
}

/// The version of the specification that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V30,
    /// OpenAPI 3.1.
    V31,
    /// OpenAPI 3.2.
    V32,
}

/// All files of a document, parsed.
pub struct Documents {
    version: Version,
    files: Vec<File>,
    /// Every file by its normal location.
    locations: HashMap<String, FileId>,
    /// What `$self` and `$id` name, by the identity that they make with the base around them.
    identities: HashMap<String, Place>,
    /// Dangling references at any location, and a sentence for each.
    broken: Vec<(Place, String)>,
    /// Files that cannot be read, by their normal location, and why.
    unread: HashMap<String, String>,
}

struct File {
    location: String,
    root: Value,
    lines: Lines,
    resources: Resources,
    /// Where parts of a value that no file holds come from: pointers into it, longer ones first.
    origins: Vec<(String, Place)>,
}

/// Only what the files are called: their values may be of any size.
impl fmt::Debug for Documents {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locations = self.files.iter().map(|file| &file.location);
        out.debug_struct("Documents").field("version", &self.version).finish_non_exhaustive()?;
        out.debug_list().entries(locations).finish()
    }
}

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadReference(pub String);

impl Documents {
    /// Reads the root file and every file that a reference in them names.
    ///
    /// Memory is linear in the files' sizes, and so is time. At most 10,000 files, 256 MB, 10 million
    /// values and 120 levels of nesting are taken.
    ///
    /// # Errors
    /// All that is wrong with the root file: it is neither JSON nor YAML, or has no known version. Other files that
    /// cannot be read are a fault only where a request needs them.
    pub fn read(root: &str, files: &dyn Files) -> Result<Self, Faults> {
        load::read(root, files)
    }

    /// Documents of one value that no file holds, such as parameters that the configuration declares.
    pub fn inline(value: Value, version: Version) -> Self {
        let mut documents = Self::empty(version);
        documents.add(value);
        documents
    }

    fn empty(version: Version) -> Self {
        Self {
            version,
            files: Vec::new(),
            locations: HashMap::new(),
            identities: HashMap::new(),
            broken: Vec::new(),
            unread: HashMap::new(),
        }
    }

    /// Adds a value that no file holds, such as the schema of a form that Swagger 2.0 spreads over parameters.
    pub fn add(&mut self, value: Value) -> FileId {
        self.add_from(value, Vec::new())
    }

    /// Adds a value that is made of parts from elsewhere: pointers into it, and the places that they come from,
    /// so that a fault in it is reported at text that exists.
    pub(crate) fn add_from(&mut self, root: Value, mut origins: Vec<(String, Place)>) -> FileId {
        let id = self.next_file();
        origins.sort_by_key(|(pointer, _)| std::cmp::Reverse(pointer.len()));
        let mut resources = Resources::of("", 0);
        let found = references::find(&root, &mut resources, self.version, None, Walked::default()).0;
        self.identify(id, found.ids);
        let (location, lines) = Default::default();
        self.files.push(File { location, root, lines, resources, origins });
        id
    }

    /// What the next file will be called.
    pub(crate) fn next_file(&self) -> FileId {
        FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    /// The version of the root file.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The root file.
    pub fn root(&self) -> FileId {
        FileId(0)
    }

    /// The whole value of a file.
    pub fn file(&self, id: FileId) -> Option<&Value> {
        self.entry(id).map(|file| &file.root)
    }

    /// The location of a file, relative as the root's is. Empty: no file holds it.
    pub fn location(&self, id: FileId) -> &str {
        self.entry(id).map_or("", |file| file.location.as_str())
    }

    /// Every file, the root first.
    pub fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    fn entry(&self, id: FileId) -> Option<&File> {
        self.files.get(id.0 as usize)
    }

    /// The value at a place, itself, also if it is a reference.
    pub fn get(&self, place: &Place) -> Option<&Value> {
        self.file(place.file)?.pointer(&place.pointer)
    }

    /// Registers the identities of parts of a file. The first one keeps a name.
    fn identify(&mut self, file: FileId, ids: Vec<(String, String)>) {
        for (identity, pointer) in ids {
            self.identities.entry(identity).or_insert(Place { file, pointer });
        }
    }

    /// The scope of references in the root file.
    pub(crate) fn root_scope(&self) -> Scope {
        Scope { file: self.root(), resource: 0 }
    }

    /// The scope of a reference at a location.
    pub(crate) fn scope(&self, place: &Place) -> Scope {
        let resource = self.entry(place.file).map_or(0, |file| file.resources.around(&place.pointer));
        Scope { file: place.file, resource }
    }

    /// The scope of a reference in an object that is itself in a scope: the object may have its own base. None: it
    /// has not.
    pub(crate) fn scope_within(&self, scope: Scope, members: &Map<String, Value>) -> Option<Scope> {
        let named = resources::named(members, false, self.version).filter(|named| named.moves_base)?;
        let base = self.entry(scope.file)?.resources.base(scope.resource);
        self.identities.get(&location::resolve(base, named.id)).map(|place| self.scope(place))
    }

    /// The place that a reference at a place names. It exists.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn resolve(&self, from: &Place, reference: &str) -> Result<Place, BadReference> {
        self.resolve_in(self.scope(from), reference)
    }

    /// The place that a reference in a scope names. It exists.
    ///
    /// What leads nowhere within the nearest `$id` is looked for in the whole file: most tools know no `$id`, and so
    /// documents have it that were never resolved by it.
    ///
    /// # Errors
    /// Nothing is there.
    pub(crate) fn resolve_in(&self, from: Scope, reference: &str) -> Result<Place, BadReference> {
        let (uri, fragment) = location::split(reference);
        let target = if uri.is_empty() {
            from
        } else {
            self.named(from, uri).ok_or_else(|| self.not_there(from, uri, reference))?
        };
        let fragment = location::percent_decode(fragment.unwrap_or_default());
        let Some(entry) = self.entry(target.file) else {
            return Err(BadReference(format!("The reference {} cannot be resolved.", quoted(reference))));
        };
        let begin = entry.resources.get(target.resource).map_or("", |resource| resource.pointer.as_str());
        let place = |pointer: String| Place { file: target.file, pointer };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let anchored = entry.resources.anchored(target.resource, &fragment);
            return anchored.map(|pointer| place(pointer.to_owned())).ok_or_else(|| {
                let reference = quoted(reference);
                BadReference(format!(
                    "The reference {reference} cannot be resolved: the file has no anchor of that name."
                ))
            });
        }
        let whole = format!("{begin}{fragment}");
        match pointer::look_up(&entry.root, &whole) {
            Ok(_) => Ok(place(whole)),
            Err(_) if uri.is_empty() && pointer::look_up(&entry.root, &fragment).is_ok() => {
                Ok(place(fragment.into_owned()))
            }
            Err(missing) => Err(BadReference(missing.sentence(reference))),
        }
    }

    /// What has this identity, or the file of this location, each seen from a scope.
    fn named(&self, from: Scope, uri: &str) -> Option<Scope> {
        let entry = self.entry(from.file)?;
        let identity = location::resolve(entry.resources.base(from.resource), uri);
        if let Some(place) = self.identities.get(&identity) {
            return Some(self.scope(place));
        }
        let file = self.candidates(from, uri).find_map(|location| self.locations.get(&location))?;
        Some(Scope { file: *file, resource: 0 })
    }

    /// The locations that a reference may name: seen from its base if that is one, then from its file.
    fn candidates(&self, from: Scope, uri: &str) -> impl Iterator<Item = String> + use<> {
        let joined = |base: &str| {
            (!location::has_scheme(base) && !location::has_scheme(uri)).then(|| location::join(base, uri))
        };
        let entry = self.entry(from.file);
        let by_base = entry.and_then(|file| joined(file.resources.base(from.resource)));
        let by_file =
            entry.and_then(|file| joined(&file.location)).filter(|other| by_base.as_ref() != Some(other));
        by_base.into_iter().chain(by_file)
    }

    /// Why nothing has this name.
    fn not_there(&self, from: Scope, uri: &str, reference: &str) -> BadReference {
        if location::has_scheme(uri) {
            return BadReference(load::no_file(reference));
        }
        let shown = quoted(reference);
        let reason = self.candidates(from, uri).find_map(|location| self.unread.get(&location));
        let reason = reason.map_or_else(
            || format!("The reference {shown} names a file that does not exist."),
            |reason| format!("The reference {shown} cannot be resolved: {reason}"),
        );
        BadReference(match self.identity(from, uri) {
            Some(identity) => format!("{reason} No schema has the `$id` {} either.", quoted(&identity)),
            None => reason,
        })
    }

    /// The identity that a reference asks for, where that is a URI.
    fn identity(&self, from: Scope, uri: &str) -> Option<String> {
        let base = self.entry(from.file)?.resources.base(from.resource);
        (location::has_scheme(base) || location::has_scheme(uri)).then(|| location::resolve(base, uri))
    }

    /// Follows references from a place to another kind of value.
    ///
    /// # Errors
    /// One of them leads nowhere, or they lead round in a circle.
    pub fn follow(&self, place: &Place) -> Result<Place, BadReference> {
        let mut place = Cow::Borrowed(place);
        for _ in 0..HOPS {
            let reference = self.get(&place).and_then(|value| value.get("$ref")).and_then(Value::as_str);
            let Some(reference) = reference else { return Ok(place.into_owned()) };
            place = Cow::Owned(self.resolve(&place, reference)?);
        }
        Err(BadReference("The references from here are circular.".to_owned()))
    }

    /// Dangling references at any location, and a sentence for each.
    pub(crate) fn broken(&self) -> &[(Place, String)] {
        &self.broken
    }

    /// The place as a person finds it: file name, line, pointer.
    ///
    /// Takes time by the number of siblings on the way, not by the size of the file.
    pub fn spot(&self, place: &Place) -> Spot {
        let place = self.origin(place);
        let Some(file) = self.entry(place.file) else {
            return Spot { file: String::new(), line: None, pointer: place.pointer.into_owned() };
        };
        let line = file.lines.find(&file.root, &place.pointer);
        Spot { file: file.location.clone(), line, pointer: place.pointer.into_owned() }
    }

    /// Where a place comes from, if no file holds it.
    fn origin<'p>(&self, place: &'p Place) -> Site<'p> {
        let found =
            self.entry(place.file).into_iter().flat_map(|file| &file.origins).find_map(|(from, origin)| {
                let rest = place.pointer.strip_prefix(from.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then_some((origin, rest))
            });
        match found {
            Some((origin, rest)) => {
                let whole = Place { file: origin.file, pointer: format!("{}{rest}", origin.pointer) };
                let pointer = if self.get(&whole).is_some() { whole.pointer } else { origin.pointer.clone() };
                Site { file: origin.file, pointer: Cow::Owned(pointer) }
            }
            None => Site { file: place.file, pointer: Cow::Borrowed(&place.pointer) },
        }
    }
}

/// A place that may be borrowed.
struct Site<'p> {
    file: FileId,
    pointer: Cow<'p, str>,
}

impl Place {
    /// The place of a member or an element of the value here.
    pub fn child(&self, name: &str) -> Self {
        let mut pointer = String::with_capacity(self.pointer.len() + name.len() + 1);
        pointer.push_str(&self.pointer);
        push(&mut pointer, name);
        Self { file: self.file, pointer }
    }
}
