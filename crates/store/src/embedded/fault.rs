//! Faults inside a transaction, and how they are told.

use crate::{Holder, StoreError};
use std::path::Path;

/// A fault inside a transaction: redb's own, or one that we found.
pub(super) enum Fault {
    Redb(redb::Error),
    Store(StoreError),
    /// Bytes that no Fairgate wrote, in this table.
    Record(&'static str),
    /// redb stumbled over a page.
    Panic,
}

impl Fault {
    /// The fault as it is told, with the file's name.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Store(error) => error,
            Self::Record(table) => {
                StoreError::Damaged { path, detail: format!("a record of `{table}` cannot be read") }
            }
            Self::Panic => StoreError::Damaged { path, detail: "a page of it cannot be read".into() },
            Self::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
                let holder = Holder::of(&path);
                StoreError::Locked { path, holder }
            }
            Self::Redb(redb::Error::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                StoreError::Damaged { path, detail: error.to_string() }
            }
            Self::Redb(redb::Error::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                StoreError::Damaged { path, detail: "its end is missing".into() }
            }
            Self::Redb(redb::Error::Io(error)) => StoreError::io("read or write", path, error),
            Self::Redb(redb::Error::RepairAborted) => {
                StoreError::Damaged { path, detail: "what was saved last does not match its checksum".into() }
            }
            Self::Redb(error) => StoreError::Damaged { path, detail: error.to_string() },
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}
