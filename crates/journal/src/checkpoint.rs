//! Checkpoints: every live row in one sorted file, verified before it is used.

use crate::{
    error::{At, JournalError},
    folder::Folder,
    format::{
        BadHead, BlockHead, CHECKPOINT_ROW, FORMAT, Fields, FileHead, FileKind, Kind, ROWS_BYTES,
        decode_checkpoint_row, encode_checkpoint_row,
    },
    row::Dated,
    scan::{Piece, Scanner},
};
use std::{fs::File, io::Write, path::PathBuf};

/// Why a checkpoint cannot be used.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is damaged: the text states where.
    Damaged(String),
    /// It cannot be read, or not by this version.
    Error(JournalError),
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        Self::Error(error)
    }
}

/// A verified checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verified {
    pub(crate) generation: u64,
    pub(crate) store: [u8; 16],
    /// Unix second of the newest write in it.
    pub(crate) newest: u64,
}

/// The rows of a checkpoint.
#[derive(Debug)]
pub(crate) struct Rows {
    scanner: Scanner,
    path: PathBuf,
    head: FileHead,
    /// How many rows of the scanner's block were returned.
    given: usize,
    blocks: u64,
    rows: u64,
    /// Unix second of the newest write; known only at the end.
    newest: u64,
}

impl Rows {
    /// Opens the checkpoint of a generation.
    pub(crate) fn open(folder: &Folder, generation: u64) -> Result<Self, Fault> {
        let path = folder.checkpoint(generation);
        let (scanner, head) = Scanner::open(&path, generation).at("read", &path)?;
        let head = match head {
            Ok(head) if head.kind == FileKind::Checkpoint && head.generation == generation => head,
            Ok(_) => return Err(Fault::Damaged(format!("{} is another file.", path.display()))),
            Err(BadHead::Damaged) => {
                return Err(Fault::Damaged(format!("{} is damaged at offset 0.", path.display())));
            }
            Err(BadHead::Newer(found)) => {
                return Err(Fault::Error(JournalError::Newer { path, found, known: FORMAT }));
            }
        };
        Ok(Self { scanner, path, head, given: 0, blocks: 0, rows: 0, newest: 0 })
    }

    /// Reads the whole file and verifies it.
    pub(crate) fn verify(folder: &Folder, generation: u64) -> Result<Verified, Fault> {
        let mut rows = Self::open(folder, generation)?;
        while rows.next_block()? {}
        Ok(Verified { generation, store: rows.head.store, newest: rows.newest })
    }

    fn damaged(&self, at: u64) -> Fault {
        Fault::Damaged(format!("{} is damaged at offset {at}.", self.path.display()))
    }

    /// Advances to the next block of rows. False: the trailer was reached and matches.
    fn next_block(&mut self) -> Result<bool, Fault> {
        self.given = 0;
        match self.scanner.next().at("read", &self.path)? {
            Some(Piece::Block { head, at }) => match head.kind {
                Kind::Rows if head.sequence == self.blocks => {
                    self.blocks += 1;
                    self.rows += u64::from(head.rows);
                    Ok(true)
                }
                Kind::Trailer => self.trailer(at),
                Kind::Rows | Kind::Epoch | Kind::Charges | Kind::End => Err(self.damaged(at)),
            },
            Some(Piece::Damaged { at, .. } | Piece::Tail { at, .. }) => Err(self.damaged(at)),
            None => Err(Fault::Damaged(format!("{} ends too early.", self.path.display()))),
        }
    }

    fn trailer(&mut self, at: u64) -> Result<bool, Fault> {
        let mut fields = Fields(self.scanner.body());
        let (blocks, rows, newest) = (fields.u64(), fields.u64(), fields.u64());
        if blocks != Some(self.blocks) || rows != Some(self.rows) {
            return Err(self.damaged(at));
        }
        self.newest = newest.unwrap_or(0);
        if self.scanner.next().at("read", &self.path)?.is_some() {
            return Err(self.damaged(at));
        }
        Ok(false)
    }

    /// The next row.
    #[inline]
    pub(crate) fn next_row(&mut self) -> Result<Option<Dated>, Fault> {
        loop {
            let (rows, _) = self.scanner.body().as_chunks::<CHECKPOINT_ROW>();
            if let Some(row) = rows.get(self.given).and_then(decode_checkpoint_row) {
                self.given += 1;
                return Ok(Some(row));
            }
            if !self.next_block()? {
                return Ok(None);
            }
        }
    }
}

/// Writes a checkpoint.
#[derive(Debug)]
pub(crate) struct CheckpointWriter<'f> {
    folder: &'f Folder,
    file: File,
    unfinished: PathBuf,
    generation: u64,
    body: Vec<u8>,
    out: Vec<u8>,
    blocks: u64,
    rows: u64,
    newest: u64,
    unsynced: usize,
}

const OUT: usize = 1 << 20;
/// Syncs in steps of this size, so that no commit has to wait for a gigabyte to be written.
const SYNC_EVERY: usize = 32 << 20;

impl<'f> CheckpointWriter<'f> {
    /// Starts a checkpoint. `newest`: the Unix second of the newest write in it.
    pub(crate) fn begin(
        folder: &'f Folder,
        generation: u64,
        store: [u8; 16],
        newest: u64,
    ) -> Result<Self, JournalError> {
        let (file, unfinished) = folder.create(&folder.checkpoint(generation))?;
        let out = FileHead { kind: FileKind::Checkpoint, generation, store }.encode().to_vec();
        let body = Vec::with_capacity(ROWS_BYTES);
        Ok(Self { folder, file, unfinished, generation, body, out, blocks: 0, rows: 0, newest, unsynced: 0 })
    }

    /// Rows must be pushed in the order of [`Dated::order`].
    pub(crate) fn push(&mut self, row: &Dated) -> Result<(), JournalError> {
        self.body.extend_from_slice(&encode_checkpoint_row(row));
        if self.body.len() + CHECKPOINT_ROW > ROWS_BYTES {
            self.end_block(Kind::Rows)?;
        }
        Ok(())
    }

    fn end_block(&mut self, kind: Kind) -> Result<(), JournalError> {
        let rows = if kind == Kind::Rows { self.body.len() / CHECKPOINT_ROW } else { 0 };
        let head = BlockHead {
            kind,
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            sequence: self.blocks,
            second: self.newest,
            epoch: 0,
            generation: self.generation,
            remaining: 0,
            rings: 0,
        };
        head.encode(&self.body, &mut self.out);
        self.body.clear();
        self.blocks += 1;
        self.rows += rows as u64;
        if self.out.len() >= OUT {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<(), JournalError> {
        self.file.write_all(&self.out).at("write", &self.unfinished)?;
        self.unsynced += self.out.len();
        self.out.clear();
        if self.unsynced >= SYNC_EVERY {
            self.file.sync_data().at("sync", &self.unfinished)?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Completes the checkpoint; it is valid once this returns. Returns its length in bytes.
    pub(crate) fn finish(mut self) -> Result<u64, JournalError> {
        if !self.body.is_empty() {
            self.end_block(Kind::Rows)?;
        }
        for number in [self.blocks, self.rows, self.newest] {
            self.body.extend_from_slice(&number.to_le_bytes());
        }
        self.end_block(Kind::Trailer)?;
        self.write_out()?;
        self.file.sync_all().at("sync", &self.unfinished)?;
        let length = self.file.metadata().at("read", &self.unfinished)?.len();
        self.folder.finish(&self.unfinished, &self.folder.checkpoint(self.generation))?;
        Ok(length)
    }
}
