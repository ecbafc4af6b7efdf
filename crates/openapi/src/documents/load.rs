//! Reads a root file and all files that references name, each once.

use super::{
    BYTES, Documents, FILES, File, FileId, Files, LOCATION, Place, Scope, VALUES, Version, location, parsed,
    pointer,
    problem::{Parsed, Problem},
    references::{self, Found, Outside, Walked},
    resources::Resources,
};
use crate::{
    fault::{Fault, Faults, Spot},
    text::quoted,
};
use serde_json::Value;

/// How many faults, and how many broken references, are reported.
const MOST: usize = 1000;

struct Load<'f> {
    files: &'f dyn Files,
    documents: Documents,
    walked: Vec<Walked>,
    /// Files, and the parts of them to walk besides those reached from their root.
    waiting: Vec<(FileId, Option<String>)>,
    /// References to URIs: what has them may be in a file that is read later.
    deferred: Vec<(FileId, Outside)>,
    /// References to no file, and their locations: something read later may have the identity.
    open: Vec<(Place, String)>,
    faults: Vec<Fault>,
    /// How many bytes and values there may still be.
    room: usize,
    values: usize,
}

/// Why a file could not be read.
struct Unread {
    faults: Vec<Fault>,
    /// Whether a limit of all files together is reached, which is a fault wherever the reference is.
    limit: bool,
}

pub(super) fn read(root: &str, files: &dyn Files) -> Result<Documents, Faults> {
    let mut load = Load {
        files,
        documents: Documents::empty(Version::V30),
        walked: Vec::new(),
        waiting: Vec::new(),
        deferred: Vec::new(),
        open: Vec::new(),
        faults: Vec::new(),
        room: BYTES,
        values: VALUES,
    };
    match load.file(root, location::normal(root)) {
        Ok(id) => match version(&load.documents, id) {
            Ok(version) => load.documents.version = version,
            // Without a version no other fault would be certain.
            Err(fault) => return Err(Faults(vec![fault])),
        },
        Err(unread) => return Err(Faults(unread.faults)),
    }
    loop {
        if let Some((id, start)) = load.waiting.pop() {
            load.walk(id, start.as_deref());
        } else if let Some((from, found)) = load.deferred.pop() {
            load.outside(from, found, false);
        } else {
            break;
        }
    }
    load.close();
    if load.faults.is_empty() {
        return Ok(load.documents);
    }
    load.faults.sort();
    load.faults.truncate(MOST);
    Err(Faults(load.faults))
}

