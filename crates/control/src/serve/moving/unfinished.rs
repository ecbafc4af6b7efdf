//! The mark of an import that was begun: a gateway does not start on half of one, and the same file may go on.

use crate::{export::End, failure::Failure};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Its name in the store's folder.
const FILE: &str = "unfinished-import";

/// The mark, which may not be there.
pub(super) struct Unfinished {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    /// What is imported.
    name: String,
    /// The last line of it.
    end: End,
}

impl Unfinished {
    pub(super) fn of(store: &Path) -> Self {
        Self { path: store.join(FILE) }
    }

    /// Whether an import of this very file was begun and not finished.
    pub(super) fn is_of(&self, end: &End) -> bool {
        self.read().is_some_and(|mark| mark.end == *end)
    }

    pub(super) fn begin(&self, name: &str, end: &End) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Failure::new(format!("cannot make the folder {}: {error}", folder.display())))?;
        let mark = Mark { name: name.to_owned(), end: *end };
        Ok(store::write_private(&self.path, &serde_json::to_vec(&mark).unwrap_or_default())?)
    }

    pub(super) fn end(&self) -> Result<(), Failure> {
        let cannot = |error: io::Error| {
            Failure::new(format!(
                "all was imported, but {} cannot be removed ({error}): remove it, and start the gateway",
                self.path.display()
            ))
        };
        fs::remove_file(&self.path).map_err(cannot)
    }

    fn read(&self) -> Option<Mark> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }
}

/// Refuses to start on half of an import: some of its keys would be unknown, and some of what was used as well.
pub(in crate::serve) fn refuse(store: &Path) -> Result<(), Failure> {
    let unfinished = Unfinished::of(store);
    if !unfinished.path.exists() {
        return Ok(());
    }
    let of = unfinished.read().map_or_else(String::new, |mark| format!(" of {}", mark.name));
    Err(Failure::new(format!(
        "an import{of} into this store was not finished: run `fairgate store import` of the same file once more, which goes on; or \
         remove {} to start with what there is",
        unfinished.path.display()
    )))
}
