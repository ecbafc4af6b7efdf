//! From documents to the API that they describe, whatever their version.

mod bases;
mod bodies;
mod clashes;
mod known;
mod media;
mod notes;
mod objects;
mod operations;
mod parameters;
mod paths;
mod security;
mod styles;
mod swagger;
mod template;
#[cfg(test)]
mod tests;

use crate::{
    api::Api,
    documents::{Documents, FileId, Place, Version},
    fault::{Faults, Warning},
};
use known::Kind;
use notes::Notes;
use objects::Object;
use parameters::Read;
use security::Schemes;
use serde_json::Value;
use std::collections::HashMap;

/// Reads the API out of its documents. What is declared and cannot be enforced is a warning.
///
/// What a document does wrong without harm to a request is a warning as well; at most 1,000 of each are reported.
///
/// # Errors
/// Every fault of the document's structure.
pub fn read(documents: &mut Documents) -> Result<(Api, Vec<Warning>), Faults> {
    let mut reader = Reader::new(documents);
    let api = reader.api();
    let Reader { notes, added, .. } = reader;
    let result = notes.close(documents);
    for (value, origins) in added {
        documents.add_from(value, origins);
    }
    result.map(|warnings| (api, warnings))
}

/// Reads documents; what is wrong with them is noted, so that all of it can be reported at once.
struct Reader<'d> {
    documents: &'d Documents,
    version: Version,
    notes: Notes,
    schemes: Schemes,
    /// Values that the documents get when all is read, and where their parts come from.
    added: Vec<(Value, Vec<(String, Place)>)>,
    /// Parameters that references lead to, each read once.
    shared: HashMap<Place, Option<Read>>,
    /// How many operations and parameters there may still be.
    room: Room,
}

/// References multiply: a path item of a thousand operations under a thousand paths.
struct Room {
    operations: usize,
    parameters: usize,
    /// There were more. The document is refused, and reading on would only take time.
    spent: bool,
}

impl<'d> Reader<'d> {
    fn new(documents: &'d Documents) -> Self {
        Self {
            documents,
            version: documents.version(),
            notes: Notes::default(),
            schemes: Schemes::default(),
            added: Vec::new(),
            shared: HashMap::new(),
            room: Room { operations: 200_000, parameters: 2_000_000, spent: false },
        }
    }

    fn api(&mut self) -> Api {
        let mut api = Api {
            title: String::new(),
            version: String::new(),
            operations: Vec::new(),
            key_headers: Vec::new(),
            base_paths: Vec::new(),
        };
        let place = Place { file: self.documents.root(), pointer: String::new() };
        let Some(root) = self.object_at(&place) else { return api };
        self.known(&root, Kind::Root);
        if let Some(info) = self.object(&root, "info") {
            self.known(&info, Kind::Info);
            api.title = self.line(&info, "title");
            api.version = self.line(&info, "version");
        }
        self.schemes(&root);
        let security = self.security(&root);
        let bases = match self.version {
            Version::V2 => self.swagger_base(&root),
            Version::V30 | Version::V31 | Version::V32 => self.servers(&root).unwrap_or_else(bases::own),
        };
        self.usable_bases(&root.place, &bases);
        api.operations = self.paths(&root, security.as_ref(), &bases);
        api.key_headers = self.key_headers();
        api.base_paths = bases;
        for operation in &api.operations {
            let base = operation.path.strip_suffix(operation.own_path.as_str()).unwrap_or_default();
            if !api.base_paths.iter().any(|known| known == base) {
                api.base_paths.push(base.to_owned());
            }
        }
        self.clashes(&api.operations);
        self.broken_references();
        api
    }

    /// References that lead nowhere. Where a request needs them, following them is a fault already.
    fn broken_references(&mut self) {
        for (place, sentence) in self.documents.broken() {
            self.notes.warn(place, sentence.clone());
        }
    }

    /// Adds a value to the documents, once all is read.
    fn add(&mut self, value: Value, origins: Vec<(String, Place)>) -> Place {
        let FileId(first) = self.documents.next_file();
        let index = u32::try_from(self.added.len()).unwrap_or(u32::MAX);
        self.added.push((value, origins));
        Place { file: FileId(first.saturating_add(index)), pointer: String::new() }
    }

    /// The object of a member that may be a reference. A target that is not an object is a fault, and so is a reference
    /// that cannot be followed: without it, what it asks of requests would not be asked.
    fn followed(&mut self, place: &Place) -> Option<Object<'d>> {
        match self.documents.follow(place) {
            Ok(place) => {
                let object = self.object_at(&place)?;
                if let Some(reference) = object.members.get("$ref") {
                    let message =
                        format!("The $ref must be a string, but is {}.", objects::name_of(reference));
                    self.notes.fault(&place, message, "");
                    return None;
                }
                Some(object)
            }
            Err(bad) => {
                self.notes.fault(place, bad.0, "");
                None
            }
        }
    }
}
