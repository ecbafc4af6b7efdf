//! The temporary folder of the demo: created at its start, removed at its end.

use crate::failure::Failure;
use std::{
    fs::{self, DirBuilder},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use store::random;

/// A folder that only this user can enter: there are keys in the configuration's store.
pub(super) struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes a fresh one where the system wants such folders.
    pub(super) fn make() -> Result<Self, Failure> {
        let base = std::env::temp_dir();
        let path = base.join(random::id("fairgate-demo-", 8)?);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self { path }),
            Err(error) => {
                let advice = match error.kind() == ErrorKind::NotFound {
                    true => "it does not exist; make it, or set TMPDIR to a folder that exists",
                    false => "set TMPDIR to a folder that you may write to",
                };
                let base = base.display();
                Err(Failure::new(format!(
                    "the demo needs a temporary folder, but cannot make one in {base}: {error}; {advice}"
                )))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file in it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        match fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(error) => Err(Failure::new(format!("cannot write {}: {error}", path.display()))),
        }
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(self) -> Result<(), Failure> {
        match fs::remove_dir_all(&self.path) {
            Ok(()) => Ok(()),
            // Somebody was faster: what was wanted is so.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => {
                let path = self.path.display();
                Err(Failure::new(format!(
                    "cannot remove the demo's folder {path}: {error}; remove it by hand"
                )))
            }
        }
    }
}
