//! The output: bytes to write, and their offset among all bytes ever written.

use crate::{ErrorCode, frame, frame::kind};

/// Capacity that an empty output keeps.
const KEPT: usize = 64 * 1024;
/// The initial capacity: a response of usual size.
const FIRST: usize = 2 * 1024;

/// Bytes to write.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// Bytes at the front that were already taken.
    taken: usize,
    /// The offset of the front of `bytes` among all bytes ever written.
    base: u64,
}

impl Output {
    pub(crate) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The offset of the first byte to write.
    pub(crate) const fn front(&self) -> u64 {
        self.base + self.taken as u64
    }

    /// The offset after the last byte to write.
    pub(crate) const fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
        if self.taken == self.bytes.len() {
            self.base = self.end();
            self.taken = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEPT {
                self.bytes = Vec::new();
            }
        } else if self.taken > KEPT {
            self.base += self.taken as u64;
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Releases the memory of an empty output.
    pub(crate) fn rest(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(FIRST.max(frame::HEAD + payload.len()));
        }
        frame::Head { length: payload.len(), kind, flags, stream }.write(&mut self.bytes);
        self.bytes.extend_from_slice(payload);
    }

    pub(crate) fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.frame(kind::RST_STREAM, 0, stream, &code.0.to_be_bytes());
    }

    pub(crate) fn window_update(&mut self, stream: u32, increment: u32) {
        self.frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes());
    }

    pub(crate) fn go_away(&mut self, last: u32, code: ErrorCode, why: &str) {
        let mut payload = Vec::with_capacity(8 + why.len());
        payload.extend_from_slice(&last.to_be_bytes());
        payload.extend_from_slice(&code.0.to_be_bytes());
        payload.extend_from_slice(why.as_bytes());
        self.frame(kind::GOAWAY, 0, 0, &payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_only_grow_however_the_bytes_are_taken() {
        let mut out = Output::default();
        let mut taken = Vec::new();
        let mut written = Vec::new();
        for n in 0..200u8 {
            let bytes = vec![n; 3_000];
            out.raw(&bytes);
            written.extend(bytes);
            assert_eq!(out.end(), written.len() as u64);
            let count = out.waiting().len() * usize::from(n % 7) / 7;
            taken.extend_from_slice(&out.waiting()[..count]);
            out.take(count);
            assert_eq!(out.front(), taken.len() as u64);
        }
        taken.extend_from_slice(out.waiting());
        assert_eq!(taken, written);
    }

    #[test]
    fn memory_begins_small_and_is_kept_up_to_a_bound() {
        let mut out = Output::default();
        out.frame(kind::PING, 0, 0, &[0; 8]);
        assert_eq!(out.bytes.capacity(), 2 * 1024);
        let mut out = Output::default();
        out.frame(kind::DATA, 0, 1, &[0; 3_000]);
        assert_eq!(out.bytes.capacity(), 3_009);
        for (length, is_kept) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
            let mut out = Output { bytes: Vec::with_capacity(length), ..Output::default() };
            out.raw(&vec![0; length]);
            out.take(length);
            assert_eq!(out.bytes.capacity() > 0, is_kept, "{length}");
        }
        // Taken bytes beyond that are released too, in large pieces.
        let mut out = Output::default();
        out.raw(&[0; 200_000]);
        out.take(64 * 1024);
        assert_eq!((out.taken, out.bytes.len()), (64 * 1024, 200_000));
        out.take(1);
        assert_eq!((out.taken, out.bytes.len(), out.front()), (0, 200_000 - 64 * 1024 - 1, 64 * 1024 + 1));
        out.rest();
        assert_eq!(out.waiting().len(), 200_000 - 64 * 1024 - 1);
        let mut out = Output::default();
        out.frame(kind::PING, 0, 0, &[0; 8]);
        out.take(usize::MAX);
        assert!(out.bytes.capacity() > 0);
        out.rest();
        assert_eq!(out.bytes.capacity(), 0);
    }
}
