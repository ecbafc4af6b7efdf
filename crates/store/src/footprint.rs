//! Whether a store is still where it was opened: a file that was removed can be written to for ever, and is gone at the end.

use crate::{
    StoreError,
    folder::{DATABASE_FILE, SECRET_FILE},
};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where a store was opened, and which file that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    folder: PathBuf,
    device: u64,
    inode: u64,
    /// The secret lies beside it.
    has_secret: bool,
}

impl Footprint {
    /// Of the store that is open in this folder.
    pub(crate) fn of(folder: &Path, has_secret: bool) -> io::Result<Self> {
        let database = fs::metadata(folder.join(DATABASE_FILE))?;
        // Commands and the gateway may have different working folders; what a path means must not change either.
        let folder = std::path::absolute(folder)?;
        Ok(Self { folder, device: database.dev(), inode: database.ino(), has_secret })
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// [`StoreError::Gone`], or the system does not let us look.
    pub fn check(&self) -> Result<(), StoreError> {
        let gone = |name: &str, what| Err(StoreError::Gone { path: self.folder.join(name), what });
        match fs::metadata(self.folder.join(DATABASE_FILE)) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => {}
            Ok(_) => return gone(DATABASE_FILE, "another file was put in its place"),
            Err(error) if is_missing(&error) => {
                return gone(DATABASE_FILE, "it was removed, moved or unmounted");
            }
            Err(error) => return Err(StoreError::io("look at", self.folder.join(DATABASE_FILE), error)),
        }
        match fs::metadata(self.folder.join(SECRET_FILE)) {
            Err(error) if self.has_secret && is_missing(&error) => gone(SECRET_FILE, "it was removed"),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embedded, Records, wait};

    #[test]
    fn a_store_that_was_moved_away_is_gone_until_it_is_back() {
        let home = tempfile::tempdir().unwrap();
        let (folder, aside) = (home.path().join("data"), home.path().join("aside"));
        let (store, _) = Embedded::open(&folder).unwrap();
        wait(store.check_place()).unwrap();
        fs::rename(&folder, &aside).unwrap();
        assert!(matches!(wait(store.check_place()), Err(StoreError::Gone { .. })));
        // Another store in the same place is not this one.
        drop(Embedded::open(&folder).unwrap());
        let error = wait(store.check_place()).unwrap_err();
        assert!(error.to_string().contains("another file"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
        wait(store.check_place()).unwrap();
        fs::remove_file(folder.join(SECRET_FILE)).unwrap();
        assert!(matches!(wait(store.check_place()), Err(StoreError::Gone { .. })));
    }
}
