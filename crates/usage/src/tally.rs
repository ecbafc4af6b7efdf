//! The tally of requests that belong together: how many, what they used, how they failed, how long they took.

use crate::Latency;
use serde::{Deserialize, Serialize};

/// Maximum number of error codes that a tally counts separately. An upstream may invent any number
/// of codes: further ones count as [`OTHER_CODES`].
pub const MAX_CODES: usize = 32;
/// The code for error codes that are not counted separately.
pub const OTHER_CODES: &str = "OTHER";
/// A longer code is not counted separately either.
pub(crate) const LONGEST_CODE: usize = 64;

/// The bytes are not a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATally;

impl std::fmt::Display for NotATally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the bytes are no tally of usage")
    }
}

impl std::error::Error for NotATally {}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'c> {
    /// The error code of the response. None: it was not an error.
    pub code: Option<&'c str>,
    /// Units charged.
    pub charged: u32,
    /// Bytes of the request's body that were read.
    pub bytes_in: u64,
    /// Bytes of the response that were sent, head and body.
    pub bytes_out: u64,
    /// From the arrival of the request to the end of its response, in microseconds.
    pub micros: u64,
}

/// The counts of some requests. Sums saturate instead of wrapping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<u8>", try_from = "Vec<u8>")]
pub struct Tally {
    pub(crate) requests: u64,
    pub(crate) charged: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) latency: Latency,
    /// Code and count, sorted by code.
    pub(crate) codes: Vec<(Box<str>, u64)>,
}

impl Tally {
    /// Counts one request.
    pub fn add(&mut self, sample: &Sample<'_>) {
        self.requests = self.requests.saturating_add(1);
        self.charged = self.charged.saturating_add(sample.charged.into());
        self.bytes_in = self.bytes_in.saturating_add(sample.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(sample.bytes_out);
        self.latency.add(sample.micros);
        if let Some(code) = sample.code {
            self.add_code(code, 1);
        }
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.charged = self.charged.saturating_add(other.charged);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
        self.latency.merge(&other.latency);
        for (code, count) in &other.codes {
            self.add_code(code, *count);
        }
    }

    fn add_code(&mut self, code: &str, count: u64) {
        let code = if is_counted_apart(code) { code } else { OTHER_CODES };
        match self.codes.binary_search_by(|(known, _)| (**known).cmp(code)) {
            Ok(place) => {
                if let Some((_, counted)) = self.codes.get_mut(place) {
                    *counted = counted.saturating_add(count);
                }
            }
            // The last place is reserved for everything that does not fit.
            Err(_) if self.codes.len() + 1 >= MAX_CODES && code != OTHER_CODES => {
                self.add_code(OTHER_CODES, count);
            }
            Err(place) => self.codes.insert(place, (code.into(), count)),
        }
    }

    /// The number of requests, including errors.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// The number of requests with an error code.
    pub fn errors(&self) -> u64 {
        self.codes.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Units charged.
    pub const fn charged(&self) -> u64 {
        self.charged
    }

    /// Bytes of requests' bodies.
    pub const fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes of responses.
    pub const fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// The response times.
    pub const fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Error codes and their counts, sorted by code.
    pub fn codes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.codes.iter().map(|(code, count)| (&**code, *count))
    }

    /// Whether nothing was counted.
    pub const fn is_empty(&self) -> bool {
        self.requests == 0
    }
}

/// Codes are words; anything else that an upstream sends as a code does not get a place of its own.
pub(crate) fn is_counted_apart(code: &str) -> bool {
    let begins_with_a_letter = code.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    begins_with_a_letter && code.len() <= LONGEST_CODE && code.bytes().all(|byte| byte.is_ascii_graphic())
}

impl From<Tally> for Vec<u8> {
    fn from(tally: Tally) -> Self {
        tally.to_bytes()
    }
}

impl TryFrom<Vec<u8>> for Tally {
    type Error = NotATally;

