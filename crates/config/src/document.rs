//! The API's OpenAPI document: read from disk, with the time that it took.

use openapi::{
    api::Api,
    documents::{Documents, Files},
    fault::{Faults, Warning},
    reading,
};
use std::{
    cell::RefCell,
    fmt,
    fs::File,
    hash::{DefaultHasher, Hasher},
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// A single file that is larger than this is refused before it is read whole.
const MAX_FILE_SIZE: u64 = 256 << 20;

/// A document that was read.
pub struct Document {
    /// Its files.
    pub documents: Documents,
    /// The API that they describe.
    pub api: Api,
    /// How long reading and compiling it took.
    pub took: Duration,
    /// Where it was read from.
    pub source: DocumentSource,
}

/// Where a document was read from.
#[derive(Debug, Clone)]
pub struct DocumentSource {
    /// All of its files.
    pub files: Vec<PathBuf>,
    /// When its first file was changed last, in Unix seconds.
    pub modified: u64,
    /// Of what all of its files hold.
    digest: u64,
}

/// The same files, which hold the same: one that was only touched is the same, one that changed within a second is not.
impl PartialEq for DocumentSource {
    fn eq(&self, other: &Self) -> bool {
        (&self.files, self.digest) == (&other.files, other.digest)
    }
}

/// Reads a document from the disk.
pub(super) fn read(path: &Path) -> Result<(Document, Vec<Warning>), Faults> {
    let begun = Instant::now();
    let disk = Disk::default();
    let mut documents = Documents::read(&path.to_string_lossy(), &disk)?;
    let (api, warnings) = reading::read(&mut documents)?;
    let modified = path.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let modified = modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let files = documents.files().map(|file| PathBuf::from(documents.location(file)));
    let files = files.filter(|file| !file.as_os_str().is_empty()).collect();
    let source = DocumentSource { files, modified, digest: disk.digest.borrow().finish() };
    Ok((Document { documents, api, took: begun.elapsed(), source }, warnings))
}

/// The disk, and a digest of all that was read from it.
#[derive(Default)]
struct Disk {
    digest: RefCell<DefaultHasher>,
}

impl Files for Disk {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let read = File::open(location).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => Err(super::reason(&error)),
            Ok(_) if bytes.len() as u64 > MAX_FILE_SIZE => Err("it is larger than 256 MiB".to_owned()),
            Ok(_) => {
                self.digest.borrow_mut().write(&bytes);
                Ok(bytes)
            }
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Document").field("title", &self.api.title).finish_non_exhaustive()
    }
}
