//! Decodes header blocks. Whatever a block contains, time and memory are bounded by its length and
//! by the limit of a field section.

use super::{
    Fields, huffman, integer,
    tables::{Dynamic, OVERHEAD, STATIC},
};

/// The default size of the dynamic table, which every peer may assume.
const TABLE: usize = 4096;

/// A block that cannot be decoded: the dynamic table is out of sync, so the connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable;

/// Decodes the header blocks of one connection, in their order.
#[derive(Debug)]
pub struct Decoder {
    table: Dynamic,
    max_header_list_size: usize,
    // Buffers of decoded strings, reused for each field.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// A decoder with this limit of a field section, in bytes as counted by RFC 9113 section 6.5.2.
    #[must_use]
    pub const fn new(max_header_list_size: usize) -> Self {
        Self { table: Dynamic::new(TABLE), max_header_list_size, name: Vec::new(), value: Vec::new() }
    }

    /// Decodes a block. Fields beyond the limit are not kept, but still update the table.
    ///
    /// # Errors
    /// The block is not valid HPACK.
    pub fn decode(&mut self, block: &[u8]) -> Result<Fields, Undecodable> {
        let mut rest = block;
        let mut fields = Fields::with_room();
        let mut size = 0usize;
        let mut is_at_start = true;
        while let Some(&first) = rest.first() {
            if first & 0xe0 == 0x20 {
                // A dynamic table size update must come first in a block (section 4.2).
                let most = number(&mut rest, 5)?;
                if !is_at_start || most > TABLE {
                    return Err(Undecodable);
                }
                self.table.resize(most);
                continue;
            }
            is_at_start = false;
            let (name, value) = if first & 0x80 != 0 {
                let index = number(&mut rest, 7)?;
                entry(&self.table, index)?
            } else {
                self.literal(&mut rest, first)?;
                (self.name.as_slice(), self.value.as_slice())
            };
            size = size.saturating_add(name.len() + value.len() + OVERHEAD);
            if size > self.max_header_list_size {
                fields.cut();
            } else {
                fields.push(name, value);
            }
        }
        Ok(fields)
    }

    /// Reads a literal into `self.name` and `self.value`.
    fn literal(&mut self, rest: &mut &[u8], first: u8) -> Result<(), Undecodable> {
        let is_indexed = first & 0xc0 == 0x40;
        let index = number(rest, if is_indexed { 6 } else { 4 })?;
        self.name.clear();
        if index == 0 {
            string(rest, &mut self.name)?;
        } else {
            self.name.extend_from_slice(entry(&self.table, index)?.0);
        }
        self.value.clear();
        string(rest, &mut self.value)?;
        if is_indexed {
            self.table.insert(&self.name, &self.value);
        }
        Ok(())
    }

    /// Releases memory that is not needed between blocks.
    pub(crate) fn rest(&mut self) {
        self.name = Vec::new();
        self.value = Vec::new();
    }

    #[cfg(test)]
    pub(crate) fn table(&self) -> &Dynamic {
        &self.table
    }
}

fn entry(table: &Dynamic, index: usize) -> Result<(&[u8], &[u8]), Undecodable> {
    let place = index.checked_sub(1).ok_or(Undecodable)?;
    if let Some((name, value)) = STATIC.get(place) {
        return Ok((name.as_bytes(), value.as_bytes()));
    }
    table.get(place - STATIC.len()).ok_or(Undecodable)
}

fn number(rest: &mut &[u8], prefix: u8) -> Result<usize, Undecodable> {
    let (value, length) = integer::read(rest, prefix).ok_or(Undecodable)?;
    *rest = rest.get(length..).unwrap_or_default();
    Ok(value)
}

fn string(rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    let is_huffman = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = number(rest, 7)?;
    let (bytes, behind) = rest.split_at_checked(length).ok_or(Undecodable)?;
    *rest = behind;
    if is_huffman {
        return huffman::decode(bytes, out).then_some(()).ok_or(Undecodable);
    }
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection, prelude::*};

    fn decode(block: &[u8]) -> Result<usize, Undecodable> {
        Decoder::new(1 << 16).decode(block).map(|fields| fields.iter().count())
    }

    #[test]
    fn invalid_hpack_is_refused() {
        for block in [
            &[0x80][..],                                 // index 0
            &[0xc6],                                     // index 70: the table is empty
            &[0x40, 0x01, b'a'],                         // cut
            &[0x40, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x7f], // an overflowing length
            &[0x82, 0x20],                               // a table size update after a field
            &[0x3f, 0xe2, 0x1f],                         // a table of 4097 bytes
            &[0x00, 0x81, 0xff, 0x00],                   // padding of eight bits
            &[0x7f, 0xff],
        ] {
            assert_eq!(decode(block), Err(Undecodable), "{block:x?}");
        }
        assert_eq!(decode(&[0x3f, 0xe1, 0x1f, 0x20, 0x82]), Ok(1));
        assert_eq!(decode(&[]), Ok(0));
    }

    #[test]
    fn a_list_that_is_too_large_is_cut_and_still_moves_the_table() {
        let mut decoder = Decoder::new(100);
        let mut block = vec![0x40, 1, b'a', 60];
        block.extend([b'x'; 60]);
        // The same entry over and over: a byte each.
        block.extend([0xbe; 1000]);
        block.extend([0x40, 1, b'b', 1, b'y']);
        let fields = decoder.decode(&block).unwrap();
        assert!(fields.is_too_large());
        assert_eq!(fields.iter().count(), 1);
        let next = decoder.decode(&[0xbe]).unwrap();
        assert_eq!(next.iter().next(), Some((&b"b"[..], &b"y"[..])));
    }

    /// The size of a field is that of its name and value plus 32 bytes (RFC 9113 section 6.5.2).
    #[test]
    fn a_list_may_be_exactly_as_large_as_the_bound() {
        // `name: value`, as a literal, twice.
        let block = b"\x00\x04name\x05value".repeat(2);
        for (bound, is_cut) in [(2 * (4 + 5 + 32), false), (2 * (4 + 5 + 32) - 1, true)] {
            let fields = Decoder::new(bound).decode(&block).unwrap();
            assert_eq!((fields.is_too_large(), fields.count()), (is_cut, if is_cut { 1 } else { 2 }));
            assert_eq!(fields.size(), fields.count() * 9);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_without_panic_and_the_table_keeps_its_bound(blocks in collection::vec(collection::vec(any::<u8>(), 0..60), 0..6)) {
            let mut decoder = Decoder::new(1 << 12);
            for block in blocks {
                let _ = decoder.decode(&block);
                prop_assert!(decoder.table().size() <= TABLE);
            }
        }
    }
}
