//! Where the admin socket is, also in a folder whose path is longer than a socket's address can be.

use std::{
    fs::File,
    io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

/// Name of the socket in the store's folder.
pub(super) const SOCKET_FILE: &str = "admin.sock";
/// `sun_path` holds 108 bytes on Linux and 104 elsewhere, a zero at the end included.
const LONGEST_PATH: usize = 103;

/// A path to a file in a folder that is short enough for a socket's address.
pub(super) struct Address {
    path: PathBuf,
    // The short path leads through this open folder, so it must stay open while the path is used.
    _folder: Option<File>,
}

impl Address {
    pub(super) fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        if path.as_os_str().as_bytes().len() <= LONGEST_PATH {
            return Ok(Self { path, _folder: None });
        }
        let open = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(name);
        Ok(Self { path, _folder: Some(open) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
