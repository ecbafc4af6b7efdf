//! The format on disk.
//!
//! A store's folder contains the folder `counters`, with files by generation: `checkpoint-N` has
//! every live row, sorted by `who`, `tag` and `window`; `journal-N` has what was added since. The
//! state is the newest checkpoint plus every journal from its number on. Generation 1 starts empty
//! and has no checkpoint. Every number is little-endian.
//!
//! A **file** begins with 64 bytes, in this and all later formats:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | `FGCOUNT\n` |
//! | 8 | 4 | format, now 1 |
//! | 12 | 4 | 1 checkpoint, 2 journal |
//! | 16 | 8 | generation |
//! | 24 | 16 | store id, random, the same in all files of a folder |
//! | 40 | 20 | zero |
//! | 60 | 4 | CRC-32 of bytes 0 to 59 |
//!
//! **Blocks** follow, each with a head of 64 bytes and a body:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | `FGBK` |
//! | 4 | 4 | kind, see [`Kind`] |
//! | 8 | 4 | length of the body, at most [`LONGEST_BODY`] |
//! | 12 | 4 | rows in the body |
//! | 16 | 8 | sequence: 1 more than that of the block before, through all journals; in a checkpoint from 0 |
//! | 24 | 8 | Unix second of the write |
//! | 32 | 8 | epoch: 1 more with each start |
//! | 40 | 8 | generation |
//! | 48 | 4 | how many blocks of the same commit follow |
//! | 52 | 4 | rings |
//! | 56 | 4 | CRC-32 of the body |
//! | 60 | 4 | CRC-32 of bytes 0 to 59 |
//!
//! A body begins with one 8-byte position for each ring: the charges of that ring before this
//! position are in this block or an earlier one. Rows follow. In a journal a row has 28 bytes
//! (`who` 16, `tag`, `window`, `units`) and ADDS its units; in a checkpoint it has 32 (followed by
//! the Unix second of its last write) and is absolute. An epoch block has no rows; after the
//! positions it has the boot ID, the store ID and the random ID of the start (16 bytes each). A
//! checkpoint ends with a trailer block whose body is the number of row blocks, the number of rows
//! and the Unix second of the newest write, 8 bytes each.

use crate::row::{Dated, Row};

/// The format that is written.
pub(crate) const FORMAT: u32 = 1;
pub(crate) const HEAD: usize = 64;
/// Maximum size of the rows of one block.
pub(crate) const ROWS_BYTES: usize = 64 * 1024;
/// Maximum number of rings.
pub(crate) const MAX_RINGS: usize = 1024;
pub(crate) const LONGEST_BODY: usize = ROWS_BYTES + MAX_RINGS * 8;
pub(crate) const JOURNAL_ROW: usize = 28;
pub(crate) const CHECKPOINT_ROW: usize = 32;
pub(crate) const BLOCK_MAGIC: [u8; 4] = *b"FGBK";
const FILE_MAGIC: [u8; 8] = *b"FGCOUNT\n";

/// Reads little-endian numbers from the front of a slice.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*front)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Checkpoint,
    Journal,
}

impl FileKind {
    fn number(self) -> u32 {
        match self {
            Self::Checkpoint => 1,
            Self::Journal => 2,
        }
    }
}

/// The first 64 bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHead {
    pub(crate) kind: FileKind,
    pub(crate) generation: u64,
    pub(crate) store: [u8; 16],
}

/// Why a file head is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHead {
    Damaged,
    Newer(u32),
}

impl FileHead {
    pub(crate) fn encode(&self) -> [u8; HEAD] {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&FILE_MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.kind.number().to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.store);
        sealed(&bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadHead> {
        // The checksum is verified first: a flipped bit in the format number is damage, not a newer format.
        let mut fields = unsealed(bytes).ok_or(BadHead::Damaged)?;
        let head =
            (|| Some((fields.array()?, fields.u32()?, fields.u32()?, fields.u64()?, fields.array()?)))();
        let (magic, format, kind, generation, store) = head.ok_or(BadHead::Damaged)?;
        if magic != FILE_MAGIC {
            return Err(BadHead::Damaged);
        }
        if format != FORMAT {
            return Err(BadHead::Newer(format));
        }
        let kind = match kind {
            1 => FileKind::Checkpoint,
            2 => FileKind::Journal,
            _ => return Err(BadHead::Damaged),
        };
        Ok(Self { kind, generation, store })
    }
}

/// Pads with zeros to 60 bytes and appends their checksum.
fn sealed(bytes: &[u8]) -> [u8; HEAD] {
    let mut whole = [0; HEAD];
    let (front, check) = whole.split_at_mut(HEAD - 4);
    for (to, from) in front.iter_mut().zip(bytes) {
        *to = *from;
    }
    check.copy_from_slice(&crc32fast::hash(front).to_le_bytes());
    whole
}

/// The first 60 bytes, if their checksum matches.
fn unsealed(bytes: &[u8]) -> Option<Fields<'_>> {
    let (front, check) = bytes.get(..HEAD)?.split_at_checked(HEAD - 4)?;
    (crc32fast::hash(front).to_le_bytes() == *check).then_some(Fields(front))
}

