//! The file of the shared memory: its location, its owner, and what the last process left in it.
//!
//! It begins with a head of 80 bytes: `FGRINGS\n`, format (4), rings (4), entries of a ring (4),
//! zero (4), epoch (8), boot ID (16), store ID (16), ID of the start (16). Numbers have native byte
//! order: no other machine reads it. The rings follow, as described in `ring.rs`.

use crate::{
    error::{At, JournalError},
    finding::Finding,
    folder::Folder,
    memory::Mapping,
    options::Options,
    ring::{DeadRing, Layout},
};
use rustix::fs::FallocateFlags;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

const MAGIC: [u8; 8] = *b"FGRINGS\n";
const FORMAT: u32 = 2;
/// The name of the memory if it has to be on the store's own disk.
const FALLBACK_NAME: &str = "memory";

/// The store and the start that the memory belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) epoch: u64,
    pub(crate) boot: [u8; 16],
    pub(crate) store: [u8; 16],
    /// Random, unique to this start.
    pub(crate) id: [u8; 16],
}

/// The ID of this boot of the machine. If the system provides none, it is random, so that no memory
/// ever appears to be of this boot.
pub(crate) fn boot_id() -> Result<[u8; 16], JournalError> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    match u128::from_str_radix(&digits, 16) {
        Ok(number) if digits.len() == 32 => Ok(number.to_be_bytes()),
        Ok(_) | Err(_) => random_id(),
    }
}

pub(crate) fn random_id() -> Result<[u8; 16], JournalError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(JournalError::NoRandomness)?;
    Ok(id)
}

/// The name of a store's memory: the same for the same folder and user.
fn name(folder: &Path) -> String {
    let user = rustix::process::geteuid().as_raw();
    // FNV-1a, 128 bits: it must be the same in every build, and its strength does not matter. Two
    // folders with the same name are distinguished by the store ID.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in folder.as_os_str().as_encoded_bytes() {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    format!("fairgate-{user}-{hash:032x}")
}

/// An opened memory file that no other process uses, and its content.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    file: File,
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Why a location cannot be used for memory.
#[derive(Debug)]
pub(crate) enum NoMemory {
    /// Another process uses it.
    InUse,
    /// Any other error; another location is tried.
    Unusable(io::Error),
}

impl From<io::Error> for NoMemory {
    fn from(error: io::Error) -> Self {
        Self::Unusable(error)
    }
}

impl MemoryFile {
    /// Opens or creates the file, and reads its content.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self, NoMemory> {
        let mut file = open_locked(path, create)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self { file, path: path.to_owned(), bytes })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The identity and layout of the memory. None: it has none.
    pub(crate) fn head(&self) -> Result<Option<(Identity, Layout)>, JournalError> {
        let Some((magic, rest)) = self.bytes.split_first_chunk::<8>() else { return Ok(None) };
        if *magic != MAGIC {
            return Ok(None);
        }
        let mut fields = Native(rest);
        let Some(format) = fields.u32() else { return Ok(None) };
        if format > FORMAT {
            return Err(JournalError::Newer { path: self.path.clone(), found: format, known: FORMAT });
        }
        // An older format has a different cell layout, and no released version wrote it.
        if format < FORMAT {
            return Ok(None);
        }
        Ok((|| {
            let rings = usize::try_from(fields.u32()?).ok()?;
            let entries = usize::try_from(fields.u32()?).ok()?;
            let _ = fields.u32()?;
            let identity = Identity {
                epoch: fields.u64()?,
                boot: fields.array()?,
                store: fields.array()?,
                id: fields.array()?,
            };
            let layout = Layout { rings, entries };
            (entries.is_power_of_two() && layout.length() == self.bytes.len()).then_some((identity, layout))
        })())
    }

    /// The rings that the last process left. None: they are invalid.
    pub(crate) fn rings(&self, layout: Layout) -> Option<Vec<DeadRing<'_>>> {
        let (words, _) = self.bytes.as_chunks::<8>();
        (0..layout.rings).map(|ring| DeadRing::new(words, layout, ring)).collect()
    }

    /// Clears the file, resizes it for the rings, and maps it.
    pub(crate) fn begin(self, identity: &Identity, layout: Layout) -> Result<Arc<Mapping>, io::Error> {
        let Self { mut file, bytes, .. } = self;
        drop(bytes);
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        // Space is allocated now: a store to a page that cannot be allocated would kill the process.
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, layout.length() as u64)?;
        let mapping = Mapping::new(file)?;
        let mut head = Vec::with_capacity(80);
        head.extend_from_slice(&MAGIC);
        for number in [FORMAT, number(layout.rings), number(layout.entries), 0] {
            head.extend_from_slice(&number.to_ne_bytes());
        }
        head.extend_from_slice(&identity.epoch.to_ne_bytes());
        head.extend_from_slice(&identity.boot);
        head.extend_from_slice(&identity.store);
        head.extend_from_slice(&identity.id);
        let (words, _) = head.as_chunks::<8>();
        // The magic number is written last: a head without it is invalid.
        let places = mapping.words().get(..words.len()).unwrap_or(&[]);
        for (place, word) in places.iter().zip(words).rev() {
            place.store(u64::from_ne_bytes(*word), Ordering::Release);
        }
        Ok(Arc::new(mapping))
    }
}

