//! A read buffer, and the spare memory of a data thread from which buffers are made.
//!
//! A connection that waits for its next request holds no buffer. It does not know who
//! reads into it, or from where.

use std::cell::RefCell;

/// Bytes of a fresh buffer.
pub const SIZE: usize = 16 * 1024;
/// Buffers that a thread keeps for later.
const MAX_SPARE: usize = 512;

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { free: Vec::new(), least: 0 }) };
}

/// Memory that waits to be used.
struct Spare {
    free: Vec<Vec<u8>>,
    /// The fewest that were there since the last look: so many more than were needed.
    least: usize,
}

/// Bytes that were read and not used yet: `storage[start..end]`.
#[derive(Debug, Default)]
pub struct Buffer {
    storage: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// The bytes.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        self.storage.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// How many there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Marks the first `count` bytes as used.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// The first `count` bytes at most, marked as used.
    #[inline]
    pub fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.consume(count);
        self.storage.get(from..self.start).unwrap_or_default()
    }

    /// Room for more bytes behind those that are here, as [`Buffer::advance`] takes them in. Never empty.
    ///
    /// The buffer grows where it is full, so the caller bounds what it lets stand in it.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        self.make_room();
        self.storage.get_mut(self.end..).unwrap_or_default()
    }

    /// The first `count` bytes of the space were written.
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

    /// Takes the memory out with the bytes at its front; what stands behind the first `count`
    /// bytes stays in this buffer.
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

    /// Puts memory back that `split_off_front` took, if this buffer has none.
    pub fn lend(&mut self, memory: Vec<u8>) {
        if self.storage.is_empty() && memory.len() == SIZE {
            self.storage = memory;
            (self.start, self.end) = (0, 0);
        } else {
            give_back(memory);
        }
    }

    /// Gives the memory of an empty buffer back to the thread.
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
    // A thread that is going down has no spare memory any more; it may still make new.
    let found = SPARE.try_with(|spare| spare.borrow_mut().take()).ok().flatten();
    found.unwrap_or_else(|| vec![0; SIZE])
}

/// Gives memory back to the system that was not needed since the last call: a crowd of clients leaves nothing behind.
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

/// Gives memory to the thread, for a later buffer.
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
    fn what_stands_behind_the_front_stays() {
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
