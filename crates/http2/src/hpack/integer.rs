//! Integers with a prefix (RFC 7541 section 5.1).

/// Reads an integer whose prefix is the low `prefix` bits of the first byte. Returns it with its
/// length in bytes. None: it is truncated, or larger than any valid value.
pub(crate) fn read(bytes: &[u8], prefix: u8) -> Option<(usize, usize)> {
    let mask = (1usize << prefix) - 1;
    let (&first, rest) = bytes.split_first()?;
    let mut value = usize::from(first) & mask;
    if value < mask {
        return Some((value, 1));
    }
    // Four bytes carry 28 bits: far above every limit and far below an overflow. More is refused.
    for (place, &byte) in rest.iter().take(4).enumerate() {
        value += usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, place + 2));
        }
    }
    None
}

/// Appends an integer. `first` holds the bits above the prefix.
pub(crate) fn write(value: usize, prefix: u8, first: u8, out: &mut Vec<u8>) {
    let mask = (1usize << prefix) - 1;
    if value < mask {
        out.push(first | low(value));
        return;
    }
    out.push(first | low(mask));
    let mut rest = value - mask;
    while rest >= 0x80 {
        out.push(low(rest & 0x7f) | 0x80);
        rest >>= 7;
    }
    out.push(low(rest));
}

/// Truncates to the lowest eight bits, on purpose.
#[allow(clippy::cast_possible_truncation)]
const fn low(value: usize) -> u8 {
    value as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_7541_c_1() {
        for (value, prefix, bytes) in [(10, 5, &[0x0a][..]), (1337, 5, &[0x1f, 0x9a, 0x0a]), (42, 8, &[0x2a])]
        {
            let mut out = Vec::new();
            write(value, prefix, 0, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(read(bytes, prefix), Some((value, bytes.len())));
        }
    }

    #[test]
    fn numbers_without_end_are_refused() {
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], 7), None);
        assert_eq!(read(&[0xff, 0x80], 7), None);
        assert_eq!(read(&[], 7), None);
    }

    proptest! {
        #[test]
        fn integers_round_trip(value in 0usize..(1 << 28), prefix in 1u8..=8) {
            let mut out = Vec::new();
            write(value, prefix, 0, &mut out);
            prop_assert_eq!(read(&out, prefix), Some((value, out.len())));
        }
    }
}