    fn try_from(bytes: Vec<u8>) -> Result<Self, NotATally> {
        Self::from_bytes(&bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*, sample::select};

    const CODES: [&str; 5] = ["KEY_NOT_SET", "API_LIMIT_EXCEEDED", "UNEXPECTED_ERROR", "x", ""];

    /// Code, units, bytes of both ways, microseconds.
    type Row = (Option<&'static str>, u32, u64, u64, u64);

    pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
        let bytes = 0..u64::from(u32::MAX);
        vec(
            (
                option::of(select(&CODES[..])),
                any::<u32>(),
                bytes.clone(),
                bytes,
                any::<u32>().prop_map(u64::from),
            ),
            0..40,
        )
    }

    pub(crate) fn tally(rows: &[Row]) -> Tally {
        let mut tally = Tally::default();
        for &(code, charged, bytes_in, bytes_out, micros) in rows {
            tally.add(&Sample { code, charged, bytes_in, bytes_out, micros });
        }
        tally
    }

    proptest! {
        #[test]
        fn sums_are_the_sums_of_the_requests(rows in rows()) {
            let tally = tally(&rows);
            prop_assert_eq!(tally.requests(), rows.len() as u64);
            prop_assert_eq!(tally.errors(), rows.iter().filter(|row| row.0.is_some()).count() as u64);
            prop_assert_eq!(tally.charged(), rows.iter().map(|row| u64::from(row.1)).sum::<u64>());
            prop_assert_eq!(tally.bytes_in(), rows.iter().map(|row| row.2).sum::<u64>());
            prop_assert_eq!(tally.bytes_out(), rows.iter().map(|row| row.3).sum::<u64>());
            prop_assert_eq!(tally.latency().count(), tally.requests());
            for (code, count) in tally.codes().filter(|(code, _)| *code != OTHER_CODES) {
                prop_assert_eq!(count, rows.iter().filter(|row| row.0 == Some(code)).count() as u64);
            }
        }

        #[test]
        fn tallies_merge_into_the_tally_of_all(rows in rows(), at: prop::sample::Index) {
            let (one, other) = rows.split_at(at.index(rows.len() + 1));
            let mut merged = tally(one);
            merged.merge(&tally(other));
            prop_assert_eq!(&merged, &tally(&rows));
            let mut turned = tally(other);
            turned.merge(&tally(one));
            prop_assert_eq!(turned, merged);
        }
    }

    #[test]
    fn codes_without_end_take_no_memory_without_end() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            let code = format!("MADE_UP_{number}");
            tally.add(&Sample { code: Some(&code), charged: 0, bytes_in: 0, bytes_out: 0, micros: 1 });
        }
        assert_eq!(tally.codes().count(), MAX_CODES);
        assert_eq!(tally.errors(), 1000);
        let others = tally.codes().find(|(code, _)| *code == OTHER_CODES);
        assert_eq!(others, Some((OTHER_CODES, 1000 - (MAX_CODES as u64 - 1))));
        let mut merged = tally.clone();
        merged.merge(&tally);
        assert_eq!((merged.errors(), merged.codes().count()), (2000, MAX_CODES));
    }

    #[test]
    fn codes_that_are_not_words_are_not_counted_separately() {
        let long = "X".repeat(LONGEST_CODE + 1);
        for code in ["", "two words", "=1+1", "line\nbreak", "\u{1b}[2J", "ä", &long] {
            let mut tally = Tally::default();
            tally.add(&Sample { code: Some(code), charged: 0, bytes_in: 0, bytes_out: 0, micros: 1 });
            assert_eq!(tally.codes().collect::<Vec<_>>(), [(OTHER_CODES, 1)], "{code:?}");
        }
    }

    #[test]
    fn sums_stop_at_their_end() {
        let most =
            Sample { code: None, charged: 1, bytes_in: u64::MAX, bytes_out: u64::MAX, micros: u64::MAX };
        let mut tally = Tally::default();
        tally.add(&most);
        tally.add(&most);
        assert_eq!(
            (tally.bytes_in(), tally.bytes_out(), tally.latency().max()),
            (u64::MAX, u64::MAX, Some(u64::MAX))
        );
    }
}
