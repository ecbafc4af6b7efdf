//! Encodes header blocks, with the static table and the Huffman code.
//!
//! The encoder uses no dynamic table: the fields of responses mostly differ (ids, dates, remaining
//! quota), and a table would cost memory on each connection and a search on each request. The first
//! block announces a table size of 0, which also satisfies every limit that the peer may set later.

use super::{huffman, integer, tables};

/// The bit of a string's length that marks Huffman encoding.
const HUFFMAN: u8 = 0x80;
/// Lengths from this value on take more than one byte.
const LONG: u8 = 0x7f;

/// Encodes the header blocks of one connection.
#[derive(Debug, Default)]
pub struct Encoder {
    has_announced_size: bool,
}

impl Encoder {
    /// Appends a block.
    pub fn encode<'f>(&mut self, fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>, out: &mut Vec<u8>) {
        if !self.has_announced_size {
            out.push(0x20); // a table of 0 bytes
            self.has_announced_size = true;
        }
        for (name, value) in fields {
            field(name, value, out);
        }
    }
}

fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let mut of_name = None;
    for (index, known) in tables::known(name) {
        if known == value {
            return integer::write(index, 7, 0x80, out);
        }
        of_name.get_or_insert(index);
    }
    // Never-indexed: must not enter any table, not even an intermediary's (RFC 7541 section 7.1.3).
    let is_secret = matches!(name, b"authorization" | b"cookie" | b"set-cookie" | b"proxy-authorization");
    integer::write(of_name.unwrap_or(0), 4, if is_secret { 0x10 } else { 0 }, out);
    if of_name.is_none() {
        string(name, out);
    }
    string(value, out);
}

fn string(bytes: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    // Nearly all strings are short enough for a length of one byte. So one byte is reserved and the
    // string is encoded at once, without measuring it first.
    out.push(0);
    huffman::encode(bytes, out);
    let length = out.len() - begin - 1;
    let is_shorter = length < bytes.len();
    if let Some(short) = u8::try_from(length).ok().filter(|short| is_shorter && *short < LONG)
        && let Some(place) = out.get_mut(begin)
    {
        *place = HUFFMAN | short;
        return;
    }
    out.truncate(begin);
    if is_shorter {
        integer::write(length, 7, HUFFMAN, out);
        huffman::encode(bytes, out);
    } else {
        integer::write(bytes.len(), 7, 0, out);
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpack::{Decoder, Fields};
    use proptest::{collection, prelude::*};

    #[test]
    fn known_fields_take_a_byte_and_secrets_are_marked() {
        let mut encoder = Encoder::default();
        let mut out = Vec::new();
        encoder.encode([(&b":status"[..], &b"200"[..])], &mut out);
        assert_eq!(out, [0x20, 0x88]);
        out.clear();
        encoder.encode([(&b":status"[..], &b"429"[..]), (&b"set-cookie"[..], &b"a"[..])], &mut out);
        assert_eq!(out, [0x08, 3, b'4', b'2', b'9', 0x1f, 0x28, 0x01, b'a']);
    }

    #[test]
    fn every_known_field_takes_its_index() {
        for (place, (name, value)) in tables::STATIC.iter().enumerate() {
            let mut out = Vec::new();
            field(name.as_bytes(), value.as_bytes(), &mut out);
            assert_eq!(out, [0x80 | u8::try_from(place + 1).unwrap()], "{name}");
        }
    }

    #[test]
    fn strings_of_every_length_round_trip() {
        // Bytes whose codes are shorter than, as long as, and longer than a byte.
        for byte in [b'a', b'X', b'&', 0xff] {
            for length in (0..300).chain([5_000]) {
                let text = vec![byte; length];
                let mut block = Vec::new();
                Encoder::default().encode([(&b"x"[..], &text[..])], &mut block);
                let fields = Decoder::new(usize::MAX).decode(&block).unwrap();
                assert_eq!(fields.iter().next(), Some((&b"x"[..], &text[..])));
                assert!(block.len() <= length + 8);
            }
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(lists in collection::vec(collection::vec((collection::vec(any::<u8>(), 0..20), collection::vec(any::<u8>(), 0..60)), 0..8), 0..4)) {
            let (mut encoder, mut decoder) = (Encoder::default(), Decoder::new(usize::MAX));
            for list in lists {
                let fields: Fields = list.iter().map(|(name, value)| (&name[..], &value[..])).collect();
                let mut block = Vec::new();
                encoder.encode(fields.iter(), &mut block);
                prop_assert_eq!(decoder.decode(&block), Ok(fields));
            }
        }
    }
}