/// The type of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A start of the gateway, or the same epoch continued in a new journal.
    Epoch,
    /// Rows of a journal.
    Charges,
    /// The epoch's shared memory contains nothing that is not in this journal.
    End,
    /// Rows of a checkpoint.
    Rows,
    /// The end of a checkpoint.
    Trailer,
}

impl Kind {
    fn number(self) -> u32 {
        match self {
            Self::Epoch => 1,
            Self::Charges => 2,
            Self::End => 3,
            Self::Rows => 4,
            Self::Trailer => 5,
        }
    }

    fn of(number: u32) -> Option<Self> {
        [Self::Epoch, Self::Charges, Self::End, Self::Rows, Self::Trailer]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// The first 64 bytes of a block, without the checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHead {
    pub(crate) kind: Kind,
    pub(crate) rows: u32,
    pub(crate) sequence: u64,
    pub(crate) second: u64,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    pub(crate) remaining: u32,
    pub(crate) rings: u32,
}

impl BlockHead {
    /// Appends the block to `to`.
    pub(crate) fn encode(&self, body: &[u8], to: &mut Vec<u8>) {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&BLOCK_MAGIC);
        // A body is far smaller than 4 GiB: its writers stop at `ROWS_BYTES`.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        for number in [self.kind.number(), length, self.rows] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.sequence, self.second, self.epoch, self.generation] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.remaining, self.rings, crc32fast::hash(body)] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        to.extend_from_slice(&sealed(&bytes));
        to.extend_from_slice(body);
    }

    /// The head, the length of the body and its checksum. None: not a valid block head.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, usize, u32)> {
        if !bytes.starts_with(&BLOCK_MAGIC) {
            return None;
        }
        let mut fields = unsealed(bytes)?;
        let _: [u8; 4] = fields.array()?;
        let kind = Kind::of(fields.u32()?)?;
        let length = usize::try_from(fields.u32()?).ok()?;
        let rows = fields.u32()?;
        let (sequence, second, epoch, generation) =
            (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        let (remaining, rings, check) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let head = Self { kind, rows, sequence, second, epoch, generation, remaining, rings };
        (length == head.body_length()?).then_some((head, length, check))
    }

    /// The expected length of the body. None: above the maximum.
    fn body_length(&self) -> Option<usize> {
        let rings = usize::try_from(self.rings).ok().filter(|&rings| rings <= MAX_RINGS)?;
        let rows = usize::try_from(self.rows).ok()?;
        let behind = match self.kind {
            Kind::Epoch => 48,
            Kind::Charges | Kind::End => rows.checked_mul(JOURNAL_ROW)?,
            Kind::Rows => rows.checked_mul(CHECKPOINT_ROW)?,
            Kind::Trailer => 24,
        };
        Some(rings * 8 + behind).filter(|&length| length <= LONGEST_BODY)
    }
}

/// Appends a row of a journal to `to`.
pub(crate) fn encode_journal_row(row: &Row, to: &mut Vec<u8>) {
    to.extend_from_slice(&row.who);
    for number in [row.tag, row.window, row.units] {
        to.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads a row of a journal.
pub(crate) fn decode_journal_row(bytes: &[u8]) -> Option<Row> {
    let mut fields = Fields(bytes);
    Some(Row { who: fields.array()?, tag: fields.u32()?, window: fields.u32()?, units: fields.u32()? })
}

/// A row of a checkpoint.
pub(crate) fn encode_checkpoint_row(dated: &Dated) -> [u8; CHECKPOINT_ROW] {
    let mut whole = [0; CHECKPOINT_ROW];
    let row = &dated.row;
    let numbers = [row.tag, row.window, row.units, dated.second].into_iter().flat_map(u32::to_le_bytes);
    for (to, from) in whole.iter_mut().zip(row.who.into_iter().chain(numbers)) {
        *to = from;
    }
    whole
}

/// Reads a row of a checkpoint.
#[inline]
pub(crate) fn decode_checkpoint_row(bytes: &[u8; CHECKPOINT_ROW]) -> Option<Dated> {
    let mut fields = Fields(bytes);
    let row = Row { who: fields.array()?, tag: fields.u32()?, window: fields.u32()?, units: fields.u32()? };
    Some(Dated { row, second: fields.u32()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_head_matters() {
        let head = FileHead { kind: FileKind::Journal, generation: 7, store: [3; 16] };
        let bytes = head.encode();
        assert_eq!(FileHead::decode(&bytes), Ok(head));
        for bit in 0..HEAD * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHead::decode(&flipped), Err(BadHead::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_format_is_distinguished_from_damage() {
        let mut bytes =
            FileHead { kind: FileKind::Checkpoint, generation: 1, store: [0; 16] }.encode().to_vec();
        bytes[8] = 9;
        let bytes = sealed(&bytes[..60]);
        assert_eq!(FileHead::decode(&bytes), Err(BadHead::Newer(9)));
    }

    #[test]
    fn rows_round_trip() {
        let row = Row { who: *b"0123456789abcdef", tag: 5, window: 6, units: 7 };
        let dated = Dated { row, second: 8 };
        assert_eq!(decode_checkpoint_row(&encode_checkpoint_row(&dated)), Some(dated));
        let mut bytes = Vec::new();
        encode_journal_row(&row, &mut bytes);
        assert_eq!((bytes.len(), decode_journal_row(&bytes)), (JOURNAL_ROW, Some(row)));
    }
}
