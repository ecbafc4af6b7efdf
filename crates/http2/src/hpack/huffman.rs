//! The Huffman code of RFC 7541 appendix B.
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols. So
//! the lengths suffice, and the tables are computed from them at compile time.

/// Bits of each symbol's code; the last is EOS.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];
const LONGEST: usize = 30;
/// Codes of at most this many bits are decoded in one step.
const FAST: usize = 8;

static TABLES: Tables = Tables::new();

/// The code of a symbol.
#[derive(Clone, Copy)]
struct Code {
    code: u32,
    /// In bits.
    length: u8,
}

struct Tables {
    codes: [Code; 257],
    /// Symbols by length and value of their codes.
    order: [u16; 257],
    /// For each length: the first code, where its symbols begin in `order`, and how many there are.
    first: [u32; LONGEST + 1],
    start: [u16; LONGEST + 1],
    count: [u16; LONGEST + 1],
    /// For each byte: the symbol whose code it begins with, and the length of that code. 0: the
    /// code is longer.
    fast: [(u8, u8); 1 << FAST],
}

impl Tables {
    #[allow(
        clippy::indexing_slicing,
        reason = "computed when it is compiled: a wrong index does not compile"
    )]
    #[allow(clippy::cast_possible_truncation, reason = "symbols are below 257")]
    const fn new() -> Self {
        let mut tables = Self {
            codes: [Code { code: 0, length: 0 }; 257],
            order: [0; 257],
            first: [0; LONGEST + 1],
            start: [0; LONGEST + 1],
            count: [0; LONGEST + 1],
            fast: [(0, 0); 1 << FAST],
        };
        let (mut code, mut place, mut length) = (0u32, 0usize, 1usize);
        while length <= LONGEST {
            tables.first[length] = code;
            tables.start[length] = place as u16;
            let mut symbol = 0;
            while symbol < 257 {
                if LENGTHS[symbol] as usize == length {
                    tables.codes[symbol] = Code { code, length: LENGTHS[symbol] };
                    tables.order[place] = symbol as u16;
                    tables.count[length] += 1;
                    if length <= FAST {
                        let mut filled = (code as usize) << (FAST - length);
                        let end = filled + (1 << (FAST - length));
                        while filled < end {
                            tables.fast[filled] = (symbol as u8, length as u8);
                            filled += 1;
                        }
                    }
                    code += 1;
                    place += 1;
                }
                symbol += 1;
            }
            code <<= 1;
            length += 1;
        }
        tables
    }
}

/// Appends the decoded `bytes`. False: they are not a valid code or have invalid padding.
#[must_use]
pub(crate) fn decode(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    // Bits that were read and not used, the next one at the top.
    let (mut window, mut bits) = (0u64, 0usize);
    let mut rest = bytes.iter();
    loop {
        while bits <= 56
            && let Some(&byte) = rest.next()
        {
            window |= u64::from(byte) << (56 - bits);
            bits += 8;
        }
        if bits == 0 {
            return true;
        }
        match symbol(window) {
            Some((symbol, length)) if length <= bits => {
                let Ok(byte) = u8::try_from(symbol) else { return false }; // EOS (256) is not allowed in a string
                out.push(byte);
                window <<= length;
                bits -= length;
            }
            // The padding: at most seven bits, all ones, a prefix of EOS.
            Some(_) | None => return bits < 8 && window >> (64 - bits) == (1 << bits) - 1,
        }
    }
}

/// The symbol whose code is at the top of `window`, and the length of its code.
fn symbol(window: u64) -> Option<(u16, usize)> {
    let &(symbol, length) = TABLES.fast.get((window >> (64 - FAST)) as usize)?;
    if length > 0 {
        return Some((u16::from(symbol), usize::from(length)));
    }
    (FAST + 1..=LONGEST).find_map(|length| {
        let code = u32::try_from(window >> (64 - length)).ok()?;
        let place = code.checked_sub(*TABLES.first.get(length)?)?;
        let count = u32::from(*TABLES.count.get(length)?);
        let place = usize::try_from((place < count).then_some(place)?).ok()?;
        let symbol = TABLES.order.get(usize::from(*TABLES.start.get(length)?) + place)?;
        Some((*symbol, length))
    })
}

/// Appends `bytes` encoded.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    // Codes that are not yet written, the last one at the bottom: fewer than 32 bits, plus one code.
    let (mut window, mut bits) = (0u64, 0u32);
    for &byte in bytes {
        let Some(&Code { code, length }) = TABLES.codes.get(usize::from(byte)) else { return };
        window = window << length | u64::from(code);
        bits += u32::from(length);
        if bits >= 32 {
            bits -= 32;
            out.extend_from_slice(&low(window >> bits).to_be_bytes());
        }
    }
    // The padding is a prefix of EOS.
    let padding = bits.next_multiple_of(8) - bits;
    let last = low((window << padding | ((1 << padding) - 1)) << (32 - bits - padding));
    let count = (bits + padding) as usize / 8;
    out.extend_from_slice(last.to_be_bytes().get(..count).unwrap_or_default());
}

/// Truncates to the lower half, on purpose.
#[allow(clippy::cast_possible_truncation)]
const fn low(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_codes_are_those_of_the_appendix() {
        for (symbol, code) in
            [(b'0', 0x0), (b'a', 0x3), (b' ', 0x14), (b'&', 0xf8), (b'\\', 0x7fff0), (10, 0x3fff_fffc)]
        {
            assert_eq!(TABLES.codes[usize::from(symbol)].code, code, "{symbol}");
        }
        assert_eq!(TABLES.codes[256].code, 0x3fff_ffff);
    }

    #[test]
    fn bad_ends_are_refused() {
        let decodes = |bytes: &[u8]| decode(bytes, &mut Vec::new());
        assert!(decodes(&[0x1f])); // "a" and three ones
        assert!(!decodes(&[0x18])); // padded with zeros
        assert!(!decodes(&[0x1f, 0xff])); // more than seven bits of padding
        assert!(!decodes(&[0xff, 0xff, 0xff, 0xff])); // EOS itself
        assert!(!decodes(&[0xff]));
        assert!(decodes(&[]));
    }

    proptest! {
        #[test]
        fn encoding_round_trips(bytes: Vec<u8>) {
            let (mut encoded, mut decoded) = (Vec::new(), Vec::new());
            encode(&bytes, &mut encoded);
            prop_assert!(decode(&encoded, &mut decoded));
            prop_assert_eq!(decoded, bytes);
        }

        #[test]
        fn each_string_has_one_valid_encoding(bytes: Vec<u8>) {
            let (mut decoded, mut encoded) = (Vec::new(), Vec::new());
            if decode(&bytes, &mut decoded) {
                encode(&decoded, &mut encoded);
                prop_assert_eq!(encoded, bytes);
            }
        }
    }
}
