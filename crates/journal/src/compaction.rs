//! Creates a new checkpoint from the last one and the journals since, on a separate thread.

use crate::{
    base::Base,
    checkpoint::{CheckpointWriter, Fault},
    error::JournalError,
    finding::Finding,
    folder::Folder,
    merge::merge,
    recovery::unreadable,
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// A new checkpoint.
#[derive(Debug)]
pub(crate) struct Compacted {
    pub(crate) generation: u64,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Damage found during the compaction.
    pub(crate) findings: Vec<Finding>,
}

/// A compaction that runs in parallel with commits. Dropping it stops it; nothing is lost by that.
#[derive(Debug)]
pub(crate) struct Compaction {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Option<Compacted>, JournalError>>>,
}

impl Compaction {
    /// Creates the checkpoint `generation` from all journals before it.
    pub(crate) fn begin(folder: Folder, generation: u64, store: [u8; 16]) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("compaction".to_owned()).spawn(move || {
            // Requests take precedence; on Linux this affects only this thread.
            let _ = rustix::process::nice(10);
            compact(&folder, generation, store, &stopped)
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end. None: it was stopped.
    pub(crate) fn end(mut self) -> Result<Option<Compacted>, JournalError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // Its panic was already reported; the next attempt starts again.
            Some(Err(_)) | None => Ok(None),
        }
    }
}

impl Drop for Compaction {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

enum Ended {
    Stopped,
    Fault(Fault),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<JournalError> for Ended {
    fn from(error: JournalError) -> Self {
        Self::Fault(Fault::Error(error))
    }
}

fn compact(
    folder: &Folder,
    generation: u64,
    store: [u8; 16],
    stop: &AtomicBool,
) -> Result<Option<Compacted>, JournalError> {
    let Some(base) = Base::find(folder)? else { return Ok(None) };
    if base.first >= generation {
        return Ok(None);
    }
    match write(folder, &base, generation, store, stop) {
        Ok(compacted) => Ok(Some(compacted)),
        Err(Ended::Stopped) => Ok(None),
        Err(Ended::Fault(fault)) => Err(unreadable(folder, fault)),
    }
}

fn write(
    folder: &Folder,
    base: &Base,
    generation: u64,
    store: [u8; 16],
    stop: &AtomicBool,
) -> Result<Compacted, Ended> {
    let (replay, _) = base.replay(folder, generation)?;
    let newest = replay.newest;
    let findings = replay.findings;
    // Damaged files are kept for inspection.
    for journal in &replay.damaged {
        let path = folder.journal(*journal);
        if path.exists() {
            folder.keep_damaged(&path, false)?;
        }
    }
    let deltas = replay.deltas.sorted();
    let mut writer = CheckpointWriter::begin(folder, generation, store, newest)?;
    merge(base.rows(folder)?, &deltas, newest, |row| {
        if stop.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        Ok(writer.push(row)?)
    })?;
    let length = writer.finish()?;
    // The previous generation is kept until there is a newer one.
    folder.remove_below(base.first)?;
    Ok(Compacted { generation, length, findings })
}
