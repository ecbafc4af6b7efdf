//! The folder of the counters: its files by generation, and its lock.

use crate::error::{At, JournalError};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const NAME: &str = "counters";
const LOCK: &str = "lock";
/// The suffix of incomplete files.
const UNFINISHED: &str = ".new";

/// The folder `counters` of a store.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// The generations of existing files, in ascending order.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) checkpoints: Vec<u64>,
    pub(crate) journals: Vec<u64>,
}

impl Folder {
    /// Creates the folder if necessary, and locks it. The lock lasts as long as the file is open.
    pub(crate) fn open(store: &Path) -> Result<(Self, File), JournalError> {
        let store = store.canonicalize().at("open", store)?;
        let path = store.join(NAME);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => sync(&store)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).at("create", &path),
        }
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .at("open", &lock_path)?;
        match lock.try_lock() {
            Ok(()) => Ok((Self { path }, lock)),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path: lock_path }),
            Err(TryLockError::Error(error)) => Err(error).at("lock", &lock_path),
        }
    }

    /// Whether this store ever had counters.
    pub(crate) fn exists(store: &Path) -> bool {
        store.join(NAME).exists()
    }

    /// The folder of this store, if it is not locked. It may not exist yet.
    pub(crate) fn free(store: &Path) -> Result<Self, JournalError> {
        let path = store.canonicalize().at("open", store)?.join(NAME);
        let lock = path.join(LOCK);
        // A missing or inaccessible lock file is reported when it is needed.
        match File::open(&lock).map(|file| file.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => Err(JournalError::InUse { path: lock }),
            Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => Ok(Self { path }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn checkpoint(&self, generation: u64) -> PathBuf {
        self.path.join(format!("checkpoint-{generation}"))
    }

    pub(crate) fn journal(&self, generation: u64) -> PathBuf {
        self.path.join(format!("journal-{generation}"))
    }

    /// Lists the generations.
    pub(crate) fn list(&self) -> Result<Listing, JournalError> {
        let mut listing = Listing::default();
        for item in fs::read_dir(&self.path).at("read", &self.path)? {
            let name = item.at("read", &self.path)?.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(generation) = generation(name, "checkpoint-") {
                listing.checkpoints.push(generation);
            } else if let Some(generation) = generation(name, "journal-") {
                listing.journals.push(generation);
            }
        }
        listing.checkpoints.sort_unstable();
        listing.journals.sort_unstable();
        Ok(listing)
    }

    /// Removes incomplete files left by a crash.
    pub(crate) fn remove_unfinished(&self) -> Result<(), JournalError> {
        for item in fs::read_dir(&self.path).at("read", &self.path)? {
            let item = item.at("read", &self.path)?;
            if item.file_name().as_encoded_bytes().ends_with(UNFINISHED.as_bytes()) {
                fs::remove_file(item.path()).at("remove", &item.path())?;
            }
        }
        Ok(())
    }

    /// Creates a file under a temporary name.
    pub(crate) fn create(&self, path: &Path) -> Result<(File, PathBuf), JournalError> {
        let mut name = path.as_os_str().to_owned();
        name.push(UNFINISHED);
        let unfinished = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&unfinished).at("create", &unfinished)?;
        Ok((file, unfinished))
    }

    /// Renames a complete, synced file to its final name.
    pub(crate) fn finish(&self, unfinished: &Path, path: &Path) -> Result<(), JournalError> {
        fs::rename(unfinished, path).at("rename", unfinished)?;
        sync(&self.path)
    }

    /// Removes all generations below this one.
    pub(crate) fn remove_below(&self, generation: u64) -> Result<(), JournalError> {
        let listing = self.list()?;
        let old = |found: &u64| *found < generation;
        let checkpoints = listing.checkpoints.into_iter().filter(old).map(|found| self.checkpoint(found));
        let journals = listing.journals.into_iter().filter(old).map(|found| self.journal(found));
        for path in checkpoints.chain(journals) {
            fs::remove_file(&path).at("remove", &path)?;
        }
        Ok(())
    }

    /// Keeps a damaged file under a second name, and returns that name. A hard link takes no space;
    /// if the file is going to be changed, it must be a copy.
    pub(crate) fn keep_damaged(&self, path: &Path, copy: bool) -> Result<String, JournalError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kept_name = format!("damaged-{name}");
        let kept = self.path.join(&kept_name);
        if copy {
            // Not onto a hard link of the same file.
            let _ = fs::remove_file(&kept);
            fs::copy(path, &kept).map(|_| ()).at("copy", path)?;
            return Ok(kept_name);
        }
        match fs::hard_link(path, &kept) {
            Ok(()) => Ok(kept_name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(kept_name),
            // Some file systems do not support hard links.
            Err(_) => fs::copy(path, &kept).map(|_| kept_name).at("copy", path),
        }
    }
}

/// Syncs the directory entries of a folder.
pub(crate) fn sync(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|folder| folder.sync_all()).at("sync", folder)
}

/// The number after the prefix, in canonical form only.
fn generation(name: &str, prefix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?;
    let number: u64 = digits.parse().ok()?;
    (number > 0 && number < u64::MAX && number.to_string() == digits).then_some(number)
}
