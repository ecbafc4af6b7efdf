//! Reads journals: what they add, and how far the last process got.

use crate::{
    deltas::Deltas,
    error::{At, JournalError},
    finding::Finding,
    folder::Folder,
    format::{BadHead, BlockHead, FORMAT, Fields, FileKind, JOURNAL_ROW, Kind, decode_journal_row},
    row::{Dated, short},
    scan::{Piece, Scanner},
};
use std::{collections::BTreeSet, io, path::Path};

/// The last start of the gateway, as recorded on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) number: u64,
    /// None: the block with it is damaged.
    pub(crate) boot: Option<[u8; 16]>,
    /// Random: distinguishes two starts with the same number, which a restored backup makes possible.
    pub(crate) id: Option<[u8; 16]>,
    /// For each ring: all charges before this are on disk.
    pub(crate) positions: Vec<u64>,
    /// Shared memory contains nothing more.
    pub(crate) ended: bool,
}

/// The blocks of one commit, of which the last one is missing.
#[derive(Debug)]
pub(crate) struct Partial {
    rows: Vec<Dated>,
    /// Its offset in the journal.
    pub(crate) at: u64,
    pub(crate) sequence: u64,
    positions: Vec<u64>,
    remaining: u32,
}

/// The end of a journal.
#[derive(Debug)]
pub(crate) struct JournalEnd {
    pub(crate) generation: u64,
    /// The offset after the last good block.
    pub(crate) at: u64,
    /// Whether there are bytes after it.
    pub(crate) torn: bool,
    /// An incomplete commit.
    pub(crate) partial: Option<Partial>,
}

/// The content of journals.
#[derive(Debug)]
pub(crate) struct Replay<'f> {
    folder: &'f Folder,
    pub(crate) deltas: Deltas,
    pub(crate) findings: Vec<Finding>,
    /// Journals that have lost data.
    pub(crate) damaged: BTreeSet<u64>,
    pub(crate) epoch: Epoch,
    pub(crate) store: Option<[u8; 16]>,
    /// Unix second of the newest write.
    pub(crate) newest: u64,
    /// The sequence of the next block.
    pub(crate) sequence: u64,
    /// Blocks may be missing here without another finding.
    gap: bool,
    partial: Option<Partial>,
}

impl<'f> Replay<'f> {
    pub(crate) fn new(folder: &'f Folder, store: Option<[u8; 16]>, newest: u64) -> Self {
        Self {
            folder,
            deltas: Deltas::new(),
            findings: Vec::new(),
            damaged: BTreeSet::new(),
            epoch: Epoch { ended: true, ..Epoch::default() },
            store,
            newest,
            sequence: 0,
            gap: true,
            partial: None,
        }
    }

    fn lost(&mut self, generation: u64, sentence: String) {
        self.findings.push(Finding::lost(sentence));
        self.damaged.insert(generation);
        self.gap = true;
    }

    /// Reads the journals of these generations. An incomplete commit at the end of the last one is
    /// kept separate.
    pub(crate) fn read(&mut self, first: u64, end: u64) -> Result<Option<JournalEnd>, JournalError> {
        let mut last = None;
        for generation in first..end {
            if let Some(partial) = self.partial.take() {
                self.apply(partial);
            }
            last = self.journal(generation)?;
        }
        if let Some(last) = &mut last {
            last.partial = self.partial.take();
        }
        Ok(last)
    }

