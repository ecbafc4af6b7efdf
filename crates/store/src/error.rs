//! What can go wrong with a store. Every message says what, where, and what to do.

use crate::Holder;
use std::{io, path::PathBuf};

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's folder is something else.
    #[error("the store {} is a file, not a folder: set `[store] path` to a folder, or move the file away", path.display())]
    NotAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The system does not let us.
    #[error("no permission to {doing} {}: run as the user that owns it, or give this user the right to read and write there", path.display())]
    NoPermission {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// Another process has the database open.
    #[error("the store {} is in use by another process{}: if that is a gateway that is just starting or stopping, try again; else end that process", path.display(), told(holder.as_ref()))]
    Locked {
        /// The database.
        path: PathBuf,
        /// The process, where the system tells it.
        holder: Option<Holder>,
    },
    /// The database is not what was written.
    #[error("the database {} is damaged ({detail}): put back the newest copy of the whole folder, and check the disk", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The database of usage is not what was written.
    #[error("the database of usage {} is damaged ({detail}): move it away, and usage is counted anew from then on; keys and limits are not touched", path.display())]
    UsageDamaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The database was there once.
    #[error("the database {} is gone, but the secret beside it shows that there was one: put back a copy of the whole folder, or move the secret away to begin with no keys at all", path.display())]
    DatabaseMissing {
        /// The database.
        path: PathBuf,
    },
    /// The store is no longer where it was opened.
    #[error("the store {} is gone: {what} while it was in use, and what changes now would be forgotten in a restart. Put the folder back where it was (mount it, or move it back); if it is lost, put a copy of it there and start the gateway again", path.display())]
    Gone {
        /// The file that is missing.
        path: PathBuf,
        /// What happened to it.
        what: &'static str,
    },
    /// The database was written by a later Fairgate.
    #[error("the database {} has schema {found}, and this Fairgate knows only schemas up to {known}: start a Fairgate at least as new as the one that wrote it", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// There is no room.
    #[error("the disk that holds {} is full: nothing of this step was saved; make room and try again", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Something else that the system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The secret is gone while keys exist.
    #[error("the secret {} is missing, and without it none of the {keys} keys would be known: put back the copy that belongs to this database", path.display())]
    SecretMissing {
        /// The secret's file.
        path: PathBuf,
        /// Keys in the database.
        keys: u64,
    },
    /// The secret is no secret.
    #[error("the secret {} is damaged (it must be 64 hexadecimal digits): put back the copy that belongs to this database", path.display())]
    SecretDamaged {
        /// The secret's file.
        path: PathBuf,
    },
    /// The secret is that of another store.
    #[error("the secret {} is not the one that the {keys} keys of this database were made with: put back the copy that belongs to this database", path.display())]
    SecretForeign {
        /// The secret's file.
        path: PathBuf,
        /// Keys in the database.
        keys: u64,
    },
    /// Some of the keys are there already.
    #[error("{} of the keys exist already (the first is {}): nothing was added", ids.len(), ids.first().map_or("unknown", String::as_str))]
    KeysExist {
        /// Ids of the keys that are there.
        ids: Vec<String>,
    },
    /// A record is larger than the store takes.
    #[error("the {what} is too long to be kept: at most {most} bytes")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Most bytes.
        most: usize,
    },
    /// Its thread has ended.
    #[error("the thread that works on the store {} has ended, which is a defect: restart the gateway", path.display())]
    Stopped {
        /// The store's folder.
        path: PathBuf,
    },
    /// The server that holds shared records cannot be used just now. Nothing was done.
    #[error(
        "the shared records are out of reach, and nothing was changed ({why}): try again; requests go on with the keys that the gateways know"
    )]
    Away {
        /// What was met.
        why: String,
    },
    /// The connection to the server was lost while it was to commit.
    #[error("it is not known whether that was done ({why}): look, or do it again")]
    Unsure {
        /// What was met.
        why: String,
    },
    /// Shared records cannot be used until somebody does something.
    #[error("{why}")]
    Shared {
        /// What is wrong, and what to do.
        why: String,
    },
    /// A member of the cluster runs in another process.
    #[error(
        "the node `{name}` runs already, or ended without a word within the last seconds: stop it first, or try again in some seconds; a node of its own needs a store's folder of its own"
    )]
    MemberRuns {
        /// Its name.
        name: String,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes ({0}): no key can be made safely")]
    NoRandomness(getrandom::Error),
}

impl StoreError {
    /// Sorts a refusal of the system into the kinds that have an advice of their own.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        let kind = source.kind();
        if kind == io::ErrorKind::PermissionDenied || kind == io::ErrorKind::ReadOnlyFilesystem {
            Self::NoPermission { doing, path }
        } else if is_full(kind) {
            Self::DiskFull { path }
        } else {
            Self::Io { doing, path, source }
        }
    }
}

/// No room on the disk, in what this user may take of it, or within the size that a file may have here.
fn is_full(kind: io::ErrorKind) -> bool {
    [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge].contains(&kind)
}

fn told(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" ({holder})"))
}
