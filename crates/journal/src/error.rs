//! Errors of reading and writing charges.

use crate::finding::Finding;
use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

/// An error of reading or writing charges. The messages are for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file cannot grow. Nothing is lost: repeat the call when there is room.
    #[error("There is no room for {}: {source}. Charges are held in memory until there is.", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Any other error of a file.
    #[error("Cannot {action} {}: {source}.", path.display())]
    File {
        /// The failed action: "read", "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process. Only one gateway at a time can count on it.", path.display())]
    InUse {
        /// The locked file.
        path: PathBuf,
    },
    /// It was written by a newer version.
    #[error(
        "{} has the format {found}, but this version knows formats up to {known}. Start the version that wrote it.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// There is no complete state of the counters.
    #[error("{}", nothing_good(folder, findings))]
    NothingGood {
        /// The folder of the counters.
        folder: PathBuf,
        /// What is damaged or missing.
        findings: Vec<Finding>,
    },
    /// The counters of a gateway that runs could not be written down to be read.
    #[error("The counters cannot be written down to be read: {0}")]
    NotWritten(String),
    /// The system provides no random bytes for the ID of a new store.
    #[error("The system gives no random bytes: {0}.")]
    NoRandomness(getrandom::Error),
    /// More rings were requested than the format allows.
    #[error("There have to be between 1 and {most} writers, but {found} were asked for.")]
    Writers {
        /// The requested number.
        found: usize,
        /// The maximum number.
        most: usize,
    },
}

impl JournalError {
    /// An error of a file; a full disk is distinguished.
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let full = [libc::ENOSPC, libc::EDQUOT, libc::EFBIG];
        if source.raw_os_error().is_some_and(|number| full.contains(&number)) {
            Self::DiskFull { path, source }
        } else {
            Self::File { action, path, source }
        }
    }

    /// Whether the disk is full; then the call can be repeated.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}

/// Adds the action and the file to an error of the system.
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, JournalError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, JournalError> {
        self.map_err(|source| JournalError::file(action, path, source))
    }
}

impl<T> At<T> for Result<T, rustix::io::Errno> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, JournalError> {
        self.map_err(|number| JournalError::file(action, path, number.into()))
    }
}

fn nothing_good(folder: &Path, findings: &[Finding]) -> String {
    let mut text = format!("No complete state of the counters is left in {}.", folder.display());
    for finding in findings {
        let _ = write!(text, " {finding}");
    }
    text.push_str(
        " Put the files back from a backup; or, to begin with empty counters, move this folder away and start again.",
    );
    text
}
