//! All counters of a journal that goes on: written by a compaction, then read while charges continue.

use crate::{
    checkpoint::{Fault, Rows},
    error::JournalError,
    folder::Folder,
    recovery::unreadable,
    row::Row,
};

/// The rows of all counters as they were at one moment. The file stays readable, whatever is compacted later.
#[derive(Debug)]
pub struct Counters {
    rows: Rows,
    folder: Folder,
}

/// How far it is with counters that somebody wants.
#[derive(Debug)]
pub(crate) enum Wanted {
    Nothing,
    Asked,
    /// The compaction that goes on has them all.
    Begun,
    Written(Result<Counters, JournalError>),
}

impl Counters {
    /// The next row, with the Unix second of its last charge. The rows of an account follow each other.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn next_row(&mut self) -> Result<Option<(Row, u32)>, JournalError> {
        let row = self.rows.next_row().map_err(|fault| unreadable(&self.folder, fault))?;
        Ok(row.map(|dated| (dated.row, dated.second)))
    }
}

impl Wanted {
    /// The checkpoint of this generation is complete.
    pub(crate) fn written(&mut self, folder: &Folder, generation: u64) {
        if matches!(self, Self::Begun) {
            let rows = Rows::open(folder, generation);
            let counters = rows.map(|rows| Counters { rows, folder: folder.clone() });
            *self = Self::Written(counters.map_err(|fault: Fault| unreadable(folder, fault)));
        }
    }

    /// What was written, once.
    pub(crate) fn take(&mut self) -> Option<Result<Counters, JournalError>> {
        if !matches!(self, Self::Written(_)) {
            return None;
        }
        match std::mem::replace(self, Self::Nothing) {
            Self::Written(written) => Some(written),
            Self::Nothing | Self::Asked | Self::Begun => None,
        }
    }

    /// No checkpoint came of it.
    pub(crate) fn fail(&mut self, why: &str) {
        if matches!(self, Self::Asked | Self::Begun) {
            *self = Self::Written(Err(JournalError::NotWritten(why.to_owned())));
        }
    }
}
