//! Reads the blocks of a file in order, and finds the next good one after damage.

use crate::format::{BLOCK_MAGIC, BadHead, BlockHead, FileHead, HEAD};
use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::Path,
};

const BUFFER: usize = 1 << 20;

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A block with valid checksums.
    Block { head: BlockHead, at: u64 },
    /// Bytes that are not a block, followed by good blocks or with a readable head of their own.
    Damaged { at: u64, length: u64, head: Option<BlockHead> },
    /// The rest of the file: it contains no good block. `torn`: it looks like an incomplete write.
    Tail { at: u64, length: u64, head: Option<BlockHead>, torn: bool },
}

/// The pieces of a file after its head, in order. Memory: 1 MiB plus one block.
#[derive(Debug)]
pub(crate) struct Scanner {
    file: File,
    generation: u64,
    buffer: Vec<u8>,
    /// The file offset of the first byte of `buffer`.
    base: u64,
    at: usize,
    file_ended: bool,
    body: Range<usize>,
}

impl Scanner {
    /// Opens a file and reads its head. Blocks of another generation count as damage.
    pub(crate) fn open(path: &Path, generation: u64) -> io::Result<(Self, Result<FileHead, BadHead>)> {
        let file = File::open(path)?;
        let buffer = Vec::with_capacity(BUFFER);
        let body = 0..0;
        let mut scanner = Self { file, generation, buffer, base: 0, at: 0, file_ended: false, body };
        let head = FileHead::decode(scanner.fill(HEAD)?);
        scanner.at = HEAD.min(scanner.buffer.len());
        Ok((scanner, head))
    }

    /// The body of the block that `next` returned last.
    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.get(self.body.clone()).unwrap_or(&[])
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Reads until `want` bytes are available or the file ends; returns all available bytes.
    fn fill(&mut self, want: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < want && !self.file_ended {
            self.buffer.drain(..self.at);
            self.base += self.at as u64;
            self.at = 0;
            let room = BUFFER.max(want).saturating_sub(self.buffer.len());
            let read = self.file.by_ref().take(room as u64).read_to_end(&mut self.buffer)?;
            self.file_ended = read < room;
        }
        Ok(self.buffer.get(self.at..).unwrap_or(&[]))
    }

    fn head(&mut self) -> io::Result<Option<(BlockHead, usize, u32)>> {
        let generation = self.generation;
        Ok(BlockHead::decode(self.fill(HEAD)?).filter(|(head, ..)| head.generation == generation))
    }

    /// The next piece. None: the file ends here, after a block.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        self.body = 0..0;
        if self.fill(1)?.is_empty() {
            return Ok(None);
        }
        let at = self.offset();
        let Some((head, length, check)) = self.head()? else { return self.search().map(Some) };
        let whole = HEAD + length;
        let there = self.fill(whole)?;
        let Some(body) = there.get(HEAD..whole) else {
            let length = there.len() as u64;
            self.at = self.buffer.len();
            return Ok(Some(Piece::Tail { at, length, head: Some(head), torn: true }));
        };
        let good = crc32fast::hash(body) == check;
        self.body = self.at + HEAD..self.at + whole;
        self.at += whole;
        if good {
            Ok(Some(Piece::Block { head, at }))
        } else {
            Ok(Some(Piece::Damaged { at, length: whole as u64, head: Some(head) }))
        }
    }

    /// Advances to the next block head.
    fn search(&mut self) -> io::Result<Piece> {
        let at = self.offset();
        let mut zeros = self.fill(1)?.starts_with(&[0]);
        self.at += 1;
        loop {
            self.fill(HEAD)?;
            let there = self.buffer.get(self.at..).unwrap_or(&[]);
            let step = there.windows(BLOCK_MAGIC.len()).position(|window| window == BLOCK_MAGIC);
            // Three bytes could be the beginning of a magic number whose end is not read yet.
            let rest = if self.file_ended { 0 } else { BLOCK_MAGIC.len() - 1 };
            let step = step.unwrap_or(there.len().saturating_sub(rest));
            zeros = zeros && there.iter().take(step).all(|byte| *byte == 0);
            self.at += step;
            if self.fill(1)?.is_empty() {
                let length = self.offset() - at;
                return Ok(Piece::Tail { at, length, head: None, torn: zeros || length < HEAD as u64 });
            }
            if self.fill(HEAD)?.starts_with(&BLOCK_MAGIC) {
                if self.head()?.is_some() {
                    return Ok(Piece::Damaged { at, length: self.offset() - at, head: None });
                }
                zeros = false;
                self.at += 1;
            }
        }
    }
}
