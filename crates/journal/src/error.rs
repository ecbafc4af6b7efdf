//! Why the memory of charges cannot be read or written.

use crate::finding::Finding;
use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

/// Why the memory of charges cannot be read or written. The sentences are for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file cannot grow. Nothing is lost: the same call can be made again when there is room.
    #[error("There is no room for {}: {source}. Charges are held in memory until there is.", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Any other fault of a file.
    #[error("Cannot {action} {}: {source}.", path.display())]
    File {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process. Only one gateway at a time can count on it.", path.display())]
    InUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// It was written by a later version.
    #[error(
        "{} has the format {found}, but this version knows formats up to {known}. Start the version that wrote it.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that is known.
        known: u32,
    },
    /// No complete state of the counters is left.
    #[error("{}", nothing_good(folder, findings))]
    NothingGood {
        /// The folder of the counters.
        folder: PathBuf,
        /// What is damaged or missing in it.
        findings: Vec<Finding>,
    },
    /// The system gives no random bytes for the name of a new store.
    #[error("The system gives no random bytes: {0}.")]
    NoRandomness(getrandom::Error),
    /// More rings were asked for than the format can hold.
    #[error("There have to be between 1 and {most} writers, but {found} were asked for.")]
    Writers {
        /// How many were asked for.
        found: usize,
        /// The most that there can be.
        most: usize,
    },
}

impl JournalError {
    /// A fault of a file, told apart by whether the disk is full.
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let full = [libc::ENOSPC, libc::EDQUOT, libc::EFBIG];
        if source.raw_os_error().is_some_and(|number| full.contains(&number)) {
            Self::DiskFull { path, source }
        } else {
            Self::File { action, path, source }
        }
    }

    /// True: there is no room; the call can be made again.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}

/// Attaches what was done, and to which file, to a fault of the system.
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
