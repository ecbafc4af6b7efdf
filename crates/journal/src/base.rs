//! Selects the checkpoint to start from, and the journals after it.

use crate::{
    checkpoint::{Fault, Rows, Verified},
    error::JournalError,
    finding::Finding,
    folder::Folder,
    replay::{JournalEnd, Replay},
};

/// The starting point of a recovery.
#[derive(Debug)]
pub(crate) struct Base {
    /// None: generation 1, which starts empty.
    pub(crate) checkpoint: Option<Verified>,
    /// The journals of the generations from this one to before `end` follow.
    pub(crate) first: u64,
    pub(crate) end: u64,
    /// Damaged checkpoints.
    pub(crate) damaged: Vec<u64>,
    pub(crate) findings: Vec<Finding>,
}

impl Base {
    /// Finds the newest intact checkpoint. None: there are no files yet.
    pub(crate) fn find(folder: &Folder) -> Result<Option<Self>, JournalError> {
        let listing = folder.list()?;
        let newest_checkpoint = listing.checkpoints.last().copied().unwrap_or(0);
        let newest_journal = listing.journals.last().copied().unwrap_or(0);
        let end = newest_checkpoint.max(newest_journal).saturating_add(1);
        if end == 1 {
            return Ok(None);
        }
        let mut base = Self { checkpoint: None, first: 1, end, damaged: Vec::new(), findings: Vec::new() };
        for generation in listing.checkpoints.into_iter().rev() {
            match Rows::verify(folder, generation) {
                Ok(verified) => {
                    base.checkpoint = Some(verified);
                    base.first = generation;
                    break;
                }
                Err(Fault::Damaged(sentence)) => {
                    base.findings.push(Finding::harmless(format!(
                        "{sentence} The state before it and the journals since were used, so nothing is lost by this."
                    )));
                    base.damaged.push(generation);
                }
                Err(Fault::Error(error)) => return Err(error),
            }
        }
        // Without a checkpoint, the first journal is needed for the initial state.
        if base.checkpoint.is_none() && listing.journals.first() != Some(&1) {
            let mut findings: Vec<Finding> = Vec::new();
            for damaged in &base.damaged {
                let path = folder.checkpoint(*damaged);
                findings.push(Finding::lost(format!("{} is damaged.", path.display())));
            }
            if base.damaged.is_empty() {
                let path = folder.checkpoint(newest_journal);
                findings.push(Finding::lost(format!("{} and those before it are missing.", path.display())));
            }
            return Err(JournalError::NothingGood { folder: folder.path().to_owned(), findings });
        }
        Ok(Some(base))
    }

    /// Opens the rows of the checkpoint.
    pub(crate) fn rows(&self, folder: &Folder) -> Result<Option<Rows>, Fault> {
        self.checkpoint.map(|checkpoint| Rows::open(folder, checkpoint.generation)).transpose()
    }

    /// Reads the journals before `end`.
    pub(crate) fn replay<'f>(
        &self,
        folder: &'f Folder,
        end: u64,
    ) -> Result<(Replay<'f>, Option<JournalEnd>), JournalError> {
        let store = self.checkpoint.map(|checkpoint| checkpoint.store);
        let newest = self.checkpoint.map_or(0, |checkpoint| checkpoint.newest);
        let mut replay = Replay::new(folder, store, newest);
        let last = replay.read(self.first, end)?;
        Ok((replay, last))
    }
}
