//! A read buffer, and the spare memory of a data thread that buffers are made of.
//!
//! An idle connection holds no buffer memory. A buffer does not know its source.

use std::cell::RefCell;

/// The size of a new buffer.
pub const SIZE: usize = 16 * 1024;
/// Maximum number of spare buffers of a thread.
const MAX_SPARE: usize = 512;

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { free: Vec::new(), least: 0 }) };
}

/// Unused memory.
struct Spare {
    free: Vec<Vec<u8>>,
    /// The minimum since the last trim: this many were not needed.
    least: usize,
}

/// Bytes that were read and not consumed: `storage[start..end]`.
#[derive(Debug, Default)]
pub struct Buffer {
    storage: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// The buffered bytes.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        self.storage.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The number of bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Consumes the first `count` bytes.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Consumes at most `count` bytes and returns them.
    #[inline]
    pub fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.consume(count);
        self.storage.get(from..self.start).unwrap_or_default()
    }

    /// Space for more bytes after the buffered ones, to be added by [`Buffer::advance`]. Never empty.
    ///
    /// A full buffer grows, so the caller must bound how much it holds.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        self.make_room();
        self.storage.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds the first `count` bytes of the space.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.storage.len());
    }

    fn make_room(&mut self) {
        if self.storage.is_empty() {
            self.storage = spare();
        }
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.storage.len() {
            if self.start > 0 {
                self.storage.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                self.storage.resize(self.storage.len() * 2, 0);
            }
        }
    }

    /// Moves the memory out, with the bytes at its front; the bytes after the first `count` stay in
    /// this buffer.
    pub fn split_off_front(&mut self, count: usize) -> Vec<u8> {
        if self.start > 0 {
            self.storage.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let front = std::mem::take(&mut self.storage);
        let end = std::mem::take(&mut self.end);
        if let Some(rest) = front.get(count..end).filter(|rest| !rest.is_empty()) {
            self.storage = spare();
            if self.storage.len() < rest.len() {
                self.storage.resize(rest.len(), 0);
            }
            if let Some(place) = self.storage.get_mut(..rest.len()) {
                place.copy_from_slice(rest);
                self.end = rest.len();
            }
        }
        front
    }

    /// Returns memory taken by `split_off_front`, if this buffer has none.
    pub fn lend(&mut self, memory: Vec<u8>) {
        if self.storage.is_empty() && memory.len() == SIZE {
            self.storage = memory;
            (self.start, self.end) = (0, 0);
        } else {
            give_back(memory);
        }
    }

    /// Returns the memory of an empty buffer to the thread.
    pub fn rest(&mut self) {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
            give_back(std::mem::take(&mut self.storage));
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.storage));
    }
}

fn spare() -> Vec<u8> {
    // A thread that is shutting down has no spare memory any more, but can still allocate.
    let found = SPARE.try_with(|spare| spare.borrow_mut().take()).ok().flatten();
    found.unwrap_or_else(|| vec![0; SIZE])
}

/// Frees memory that was not needed since the last call, so that a burst of clients leaves none behind.
pub fn trim() {
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let needed = spare.free.len().saturating_sub(spare.least);
        spare.free.truncate(needed);
        spare.least = needed;
    });
}

impl Spare {
    fn take(&mut self) -> Option<Vec<u8>> {
        let found = self.free.pop();
        self.least = self.least.min(self.free.len());
        found
    }
}

/// Returns memory to the thread, for a later buffer.
pub fn give_back(memory: Vec<u8>) {
    if memory.len() == SIZE {
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.free.len() < MAX_SPARE {
                spare.free.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(mut bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        while !bytes.is_empty() {
            let space = buffer.space();
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            buffer.advance(now.len());
            bytes = later;
        }
        buffer
    }

    #[test]
    fn bytes_after_the_front_stay() {
        let mut buffer = filled(b"--head|body");
        buffer.consume(2);
        let front = buffer.split_off_front(5);
        assert_eq!(&front[..5], b"head|");
        assert_eq!(buffer.filled(), b"body");
        assert_eq!(buffer.take(2), b"bo");
        assert_eq!(buffer.len(), 2);
    }

    #[test]
    fn a_full_buffer_grows_and_keeps_its_bytes() {
        let bytes: Vec<u8> = (0..SIZE * 3).map(|i| (i % 251) as u8).collect();
        let mut buffer = filled(&bytes);
        assert_eq!(buffer.filled(), bytes);
        let front = buffer.split_off_front(10);
        assert_eq!(front[..10], bytes[..10]);
        assert_eq!(buffer.filled(), &bytes[10..]);
    }
}
