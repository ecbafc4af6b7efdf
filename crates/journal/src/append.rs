//! Appends blocks to a journal, so that a failed write leaves no trace.

use crate::{
    error::{At, JournalError},
    folder::Folder,
    format::{BlockHead, FileHead, FileKind, HEAD, JOURNAL_ROW, Kind, ROWS_BYTES, encode_journal_row},
    replay::Epoch,
    row::Row,
};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::PathBuf,
};

const OUT: usize = 1 << 20;
const ROWS: usize = ROWS_BYTES / JOURNAL_ROW;

/// A journal open for writing.
#[derive(Debug)]
pub(crate) struct Appender {
    file: File,
    path: PathBuf,
    generation: u64,
    /// Everything before this offset is on disk.
    length: u64,
    /// A write has failed and may have left bytes after `length`.
    unclean: bool,
    sequence: u64,
}

/// The metadata common to all blocks of one write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub(crate) epoch: u64,
    /// Unix second.
    pub(crate) second: u64,
    pub(crate) positions: &'a [u64],
}

impl Appender {
    /// Creates a journal that continues from `epoch`.
    pub(crate) fn create(
        folder: &Folder,
        generation: u64,
        store: [u8; 16],
        epoch: &Epoch,
        sequence: u64,
        second: u64,
    ) -> Result<Self, JournalError> {
        let path = folder.journal(generation);
        let (file, unfinished) = folder.create(&path)?;
        let head = FileHead { kind: FileKind::Journal, generation, store };
        file.write_all_at(&head.encode(), 0).at("write", &unfinished)?;
        let mut new = Self {
            file,
            path: unfinished.clone(),
            generation,
            length: HEAD as u64,
            unclean: false,
            sequence,
        };
        new.epoch(epoch, store, second)?;
        folder.finish(&unfinished, &path)?;
        new.path = path;
        Ok(new)
    }

    /// Continues after `length` bytes of a journal, and truncates it there.
    pub(crate) fn open(
        folder: &Folder,
        generation: u64,
        length: u64,
        sequence: u64,
    ) -> Result<Self, JournalError> {
        let path = folder.journal(generation);
        let file = OpenOptions::new().read(true).write(true).open(&path).at("open", &path)?;
        let mut opened = Self { file, path, generation, length, unclean: true, sequence };
        opened.clean()?;
        Ok(opened)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Records that an epoch begins or continues.
    pub(crate) fn epoch(&mut self, epoch: &Epoch, store: [u8; 16], second: u64) -> Result<(), JournalError> {
        let stamp = Stamp { epoch: epoch.number, second, positions: &epoch.positions };
        let mut body = start(&stamp);
        body.extend_from_slice(&epoch.boot.unwrap_or_default());
        body.extend_from_slice(&store);
        body.extend_from_slice(&epoch.id.unwrap_or_default());
        let mut out = Vec::with_capacity(HEAD + body.len());
        self.head(Kind::Epoch, &stamp, 0, 0, self.sequence).encode(&body, &mut out);
        self.whole(|journal| journal.file.write_all_at(&out, journal.length).map(|()| (out.len(), 1)))
            .map(|_| ())
    }

    /// Writes these rows, at least one block, and syncs. Returns the number of bytes written.
    ///
    /// After an error, no later read sees a change.
    pub(crate) fn rows(
        &mut self,
        kind: Kind,
        stamp: &Stamp<'_>,
        rows: impl ExactSizeIterator<Item = Row>,
    ) -> Result<u64, JournalError> {
        self.whole(|journal| journal.blocks(kind, stamp, rows))
    }

    fn blocks(
        &self,
        kind: Kind,
        stamp: &Stamp<'_>,
        mut rows: impl ExactSizeIterator<Item = Row>,
    ) -> std::io::Result<(usize, u64)> {
        let blocks = rows.len().div_ceil(ROWS).max(1);
        let mut out = Vec::new();
        let mut written = 0_usize;
        for block in 0..blocks {
            let mut body = start(stamp);
            let mut count = 0;
            for row in rows.by_ref().take(ROWS) {
                encode_journal_row(&row, &mut body);
                count += 1;
            }
            let sequence = self.sequence + block as u64;
            self.head(kind, stamp, count, blocks - 1 - block, sequence).encode(&body, &mut out);
            if out.len() >= OUT || block + 1 == blocks {
                self.file.write_all_at(&out, self.length + written as u64)?;
                written += out.len();
                out.clear();
            }
        }
        Ok((written, blocks as u64))
    }

    fn head(&self, kind: Kind, stamp: &Stamp<'_>, rows: u32, remaining: usize, sequence: u64) -> BlockHead {
        BlockHead {
            kind,
            rows,
            sequence,
            second: stamp.second,
            epoch: stamp.epoch,
            generation: self.generation,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            rings: u32::try_from(stamp.positions.len()).unwrap_or(u32::MAX),
        }
    }

    /// Writes and syncs, or reverts what was written.
    fn whole(
        &mut self,
        write: impl FnOnce(&Self) -> std::io::Result<(usize, u64)>,
    ) -> Result<u64, JournalError> {
        self.clean()?;
        self.unclean = true;
        let written = write(self).and_then(|written| self.file.sync_data().map(|()| written));
        match written {
            Ok((bytes, blocks)) => {
                self.unclean = false;
                self.length += bytes as u64;
                self.sequence += blocks;
                Ok(bytes as u64)
            }
            Err(error) => {
                // If this fails too, the next write tries it again first. A crash until then leaves
                // a torn end, which the next start truncates.
                let _ = self.clean();
                Err(error).at("write", &self.path)
            }
        }
    }

    fn clean(&mut self) -> Result<(), JournalError> {
        if self.unclean {
            self.file.set_len(self.length).at("cut off the end of", &self.path)?;
            self.unclean = false;
        }
        Ok(())
    }
}

/// The beginning of a body.
fn start(stamp: &Stamp<'_>) -> Vec<u8> {
    stamp.positions.iter().flat_map(|position| position.to_le_bytes()).collect()
}
