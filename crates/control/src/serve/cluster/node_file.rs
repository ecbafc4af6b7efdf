//! The file `node` in the store's folder: which member of its cluster this store's gateway is.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use store::StoreError;

const FILE: &str = "node";

/// The file, and where it is.
#[derive(Debug, Clone)]
pub(super) struct NodeFile {
    path: PathBuf,
    kept: Kept,
    /// The file says what is kept here.
    is_written: bool,
}

/// Which member this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) name: String,
    /// None: it has not joined yet.
    pub(super) number: Option<i64>,
    /// How often it has started: what the ledger tells its messages from earlier ones by.
    #[serde(default)]
    pub(super) starts: u32,
    /// How many members there were when that was heard of last. 0: it was never heard of. It is how large this node's share of
    /// a limit is while neither the ledger nor the records can be asked.
    #[serde(default)]
    pub(super) members: u32,
}

impl NodeFile {
    /// Reads the file in this folder. Without one the node is called as the configuration says, else as the machine.
    pub(super) fn read(folder: &Path, wanted: Option<&str>) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        let before: Option<Kept> = match fs::read(&path) {
            Ok(text) => Some(serde_json::from_slice(&text).map_err(|error| {
                Failure::new(format!(
                    "{} cannot be read ({error}): put back a copy of it; without it this node joins as a new one",
                    path.display()
                ))
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
        };
        let unnamed = Kept { name: String::new(), number: None, starts: 0, members: 0 };
        let mut kept = before.unwrap_or(unnamed);
        if let Some(wanted) = wanted {
            wanted.clone_into(&mut kept.name);
        } else if kept.name.is_empty() {
            kept.name = machine();
        }
        Ok(Self { path, kept, is_written: false })
    }

    pub(super) const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Changes what is kept, on the disk first. What is not different is not written.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Kept)) -> Result<(), StoreError> {
        let mut kept = self.kept.clone();
        change(&mut kept);
        let text = |kept: &Kept| serde_json::to_vec(kept).unwrap_or_default();
        if !self.is_written || text(&kept) != text(&self.kept) {
            store::write_private(&self.path, &text(&kept))?;
        }
        (self.kept, self.is_written) = (kept, true);
        Ok(())
    }
}

fn machine() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|one| one.is_ascii_alphanumeric() || "-_.".contains(*one))
        .take(63)
        .collect();
    if name.is_empty() { "node".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_an_earlier_version_is_read_and_the_configured_name_is_the_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), r#"{"name":"a","number":3}"#).unwrap();
        let mut file = NodeFile::read(folder.path(), Some("b")).unwrap();
        let Kept { name, number, starts, members } = file.kept().clone();
        assert_eq!((name.as_str(), number, starts, members), ("b", Some(3), 0, 0));
        file.change(|kept| kept.members = 7).unwrap();
        let again = NodeFile::read(folder.path(), None).unwrap();
        assert_eq!((again.kept().name.as_str(), again.kept().members), ("b", 7));
    }
}
