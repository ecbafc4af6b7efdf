//! The location of the journal and the size of its rings.

use crate::{error::JournalError, format::MAX_RINGS, ring::Layout};
use std::path::PathBuf;

/// Where charges are stored, and for how many threads.
#[derive(Debug, Clone)]
pub struct Options {
    /// The store's folder. It must exist; the journal creates `counters` in it.
    pub folder: PathBuf,
    /// The folder for the file of the shared memory, `/dev/shm`.
    pub memory: PathBuf,
    /// How many threads record charges, 1 to 1024.
    pub writers: usize,
    /// The capacity of a writer's ring in charges; rounded up to a power of two, at least 8 and at
    /// most 2^24. One takes 96 bytes.
    pub ring_entries: usize,
}

impl Options {
    /// Default sizes: `/dev/shm` and 65,536 charges for each writer.
    #[must_use]
    pub fn new(folder: PathBuf, writers: usize) -> Self {
        Self { folder, memory: PathBuf::from("/dev/shm"), writers, ring_entries: 65_536 }
    }

    pub(crate) fn layout(&self) -> Result<Layout, JournalError> {
        if self.writers == 0 || self.writers > MAX_RINGS {
            return Err(JournalError::Writers { found: self.writers, most: MAX_RINGS });
        }
        let entries = self.ring_entries.clamp(8, 1 << 24).next_power_of_two();
        Ok(Layout { rings: self.writers, entries })
    }
}
