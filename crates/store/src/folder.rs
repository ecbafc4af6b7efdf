//! The store's folder on disk: who may read it, and how files in it appear whole or not at all.

use crate::StoreError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Name of the database in the store's folder.
pub const DATABASE_FILE: &str = "fairgate.redb";
/// Name of the database of usage in the store's folder.
pub const USAGE_FILE: &str = "usage.redb";
/// Name of the secret in the store's folder.
pub const SECRET_FILE: &str = "secret";

/// A folder that was found or made, locked against others that start at the same time.
pub(crate) struct Folder {
    path: PathBuf,
    // Closing it gives the lock back.
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none (mode 0700) and waits until nobody else sets it up.
    pub(crate) fn prepare(path: &Path) -> Result<Self, StoreError> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(StoreError::NotAFolder { path: path.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|error| StoreError::io("make the folder", path, error))?,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(StoreError::NotAFolder { path: path.parent().unwrap_or(path).into() });
            }
            Err(error) => return Err(StoreError::io("look at", path, error)),
        }
        let lock = File::open(path).map_err(|error| StoreError::io("open the folder", path, error))?;
        lock.lock().map_err(|error| StoreError::io("lock the folder", path, error))?;
        Ok(Self { path: path.into(), _lock: lock })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    pub(crate) fn secret(&self) -> PathBuf {
        self.path.join(SECRET_FILE)
    }
}

/// Takes away what group and others may do with a file.
pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    let found = fs::metadata(path).map_err(|error| StoreError::io("look at", path, error))?;
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .map_err(|error| StoreError::io("make private", path, error))
}

/// Writes a private file so that after a crash there is either all of it or none.
///
/// # Errors
/// It cannot be written.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let fresh = fresh_name(path);
    let write = || {
        let mut file = private_file(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        put_in_place(&fresh, path)
    };
    write().map_err(|error| StoreError::io("write", path, error))
}

/// A new empty private file. What a crash left under this name is removed.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// The name under which a file is written before it is put in place.
pub(crate) fn fresh_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Gives a written file its name, and makes the name itself survive a crash.
pub(crate) fn put_in_place(fresh: &Path, path: &Path) -> io::Result<()> {
    fs::rename(fresh, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Who else may write to a store's folder, in a sentence. None: nobody but its owner and root.
pub fn open_to_others(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    let advice = format!("`chmod 700 {}` closes it", path.display());
    if found.permissions().mode() & 0o022 != 0 {
        let mode = found.permissions().mode() & 0o7777;
        return Some(format!(
            "others may write to the store's folder {} (mode {mode:03o}), and so put another database or socket in the \
             place of ours: {advice}",
            path.display()
        ));
    }
    let ours = fs::metadata("/proc/self").ok()?.uid();
    if ![0, ours].contains(&found.uid()) && ours != 0 {
        return Some(format!(
            "the store's folder {} belongs to the user {}, who may put another database or socket in the place of \
             ours: `chown` it to the user that runs Fairgate",
            path.display(),
            found.uid()
        ));
    }
    // Whoever may rename it may replace it.
    let folder = std::path::absolute(path).ok()?;
    let is_open = |parent: &&Path| {
        let mode = fs::metadata(parent).map_or(0, |found| found.permissions().mode());
        mode & 0o002 != 0 && mode & 0o1000 == 0
    };
    let open = folder.ancestors().skip(1).find(is_open)?;
    Some(format!(
        "everybody may write to {}, and so replace the store's folder {}: take that right away, or move the store",
        open.display(),
        path.display()
    ))
}