impl Load<'_> {
    /// Reads and parses a file and queues it to be walked.
    fn file(&mut self, location: &str, normal: String) -> Result<FileId, Unread> {
        let fault = |problem: Problem| Fault {
            spot: Spot { file: location.to_owned(), line: problem.line, pointer: problem.pointer },
            message: problem.message,
            help: problem.help,
        };
        let one = |message: String| Unread { faults: vec![fault(Problem::at(None, message))], limit: false };
        let limit = |message: String| Unread { limit: true, ..one(message) };
        if self.documents.files.len() >= FILES {
            return Err(limit(format!("The document has more than {FILES} files.")));
        }
        if location.len() > LOCATION {
            return Err(limit(format!("The file name has more than {LOCATION} bytes.")));
        }
        let bytes = self.files.read(location).map_err(one)?;
        let Some(room) = self.room.checked_sub(bytes.len()) else {
            return Err(limit(format!("The document has more than {} MB.", BYTES / 1024 / 1024)));
        };
        self.room = room;
        let Parsed { root, lines } = parsed::parse(location, &bytes, self.values)
            .map_err(|problems| Unread { faults: problems.into_iter().map(fault).collect(), limit: false })?;
        self.values = self.values.saturating_sub(lines.0.len());
        let id = self.documents.next_file();
        let resources = Resources::of(&normal, lines.0.len());
        let location = location.to_owned();
        self.documents.files.push(File { location, root, lines, resources, origins: Vec::new() });
        self.documents.locations.insert(normal, id);
        self.walked.push(Walked::default());
        self.waiting.push((id, None));
        Ok(id)
    }

    fn walk(&mut self, id: FileId, start: Option<&str>) {
        let index = id.0 as usize;
        let (Some(file), Some(walked)) = (self.documents.files.get_mut(index), self.walked.get_mut(index))
        else {
            return;
        };
        let (version, walked_before) = (self.documents.version, std::mem::take(walked));
        let (found, again) = references::find(&file.root, &mut file.resources, version, start, walked_before);
        *walked = again;
        let Found { outside, broken, ids } = found;
        self.documents.identify(id, ids);
        let room = MOST.saturating_sub(self.documents.broken.len());
        let places = broken.into_iter().map(|(pointer, sentence)| (Place { file: id, pointer }, sentence));
        self.documents.broken.extend(places.take(room));
        for found in outside {
            self.outside(id, found, true);
        }
    }

    /// Follows a reference out of its file or its resource.
    fn outside(&mut self, from: FileId, found: Outside, may_wait: bool) {
        let scope = Scope { file: from, resource: found.resource };
        let (uri, fragment) = location::split(&found.reference);
        let fragment = location::percent_decode(fragment.unwrap_or_default()).into_owned();
        if let Some(named) = self.documents.named(scope, uri) {
            return self.target(named, &fragment, from, found);
        }
        // Where the base is a URI, a file is only the second guess: what has the name may still be to come.
        if may_wait && self.documents.identity(scope, uri).is_some() {
            self.deferred.push((from, found));
            return;
        }
        let mut failed = Vec::new();
        let mut is_known = false;
        for normal in self.documents.candidates(scope, uri).collect::<Vec<_>>() {
            if self.documents.unread.contains_key(&normal) {
                is_known = true;
                continue;
            }
            if self.documents.unread.len() >= MOST || self.faults.len() >= MOST {
                return;
            }
            match self.file(&normal.clone(), normal.clone()) {
                Ok(id) => return self.target(Scope { file: id, resource: 0 }, &fragment, from, found),
                Err(unread) => failed.push((normal, unread)),
            }
        }
        // A possible plain name is no evidence for a certain reference.
        let is_known = is_known && self.open.len() < MOST;
        if found.certain && (!failed.is_empty() || is_known || location::has_scheme(uri)) {
            self.unread(Place { file: from, pointer: found.pointer }, found.reference, failed);
        }
    }

    /// Has what a reference leads to walked, if it is there.
    fn target(&mut self, to: Scope, fragment: &str, from: FileId, found: Outside) {
        // Anchors are checked where they are followed.
        if !fragment.starts_with('/') {
            return;
        }
        let Some(file) = self.documents.entry(to.file) else { return };
        let begin = file.resources.get(to.resource).map_or("", |resource| resource.pointer.as_str());
        let whole = format!("{begin}{fragment}");
        match pointer::look_up(&file.root, &whole) {
            Ok(_) => self.waiting.push((to.file, Some(whole))),
            Err(missing) => {
                if self.documents.broken.len() < MOST {
                    let place = Place { file: from, pointer: found.pointer };
                    self.documents.broken.push((place, missing.sentence(&found.reference)));
                }
            }
        }
    }

    /// Keeps why files cannot be read: a fault where a request needs the reference, else a warning.
    fn unread(&mut self, place: Place, reference: String, failed: Vec<(String, Unread)>) {
        for (normal, Unread { faults, limit }) in failed {
            let Some(fault) = faults.into_iter().next() else { continue };
            let reason = match fault.spot.line {
                Some(line) => format!("{}:{line}: {}", fault.spot.file, fault.message),
                None => fault.message,
            };
            if limit {
                let message = format!("The reference {} cannot be resolved: {reason}", quoted(&reference));
                let spot = self.documents.spot(&place.child("$ref"));
                self.faults.push(Fault { spot, message, help: fault.help });
            }
            self.documents.unread.insert(normal, reason);
        }
        self.open.push((place, reference));
    }

    /// Decides what is left open, now that all identities are known, and which references lead nowhere.
    fn close(&mut self) {
        for (place, reference) in std::mem::take(&mut self.open) {
            let Err(bad) = self.documents.resolve(&place, &reference) else { continue };
            if self.documents.broken.len() < MOST {
                let (uri, _) = location::split(&reference);
                let is_there = self.documents.named(self.documents.scope(&place), uri).is_some();
                let place = if is_there { place } else { place.child("$ref") };
                self.documents.broken.push((place, bad.0));
            }
        }
    }
}

/// The fault of a reference that begins with a scheme.
pub(super) fn no_file(reference: &str) -> String {
    let shown = quoted(reference);
    if reference.starts_with("http:") || reference.starts_with("https:") {
        format!(
            "The reference {shown} is not followed: nothing is fetched from the network. Download it next to the document and refer to the file."
        )
    } else {
        format!("The reference {shown} names no file. Refer to a file by its path, relative to this one.")
    }
}

fn version(documents: &Documents, id: FileId) -> Result<Version, Fault> {
    let fault = |member: &str, message: String, help: &str| {
        let place = Place { file: id, pointer: String::new() };
        let place = if member.is_empty() { place } else { place.child(member) };
        Fault { spot: documents.spot(&place), message, help: help.to_owned() }
    };
    let begin = "An OpenAPI document has a field such as `openapi: 3.1.0` at its root.";
    let Some(root) = documents.file(id).and_then(Value::as_object) else {
        return Err(fault("", "This is not an OpenAPI document: it is not an object.".to_owned(), begin));
    };
    let Some((member, written)) =
        ["openapi", "swagger"].iter().find_map(|name| Some((*name, root.get(*name)?)))
    else {
        return Err(fault("", "This is not an OpenAPI document: it has no version.".to_owned(), begin));
    };
    let text = match written {
        Value::String(text) => text.clone(),
        // Without quotes, YAML makes a number of it.
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(fault(member, "The version must be a string.".to_owned(), begin));
        }
    };
    let minor =
        |minor: &str| text == minor || text.strip_prefix(minor).is_some_and(|rest| rest.starts_with('.'));
    match member {
        "swagger" if minor("2.0") || text == "2" => Ok(Version::V2),
        "openapi" if minor("3.0") || text == "3" => Ok(Version::V30),
        "openapi" if minor("3.1") => Ok(Version::V31),
        "openapi" if minor("3.2") => Ok(Version::V32),
        _ => Err(fault(
            member,
            format!("Unknown version {}.", quoted(&text)),
            "Supported versions are OpenAPI 3.0, 3.1 and 3.2, and Swagger 2.0.",
        )),
    }
}
