//! The files of a document: read, parsed, and their references followed.

use crate::fault::{Faults, Spot};
use serde_json::Value;

/// Gives the bytes of a file. The crate itself touches no disk.
pub trait Files {
    /// Reads the file at this location: that of the root, or one that a `$ref` names, relative to the
    /// file it stands in, already joined.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
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

/// The version of the specification that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

struct File {
    location: String,
    root: Value,
}

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadReference(pub String);

impl Documents {
    /// Reads the root file and every file that a reference in them names.
    ///
    /// # Errors
    /// All that is wrong: what is neither JSON nor YAML, no version that is known, files that are missing.
    pub fn read(_root: &str, _files: &dyn Files) -> Result<Self, Faults> {
        Err(Faults(Vec::new()))
    }

    /// Documents of one value that no file holds, such as parameters that the configuration declares.
    pub fn inline(value: Value, version: Version) -> Self {
        Self { version, files: vec![File { location: String::new(), root: value }] }
    }

    /// Adds a value that no file holds, such as the schema of a form that Swagger 2.0 spreads over parameters.
    pub fn add(&mut self, value: Value) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(File { location: String::new(), root: value });
        id
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
        self.files.get(id.0 as usize).map(|file| &file.root)
    }

    /// The value at a place, itself, also if it is a reference.
    pub fn get(&self, place: &Place) -> Option<&Value> {
        self.file(place.file)?.pointer(&place.pointer)
    }

    /// The place that a reference in this file names. It exists.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn resolve(&self, from: FileId, reference: &str) -> Result<Place, BadReference> {
        let pointer = reference.strip_prefix('#').ok_or_else(|| BadReference(String::new()))?;
        Ok(Place { file: from, pointer: pointer.to_owned() })
    }

    /// Follows references from a place until something else stands there.
    ///
    /// # Errors
    /// One of them leads nowhere, or they lead round in a circle.
    pub fn follow(&self, place: &Place) -> Result<Place, BadReference> {
        Ok(place.clone())
    }

    /// The place as a person finds it: file name, line, pointer.
    pub fn spot(&self, place: &Place) -> Spot {
        let file = self.files.get(place.file.0 as usize).map(|file| file.location.clone());
        Spot { file: file.unwrap_or_default(), line: None, pointer: place.pointer.clone() }
    }
}

impl Place {
    /// The place of a member or an element of what stands here.
    pub fn child(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { file: self.file, pointer: format!("{}/{name}", self.pointer) }
    }
}
