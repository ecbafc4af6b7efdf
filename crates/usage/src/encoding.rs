//! The encoding of tallies in the store: mostly small numbers, so each takes as few bytes as it needs.
//!
//! Numbers are LEB128: seven bits a byte, the lowest first; the top bit means that more follow.
//! Decoding checks everything: other bytes are an error, never a wrong tally.

use crate::{
    Latency, Tally,
    latency::{Steps, last_step},
    tally::{MAX_CODES, NotATally, OTHER_CODES, is_counted_apart},
};

/// The first byte, to distinguish later layouts.
const LAYOUT: u8 = 1;

impl Tally {
    /// Encodes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(LAYOUT);
        for number in [self.requests, self.charged, self.bytes_in, self.bytes_out] {
            put(number, &mut bytes);
        }
        put(self.latency.sum, &mut bytes);
        put(self.latency.max, &mut bytes);
        put(self.latency.steps.len() as u64, &mut bytes);
        let mut next = 0;
        for &(step, count) in &self.latency.steps {
            put(u64::from(step) - next, &mut bytes);
            put(count, &mut bytes);
            next = u64::from(step) + 1;
        }
        put(self.codes.len() as u64, &mut bytes);
        for (code, count) in &self.codes {
            put(code.len() as u64, &mut bytes);
            bytes.extend_from_slice(code.as_bytes());
            put(*count, &mut bytes);
        }
        bytes
    }

    /// Decodes a tally.
    ///
    /// # Errors
    /// The bytes are not a tally.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotATally> {
        read(bytes).ok_or(NotATally)
    }
}

fn read(bytes: &[u8]) -> Option<Tally> {
    let (&layout, mut rest) = bytes.split_first()?;
    if layout != LAYOUT {
        return None;
    }
    let rest = &mut rest;
    let [requests, charged, bytes_in, bytes_out] = [take(rest)?, take(rest)?, take(rest)?, take(rest)?];
    let latency = latency(rest)?;
    let codes = codes(rest)?;
    let tally = Tally { requests, charged, bytes_in, bytes_out, latency, codes };
    rest.is_empty().then_some(tally)
}

fn latency(rest: &mut &[u8]) -> Option<Latency> {
    let (sum, max, count) = (take(rest)?, take(rest)?, take(rest)?);
    let mut steps = Steps::new();
    let mut next: u64 = 0;
    for _ in 0..count {
        // If the count is larger than the data, the loop ends at the last step or the end of the bytes.
        let step = take(rest)?.checked_add(next)?;
        if step > u64::from(last_step()) {
            return None;
        }
        steps.push((u16::try_from(step).ok()?, take(rest)?));
        next = step + 1;
    }
    Some(Latency { sum, max, steps })
}

fn codes(rest: &mut &[u8]) -> Option<Vec<(Box<str>, u64)>> {
    let count = take(rest)?;
    if count > MAX_CODES as u64 {
        return None;
    }
    let mut codes: Vec<(Box<str>, u64)> = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(take(rest)?).ok()?;
        let (code, left) = rest.split_at_checked(length)?;
        *rest = left;
        let code = std::str::from_utf8(code).ok().filter(|code| is_counted_apart(code))?;
        if codes.last().is_some_and(|(before, _)| **before >= *code) {
            return None;
        }
        codes.push((code.into(), take(rest)?));
    }
    // One place is reserved for all other codes, otherwise merging could create more than can be decoded.
    let is_full = codes.len() == MAX_CODES;
    (!is_full || codes.iter().any(|(code, _)| **code == *OTHER_CODES)).then_some(codes)
}

fn put(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for place in 0..10 {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has one valid bit, and a last byte of 0 is never written: each number has
        // one encoding.
        if (place == 9 && bits > 1) || (byte == 0 && place > 0) {
            return None;
        }
        number |= bits << (7 * place);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Sample,
        tally::tests::{rows, tally},
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tally_round_trips(rows in rows()) {
            let tally = tally(&rows);
            prop_assert_eq!(Tally::from_bytes(&tally.to_bytes()), Ok(tally.clone()));
            let text = serde_json::to_string(&tally).unwrap();
            prop_assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        }

        #[test]
        fn truncated_or_extended_bytes_are_not_a_tally(rows in rows(), at: prop::sample::Index) {
            let mut bytes = tally(&rows).to_bytes();
            prop_assert_eq!(Tally::from_bytes(&bytes[..at.index(bytes.len())]), Err(NotATally));
            bytes.push(0);
            prop_assert_eq!(Tally::from_bytes(&bytes), Err(NotATally));
        }

        #[test]
        fn any_bytes_are_judged_without_panic_and_have_one_form(bytes: Vec<u8>) {
            for bytes in [bytes.clone(), [&[LAYOUT][..], &bytes].concat()] {
                if let Ok(tally) = Tally::from_bytes(&bytes) {
                    prop_assert_eq!(tally.to_bytes(), bytes);
                    let _ = (tally.latency().per_mille(500), tally.errors());
                }
            }
        }

        #[test]
        fn a_changed_byte_is_never_a_panic(rows in rows(), at: prop::sample::Index, value: u8) {
            let mut bytes = tally(&rows).to_bytes();
            let place = at.index(bytes.len());
            bytes[place] = value;
            if let Ok(mut tally) = Tally::from_bytes(&bytes) {
                tally.merge(&tally.clone());
                let _ = (tally.latency().mean(), tally.latency().per_mille(990));
            }
        }

        #[test]
        fn every_number_reads_back(number: u64) {
            let mut bytes = vec![];
            put(number, &mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(take(&mut rest), Some(number));
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_thousand_ordinary_requests_take_few_bytes() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            let code = (number % 10 == 0).then_some("API_LIMIT_EXCEEDED");
            let micros = 800 + number % 7 * 50;
            tally.add(&Sample { code, charged: 1, bytes_in: 0, bytes_out: 1400, micros });
        }
        assert!(tally.to_bytes().len() < 64, "{}", tally.to_bytes().len());
    }
}