/// Opens or creates the file, and locks it.
fn open_locked(path: &Path, create: bool) -> Result<File, NoMemory> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    let meta = file.metadata()?;
    // In a world-writable folder the file could have been planted by another user.
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    if !meta.is_file() || !ours || meta.nlink() != 1 {
        return Err(io::Error::other("the file belongs to another user or is accessible to others").into());
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(NoMemory::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Reads numbers in native byte order.
struct Native<'a>(&'a [u8]);

impl Native<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*front)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }
}

/// Where the memory of a store may be: in its folder, or otherwise on the store's own disk.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) first: PathBuf,
    pub(crate) fallback: PathBuf,
}

impl Places {
    pub(crate) fn of(options: &Options, folder: &Folder) -> Self {
        let first = options.memory.join(name(folder.path()));
        Self { first, fallback: folder.path().join(FALLBACK_NAME) }
    }

    /// Whether no process uses them.
    pub(crate) fn are_free(&self) -> Result<(), JournalError> {
        for path in [&self.first, &self.fallback] {
            match open_locked(path, false) {
                Err(NoMemory::InUse) => return Err(JournalError::InUse { path: path.clone() }),
                // It does not exist, or is not ours: that is reported when it is needed.
                Ok(_) | Err(NoMemory::Unusable(_)) => {}
            }
        }
        Ok(())
    }

    /// Opens what the last process may have left, in both locations.
    pub(crate) fn left(&self) -> Result<Vec<MemoryFile>, JournalError> {
        let mut found = Vec::new();
        for path in [&self.first, &self.fallback] {
            match MemoryFile::open(path, false) {
                Ok(file) => found.push(file),
                Err(NoMemory::InUse) => return Err(JournalError::InUse { path: path.clone() }),
                // It does not exist, or is not ours: then it is not the one to look for.
                Err(NoMemory::Unusable(_)) => {}
            }
        }
        Ok(found)
    }

    /// Creates an empty memory, in one of the files found or in a new one.
    pub(crate) fn begin(
        &self,
        mut found: Vec<MemoryFile>,
        identity: &Identity,
        layout: Layout,
        findings: &mut Vec<Finding>,
    ) -> Result<(Arc<Mapping>, PathBuf), JournalError> {
        match take(&mut found, &self.first).and_then(|file| Ok(file.begin(identity, layout)?)) {
            Ok(mapping) => {
                if let Some(old) = found.pop() {
                    fs::remove_file(old.path()).at("remove", old.path())?;
                }
                return Ok((mapping, self.first.clone()));
            }
            Err(NoMemory::InUse) => return Err(JournalError::InUse { path: self.first.clone() }),
            Err(NoMemory::Unusable(error)) => findings.push(Finding::harmless(format!(
                "{} cannot be used as shared memory ({error}). {} is used instead: data threads may have to wait for its disk.",
                self.first.display(),
                self.fallback.display()
            ))),
        }
        match take(&mut found, &self.fallback).and_then(|file| Ok(file.begin(identity, layout)?)) {
            Ok(mapping) => Ok((mapping, self.fallback.clone())),
            Err(NoMemory::InUse) => Err(JournalError::InUse { path: self.fallback.clone() }),
            Err(NoMemory::Unusable(error)) => Err(error).at("use as shared memory", &self.fallback),
        }
    }
}

/// The opened file of that path, or a new one. Opening it twice would conflict with the lock of the first.
fn take(found: &mut Vec<MemoryFile>, path: &Path) -> Result<MemoryFile, NoMemory> {
    match found.iter().position(|file| file.path == path) {
        Some(index) => Ok(found.swap_remove(index)),
        None => MemoryFile::open(path, true),
    }
}
