//! Buffered bodies that are to be validated: their memory, counted over all requests and threads.
//!
//! Each may be as large as `[sizes] max_body_size` allows, and any number of clients may send one
//! slowly. So memory is reserved when bytes arrive, not when a head announces them, and released
//! when the body is dropped, whatever happens to its request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes of a body that are not counted: hardly more than a connection's read buffer.
const UNCOUNTED: usize = 16 << 10;

/// The number of buffered bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct BufferedBytes(Arc<AtomicUsize>);

/// A body that is being read, or was read.
#[derive(Debug, Default)]
pub(crate) struct BufferedBody {
    bytes: Vec<u8>,
    share: Option<Share>,
}

/// The share of one body in the buffered bytes. When dropped, it is released.
#[derive(Debug)]
pub(crate) struct Share {
    all: BufferedBytes,
    bytes: usize,
}

impl BufferedBytes {
    /// The current number of buffered bytes.
    #[cfg(test)]
    fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Reserves more bytes, if the total does not exceed `most`.
    fn take(&self, more: usize, most: usize) -> bool {
        let before = self.0.fetch_add(more, Ordering::Relaxed);
        let fits = before.saturating_add(more) <= most;
        if !fits {
            self.0.fetch_sub(more, Ordering::Relaxed);
        }
        fits
    }
}

impl BufferedBody {
    /// Appends bytes to a body of at most `longest` bytes. False: all bodies together would exceed `most`.
    pub(crate) fn extend(&mut self, data: &[u8], longest: usize, all: &BufferedBytes, most: usize) -> bool {
        let needed = self.bytes.len() + data.len();
        if needed > self.bytes.capacity() {
            // Doubles, as usual, but never beyond what can arrive.
            let capacity = needed.max((self.bytes.capacity() * 2).min(longest));
            if capacity > UNCOUNTED && !self.count(capacity, all, most) {
                return false;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        true
    }

    fn count(&mut self, bytes: usize, all: &BufferedBytes, most: usize) -> bool {
        let share = self.share.get_or_insert_with(|| Share { all: all.clone(), bytes: 0 });
        let more = bytes.saturating_sub(share.bytes);
        if !share.all.take(more, most) {
            return false;
        }
        share.bytes += more;
        true
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, and the share to keep for as long as they exist.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Option<Share>) {
        (self.bytes, self.share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn buffered_bytes_are_counted_on_arrival_and_released() {
        let all = BufferedBytes::default();
        let mut body = BufferedBody::default();
        assert!(body.extend(&[0; UNCOUNTED], MIB, &all, 0));
        assert_eq!(all.now(), 0);
        let mut length = UNCOUNTED;
        while length < MIB {
            assert!(body.extend(&[0; 1_000], MIB, &all, usize::MAX));
            length += 1_000;
            assert!(all.now() >= body.bytes().len() && all.now() <= 2 * length);
        }
        let (bytes, share) = body.into_parts();
        drop(bytes);
        assert!(all.now() >= MIB);
        drop(share);
        assert_eq!(all.now(), 0);
    }

    #[test]
    fn past_the_bound_nothing_is_taken() {
        let all = BufferedBytes::default();
        let (mut one, mut other) = (BufferedBody::default(), BufferedBody::default());
        assert!(one.extend(&vec![0; MIB], MIB, &all, 2 * MIB));
        assert!(other.extend(&vec![0; MIB], 2 * MIB, &all, 2 * MIB));
        let held = all.now();
        assert!(!other.extend(&[0; 10], 2 * MIB, &all, 2 * MIB));
        assert_eq!(all.now(), held);
        drop(one);
        assert!(other.extend(&[0; 10], 2 * MIB, &all, 3 * MIB));
        drop(other);
        assert_eq!(all.now(), 0);
    }
}