    fn journal(&mut self, generation: u64) -> Result<Option<JournalEnd>, JournalError> {
        let path = self.folder.journal(generation);
        let (mut scanner, head) = match Scanner::open(&path, generation) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = format!("{} is missing. The charges in it are lost.", path.display());
                self.lost(generation, text);
                return Ok(None);
            }
            Err(error) => return Err(error).at("read", &path),
        };
        match head {
            Ok(head) if head.kind == FileKind::Journal && head.generation == generation => {
                if *self.store.get_or_insert(head.store) != head.store {
                    let text = format!("{} belongs to another store. It was left out.", path.display());
                    self.lost(generation, text);
                    return Ok(None);
                }
            }
            Err(BadHead::Newer(found)) => return Err(JournalError::Newer { path, found, known: FORMAT }),
            Ok(_) | Err(BadHead::Damaged) => {
                let text = format!("{} is damaged at offset 0. Its blocks were used.", path.display());
                self.lost(generation, text);
            }
        }
        let mut end = JournalEnd { generation, at: crate::format::HEAD as u64, torn: false, partial: None };
        let mut blocks = 0_u64;
        while let Some(piece) = scanner.next().at("read", &path)? {
            match piece {
                Piece::Block { head, at } => {
                    let body = scanner.body();
                    end.at = at + (crate::format::HEAD + body.len()) as u64;
                    blocks += 1;
                    self.block(&path, &head, at, body);
                }
                Piece::Damaged { at, length, head } => self.damage(&path, generation, at, length, head),
                Piece::Tail { at, length, head, torn } => {
                    end.torn = true;
                    if torn {
                        self.torn(&path, generation, at, length);
                    } else {
                        self.damage(&path, generation, at, length, head);
                    }
                }
            }
        }
        if blocks == 0 {
            let text = format!("{} has no block that can be read.", path.display());
            self.lost(generation, text);
        }
        Ok(Some(end))
    }

    fn damage(&mut self, path: &Path, generation: u64, at: u64, length: u64, head: Option<BlockHead>) {
        let held = match head {
            Some(head) => format!("held {} rows, written at Unix second {}", head.rows, head.second),
            None => "cannot say what they held".to_owned(),
        };
        let text = format!(
            "{} is damaged: the {length} bytes at offset {at} {held}. What is before and behind them was used.",
            path.display()
        );
        self.lost(generation, text);
    }

    /// An incomplete write at the end: the process or the machine died during it. It was not confirmed.
    fn torn(&mut self, path: &Path, generation: u64, at: u64, length: u64) {
        self.findings.push(Finding::harmless(format!(
            "{} ends with {length} bytes at offset {at} that were not wholly written. They were cut off.",
            path.display()
        )));
        // Only the last journal can end like this: a new one is started only after a complete write.
        if let Ok(true) = self.folder.journal(generation + 1).try_exists() {
            let text = format!("{} was not the last journal: charges at its end are lost.", path.display());
            self.lost(generation, text);
        }
    }

    fn block(&mut self, path: &Path, head: &BlockHead, at: u64, body: &[u8]) {
        let generation = head.generation;
        if !self.gap && head.sequence > self.sequence {
            let missing = head.sequence - self.sequence;
            let text = format!(
                "{}: {missing} blocks are missing before offset {at}. Their charges are lost.",
                path.display()
            );
            self.lost(generation, text);
        } else if head.sequence < self.sequence {
            let text =
                format!("{}: the block at offset {at} is an old one. It was left out.", path.display());
            self.lost(generation, text);
            return;
        }
        self.gap = false;
        self.sequence = head.sequence.saturating_add(1);
        self.newest = self.newest.max(head.second);
        let rings = usize::try_from(head.rings).unwrap_or(0);
        let (positions, rest) = body.split_at_checked(rings * 8).unwrap_or((&[], body));
        let positions: Vec<u64> =
            positions.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        if head.epoch != self.epoch.number {
            self.flush();
            self.epoch = Epoch { number: head.epoch, ended: head.epoch == 0, ..Epoch::default() };
        }
        match head.kind {
            Kind::Epoch => {
                self.flush();
                let mut fields = Fields(rest);
                self.epoch.boot = fields.array();
                if let Some(store) = fields.array() {
                    self.store.get_or_insert(store);
                }
                self.epoch.id = fields.array();
                self.epoch.positions = positions;
            }
            Kind::Charges | Kind::End => {
                self.rows(head, at, positions, rest);
                if head.kind == Kind::End && head.remaining == 0 {
                    self.epoch.ended = true;
                }
            }
            Kind::Rows | Kind::Trailer => {
                let text = format!("{}: the block at offset {at} is none of a journal.", path.display());
                self.lost(generation, text);
            }
        }
    }

    fn rows(&mut self, head: &BlockHead, at: u64, positions: Vec<u64>, bytes: &[u8]) {
        // Blocks of an earlier commit whose last block is damaged.
        if self
            .partial
            .as_ref()
            .is_some_and(|partial| partial.remaining.checked_sub(1) != Some(head.remaining))
        {
            self.flush();
        }
        let partial = self.partial.get_or_insert(Partial {
            rows: Vec::new(),
            at,
            sequence: head.sequence,
            positions: Vec::new(),
            remaining: 0,
        });
        partial.positions = positions;
        partial.remaining = head.remaining;
        let second = short(head.second);
        let (rows, _) = bytes.as_chunks::<JOURNAL_ROW>();
        partial
            .rows
            .extend(rows.iter().filter_map(|row| decode_journal_row(row)).map(|row| Dated { row, second }));
        if head.remaining == 0 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(partial) = self.partial.take() {
            self.apply(partial);
        }
    }

    /// Counts the available blocks of a commit.
    pub(crate) fn apply(&mut self, partial: Partial) {
        for row in partial.rows {
            self.deltas.push(row);
        }
        self.epoch.positions = partial.positions;
    }
}
