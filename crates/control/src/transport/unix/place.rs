//! Where a gateway is found: by the socket in its store's folder, and by names that outlive that folder.
//!
//! A command has to reach the gateway also when the store's folder was removed or unmounted, and when the
//! configuration file that says where the store is cannot be read any more. So a gateway also listens on abstract
//! Unix sockets (Linux keeps them in memory, not in a folder), whose names are made of the path of the store and of
//! that of the configuration file. Abstract sockets have no mode: who connects is told by `SO_PEERCRED`, to both sides.

use super::address::{Address, SOCKET_FILE};
use rustix::net::sockopt::socket_peercred;
use std::{
    ffi::OsStr,
    fs, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            fs::MetadataExt,
            net::{SocketAddr, UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// Where to look for a gateway.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store's folder. None: the configuration cannot be read, so nobody knows.
    pub store: Option<PathBuf>,
    /// The configuration file. None: there is no file.
    pub config: Option<PathBuf>,
}

/// By what a gateway was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// Its store.
    Store,
    /// The configuration file that it was started with.
    Config,
}

/// Why a gateway could not be connected to.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// It runs as another user.
    Foreign { user: u32, process: i32 },
    /// The socket at this path is not open to this user, and no other way was found.
    NoPermission(PathBuf),
    /// Something else.
    Io(PathBuf, io::Error),
}

// === impl Place ===

impl Place {
    /// Whether a gateway answers there that this user may ask.
    pub fn is_answered(&self) -> bool {
        matches!(self.connect(), Ok(Some(_)))
    }

    /// Connects to the gateway there. None: no gateway runs there.
    pub(super) fn connect(&self) -> Result<Option<(UnixStream, FoundBy)>, ConnectError> {
        let mut refused = None;
        if let Some(store) = &self.store {
            let path = store.join(SOCKET_FILE);
            match Address::new(store, SOCKET_FILE).and_then(|address| UnixStream::connect(address.path())) {
                Ok(stream) => return self.checked(stream, FoundBy::Store).map(Some),
                Err(error) if is_nobody(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    refused = Some(ConnectError::NoPermission(path));
                }
                Err(error) => return Err(ConnectError::Io(path, error)),
            }
        }
        for (name, by) in self.names() {
            if let Ok(stream) = address(&name).and_then(|address| UnixStream::connect_addr(&address)) {
                return self.checked(stream, by).map(Some);
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// A gateway of this user, or of the one whom the files belong to if root asks. Somebody else could have taken
    /// the name, and would be told keys.
    fn checked(&self, stream: UnixStream, by: FoundBy) -> Result<(UnixStream, FoundBy), ConnectError> {
        let ours = rustix::process::geteuid().as_raw();
        let peer = socket_peercred(&stream)
            .map_err(|error| ConnectError::Io(self.store.clone().unwrap_or_default(), error.into()))?;
        let user = peer.uid.as_raw();
        if user == ours || user == 0 || (ours == 0 && self.owners().contains(&user)) {
            return Ok((stream, by));
        }
        Err(ConnectError::Foreign { user, process: peer.pid.as_raw_nonzero().get() })
    }

    fn owners(&self) -> Vec<u32> {
        let existing = |path: &PathBuf| path.ancestors().find_map(|path| fs::metadata(path).ok());
        self.store.iter().chain(&self.config).filter_map(existing).map(|found| found.uid()).collect()
    }

    /// The names, the store's before those of the file: the store is the same whatever file leads to it.
    fn names(&self) -> Vec<(String, FoundBy)> {
        let of_store = self.store.iter().flat_map(|store| names("store", store));
        let of_config = self.config.iter().flat_map(|config| names("config", config));
        let of_store = of_store.map(|name| (name, FoundBy::Store));
        of_store.chain(of_config.map(|name| (name, FoundBy::Config))).collect()
    }

    /// Takes the names.
    ///
    /// # Errors
    /// The gateway that has the store's name already.
    pub(super) fn listen(&self) -> Result<Vec<UnixListener>, String> {
        let mut listeners = Vec::new();
        for (name, by) in self.names() {
            match address(&name).and_then(|address| UnixListener::bind_addr(&address)) {
                Ok(listener) if listener.set_nonblocking(true).is_ok() => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && by == FoundBy::Store => {
                    // Whoever else has it keeps nobody from starting: the name is a help, not a lock.
                    let connected = address(&name).and_then(|address| UnixStream::connect_addr(&address));
                    if let Ok(stream) = connected
                        && let Ok((stream, _)) = self.checked(stream, by)
                    {
                        return Err(process(&stream));
                    }
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(listeners)
    }
}

/// The process at the other end, as it is told.
fn process(stream: &UnixStream) -> String {
    let Ok(peer) = socket_peercred(stream) else { return String::new() };
    let process = peer.pid.as_raw_nonzero();
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("process {process}, `{}`", name.trim())
}

/// Whether no gateway is there: no file, no folder, or a socket that a dead process left.
fn is_nobody(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::ConnectionRefused]
        .contains(&error.kind())
}

fn address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// The names of a path: as it is written, and as it is with its last link followed. Neither needs the last part to be
/// there.
fn names(kind: &str, path: &Path) -> Vec<String> {
    // Containers that share a network share these names, too; their root folders are different ones.
    let root = fs::metadata("/").map(|root| (root.dev(), root.ino())).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for path in [settled(path), fs::canonicalize(path).unwrap_or_else(|_| settled(path))] {
        let mut hash = Fnv::new();
        hash.add(&root.0.to_le_bytes());
        hash.add(&root.1.to_le_bytes());
        hash.add(path.as_os_str().as_bytes());
        let name = format!("fairgate/{kind}/{:016x}", hash.0);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The absolute path, links followed as far as the folder before its last part.
fn settled(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest: Vec<&OsStr> = Vec::new();
    let mut before = absolute.as_path();
    while let (Some(parent), Some(name)) = (before.parent(), before.file_name()) {
        rest.push(name);
        before = parent;
        if let Ok(found) = fs::canonicalize(before) {
            return rest.iter().rev().fold(found, |path, name| path.join(name));
        }
    }
    absolute
}

/// A hash that is the same in every build: a command may be newer than the gateway that it looks for.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_same_name_whether_or_not_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("data");
        let before = names("store", &store);
        fs::create_dir(&store).unwrap();
        assert_eq!(names("store", &store), before);
        assert_eq!(names("store", &store.join(".")), before);
        assert_ne!(names("config", &store), before);
        assert_ne!(names("store", folder.path()), before);
        std::os::unix::fs::symlink(&store, folder.path().join("link")).unwrap();
        let by_link = names("store", &folder.path().join("link"));
        assert!(by_link.iter().any(|name| before.contains(name)), "{by_link:?}");
        fs::remove_dir(&store).unwrap();
        assert_eq!(names("store", &store), before);
    }

    #[test]
    fn who_has_the_name_of_a_store_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { store: Some(folder.path().join("gone")), config: None };
        assert!(place.connect().unwrap().is_none());
        let listeners = place.listen().unwrap();
        assert!(matches!(place.connect(), Ok(Some((_, FoundBy::Store)))));
        assert!(place.listen().is_err());
        drop(listeners);
        assert!(place.connect().unwrap().is_none());
    }
}
