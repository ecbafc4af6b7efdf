//! Rings of charges in shared memory: a charge becomes durable at the moment when its response is sent.
//!
//! Each data thread has one ring and is its only writer; the journal's thread is its only reader. A
//! ring holds `entries` charges (a power of two). Two positions only ever increase: `tail`, the
//! number of charges written, and `head`, the number of charges that may be overwritten because
//! they are on disk (or in ordinary memory, after [`relieve`](crate::Journal::relieve)). Entry `p`
//! is at index `p % entries`.
//!
//! # Without a response: `append`
//!
//! 1. The entry is written at index `tail`, with relaxed stores.
//! 2. `tail + 1` is stored with Release.
//!
//! The reader loads `tail` with Acquire, so that it sees complete entries; it stores `head` with
//! Release after reading, and the writer loads `head` with Acquire before it overwrites an entry.
//!
//! # With the last bytes of responses: `send_last`
//!
//! Next to the positions there is a commit cell: `sequence`, `ends` and a `mmsghdr` into which the
//! kernel writes `taken`, the number of bytes that it took. It does so within the system call, and
//! a signal, even SIGKILL, takes effect only at the end of the call. (The pages are touched and
//! locked beforehand, so that this write cannot fault. If the memory is on a disk instead, a page
//! under writeback can make the kernel wait in between; if the process is killed then, a response
//! may have been sent and not charged. The finding about the disk covers this as well.)
//!
//! One write may end several responses, of the streams of a connection: its charges are due one
//! after another, each when the bytes up to its end were taken. The kernel always takes a prefix of
//! the bytes, so the charges that count are always the first ones, in adjacent entries.
//!
//! 1. The entries are written from index `tail` on. `tail` does not change: the reader does not see them.
//! 2. `taken` is set to `NOT_TAKEN`.
//! 3. `ends` are set to the ends of the responses, relative to the start of the write, with a 0
//!    after the last one (Release: after 2).
//! 4. `sequence` is set to `tail + 1` (Release: after 1 and 3). From here on the cell refers to
//!    these entries.
//! 5. `sendmmsg`. The kernel writes `taken`.
//! 6. `tail` advances over the charges whose ends were reached, in one store with Release. The
//!    others are dropped: the next charge takes the first of their entries.
//!
//! A charge counts **if its position is below `tail`; or if `sequence == tail + 1`, `taken` is not
//! `NOT_TAKEN`, and its end and those before it are at most `taken`.** All of it is read only after
//! the writer is dead, by the next process.
//!
//! The state after a kill, by the last step completed:
//!
//! | after | `sequence` | `taken` | charges | responses |
//! |---|---|---|---|---|
//! | 1 | at most `tail`, or `tail + 1` of a send that reached no end | less than its first end |
//! none counts | not sent |
//! | 2, 3 | the same | `NOT_TAKEN` | none counts | not sent |
//! | 4 | `tail + 1` | `NOT_TAKEN` | none counts | not sent |
//! | 5, bytes taken | `tail + 1` | their number | those whose ends were reached | only those are complete |
//! | 5, an error | `tail + 1` | `NOT_TAKEN` | none counts | not sent |
//! | 6, ends reached | at most the new `tail` | their number | the same, by `tail`, once | the same |
//!
//! In row 1 the cell may still refer to this position, from an attempt that reached no end: its
//! `taken` is less than its first end, and step 2 comes before step 3, so that an old `taken` never
//! meets new `ends`. After an `append` in between, `sequence` is at most `tail`.
//!
//! The dead writer's stores need no memory fence: a kill stops a thread between two instructions,
//! and what it stored before is in the memory that the next process reads. Only the compiler must
//! keep the order; Release stores and the system call ensure that.

use crate::{
    memory::{self, AtomicU64, CELL_WORDS, Mapping, NOT_TAKEN, TAKEN_AT},
    row::{Charge, MOST},
};
use crossbeam_queue::SegQueue;
use std::{
    cell::Cell,
    io,
    marker::PhantomData,
    os::fd::BorrowedFd,
    sync::{Arc, atomic::Ordering},
};

/// Maximum number of charges that can be due in one write.
pub const MAX_TOGETHER: usize = 8;

/// Words of an entry: who (2), units and number of counters, Unix second, the counters.
pub(crate) const ENTRY_WORDS: usize = 4 + MOST;
/// Words of a ring before its entries.
const RING_HEAD_WORDS: usize = if cfg!(feature = "loom") { 32 } else { 512 };
/// Words of the memory before its rings.
const MEMORY_HEAD_WORDS: usize = if cfg!(feature = "loom") { 0 } else { 512 };
const PAGE_WORDS: usize = if cfg!(feature = "loom") { 1 } else { 512 };

// Words in a ring's head. Those of the reader and the writer are 128 bytes apart.
const HEAD: usize = 0;
const TAIL: usize = 16;
const SEQUENCE: usize = 17;
const ENDS: usize = 18;
const CELL: usize = ENDS + MAX_TOGETHER;
const _: () = assert!(CELL + CELL_WORDS <= RING_HEAD_WORDS);

/// The layout of the shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) rings: usize,
    /// A power of two.
    pub(crate) entries: usize,
}

impl Layout {
    fn ring_words(self) -> usize {
        RING_HEAD_WORDS.saturating_add(self.entries.saturating_mul(ENTRY_WORDS)).next_multiple_of(PAGE_WORDS)
    }

    /// The first word of a ring.
    fn ring(self, ring: usize) -> usize {
        MEMORY_HEAD_WORDS.saturating_add(ring.saturating_mul(self.ring_words()))
    }

    /// The first word of an entry, relative to its ring.
    #[inline]
    fn entry(self, position: u64) -> usize {
        // Lossless: the mask leaves less than `entries`, a usize.
        #[allow(clippy::cast_possible_truncation)]
        let place = position as usize & (self.entries - 1);
        RING_HEAD_WORDS + place * ENTRY_WORDS
    }

    /// The length of the whole memory in bytes.
    pub(crate) fn length(self) -> usize {
        self.ring(self.rings).saturating_mul(8)
    }
}

/// A charge read from a ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) charge: Charge,
    pub(crate) second: u64,
}

/// Charges that did not fit into their ring; shared by all writers and the journal.
pub(crate) type Overflow = SegQueue<Entry>;

/// One ring in mapped memory.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    mapping: Arc<Mapping>,
    layout: Layout,
    start: usize,
}

impl Ring {
    /// None: the memory is too small for it.
    pub(crate) fn new(mapping: &Arc<Mapping>, layout: Layout, ring: usize) -> Option<Self> {
        let start = layout.ring(ring);
        let end = start.checked_add(layout.ring_words())?;
        (end <= mapping.words().len() && layout.entries.is_power_of_two()).then(|| Self {
            mapping: Arc::clone(mapping),
            layout,
            start,
        })
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // `new` has checked that the whole ring fits.
        self.mapping.words().get(self.start..).unwrap_or(&[])
    }

    #[inline]
    fn load(&self, word: usize, ordering: Ordering) -> u64 {
        self.words().get(word).map_or(0, |word| word.load(ordering))
    }

    #[inline]
    fn store(&self, word: usize, value: u64, ordering: Ordering) {
        if let Some(word) = self.words().get(word) {
            word.store(value, ordering);
        }
    }

    fn write(&self, position: u64, charge: &Charge, second: u64) {
        let first = self.layout.entry(position);
        let Some(words) = self.words().get(first..first + ENTRY_WORDS) else { return };
        let counters = charge.counters();
        let (one, two) = halves(&charge.who);
        let count = counters.len() as u64;
        let front = [one, two, u64::from(charge.units) | (count << 32), second];
        let pairs = counters.iter().map(|&(tag, window)| u64::from(tag) | (u64::from(window) << 32));
        for (word, value) in words.iter().zip(front.into_iter().chain(pairs)) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// The number of charges written. Their content can be read after this.
    pub(crate) fn tail(&self) -> u64 {
        self.load(TAIL, Ordering::Acquire)
    }

    /// Reads an entry below the tail. None: it is invalid.
    pub(crate) fn read(&self, position: u64) -> Option<Entry> {
        let first = self.layout.entry(position);
        let words = self.words().get(first..first + ENTRY_WORDS)?;
        decode(words.iter().map(|word| word.load(Ordering::Relaxed)))
    }

    /// Frees all entries below this position for the writer.
    pub(crate) fn free(&self, head: u64) {
        self.store(HEAD, head, Ordering::Release);
    }
}

/// Decodes the words of an entry.
fn decode(mut words: impl Iterator<Item = u64>) -> Option<Entry> {
    let (one, two, sizes, second) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let who = (u128::from(one) | (u128::from(two) << 64)).to_le_bytes();
    let mut charge = Charge::new(who, low(sizes));
    for _ in 0..high(sizes) {
        let pair = words.next()?;
        if !charge.push(low(pair), high(pair)) {
            return None;
        }
    }
    Some(Entry { charge, second })
}

fn halves(who: &[u8; 16]) -> (u64, u64) {
    let whole = u128::from_le_bytes(*who);
    // Splits into the two halves, on purpose.
    #[allow(clippy::cast_possible_truncation)]
    (whole as u64, (whole >> 64) as u64)
}

// Splits into the two halves, on purpose.
#[allow(clippy::cast_possible_truncation)]
fn low(word: u64) -> u32 {
    word as u32
}

fn high(word: u64) -> u32 {
    low(word >> 32)
}

/// A charge that is due when a write has reached the end of its response.
#[derive(Debug, Clone, Copy)]
pub struct Due<'c> {
    /// The number of bytes of the write up to that end, at least 1.
    pub end: usize,
    /// The charge.
    pub charge: &'c Charge,
    /// Unix second.
    pub now_seconds: u64,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Bytes that the kernel took.
    pub taken: usize,
    /// How many of the due charges are recorded, counted from the first.
    pub charged: usize,
}

impl Due<'_> {
    const fn entry(&self) -> Entry {
        Entry { charge: *self.charge, second: self.now_seconds }
    }
}

/// How many charges count when this many bytes were taken. Recovery uses the same rule.
fn reached(due: &[Due<'_>], taken: usize) -> usize {
    due.iter().take_while(|due| due.end > 0 && due.end <= taken).count()
}

/// Records the charges of one data thread.
///
/// It can be sent to another thread, but only one thread at a time may use it.
#[derive(Debug)]
pub struct Writer {
    ring: Ring,
    overflow: Arc<Overflow>,
    tail: u64,
    /// The head when it was last read; the current one is never lower.
    head: u64,
    _one_thread: PhantomData<Cell<()>>,
}

impl Writer {
    pub(crate) fn new(ring: Ring, overflow: Arc<Overflow>) -> Self {
        Self { ring, overflow, tail: 0, head: 0, _one_thread: PhantomData }
    }

    /// Writes bytes in which responses end to a socket, without blocking. Each charge is recorded
    /// if and only if the kernel takes all the bytes up to its end, even if the process is killed
    /// at that moment.
    ///
    /// `due`: at most [`MAX_TOGETHER`], sorted by their ends. The socket must be a stream. An empty
    /// write counts as taken.
    ///
    /// # Errors
    /// Those of `sendmmsg(2)`, including `WouldBlock`; `InvalidInput` for too many charges. Nothing
    /// is recorded then.
    pub fn send_last(&mut self, socket: BorrowedFd<'_>, bytes: &[u8], due: &[Due<'_>]) -> io::Result<Sent> {
        if due.len() > MAX_TOGETHER {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if bytes.is_empty() {
            due.iter().for_each(|due| self.append(due.charge, due.now_seconds));
            return Ok(Sent { taken: 0, charged: due.len() });
        }
        if !self.has_room(due.len() as u64) {
            let taken = memory::send(socket, bytes)?;
            let charged = reached(due, taken);
            due.iter().take(charged).for_each(|due| self.overflow.push(due.entry()));
            return Ok(Sent { taken, charged });
        }
        let cell = self.ring.start + CELL;
        for (position, due) in (self.tail..).zip(due) {
            self.ring.write(position, due.charge, due.now_seconds);
        }
        self.ring.mapping.clear_taken(cell);
        let ends = due.iter().map(|due| due.end as u64).chain([0]);
        for (word, end) in (ENDS..CELL).zip(ends) {
            self.ring.store(word, end, Ordering::Release);
        }
        self.ring.store(SEQUENCE, self.tail + 1, Ordering::Release);
        let taken = self.ring.mapping.send(cell, socket, bytes)?;
        let charged = reached(due, taken);
        if charged > 0 {
            self.publish(charged as u64);
        }
        Ok(Sent { taken, charged })
    }

    /// Records a charge whose response needs no further bytes.
    ///
    /// `now_seconds` is a Unix second.
    pub fn append(&mut self, charge: &Charge, now_seconds: u64) {
        if self.has_room(1) {
            self.ring.write(self.tail, charge, now_seconds);
            self.publish(1);
        } else {
            self.overflow.push(Entry { charge: *charge, second: now_seconds });
        }
    }

    /// The ring is at least seven eighths full, because the disk does not keep up.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let used = self.tail - self.ring.load(HEAD, Ordering::Acquire);
        used >= self.entries() - self.entries() / 8
    }

    fn entries(&self) -> u64 {
        self.ring.layout.entries as u64
    }

    #[inline]
    fn has_room(&mut self, count: u64) -> bool {
        if self.tail - self.head + count <= self.entries() {
            return true;
        }
        self.head = self.ring.load(HEAD, Ordering::Acquire);
        self.tail - self.head + count <= self.entries()
    }

    #[inline]
    fn publish(&mut self, count: u64) {
        self.tail += count;
        self.ring.store(TAIL, self.tail, Ordering::Release);
    }
}

/// The rings of a process that has ended, read from a copy of its memory.
#[derive(Debug)]
pub(crate) struct DeadRing<'a> {
    words: &'a [[u8; 8]],
    layout: Layout,
    /// Charges below this may have been overwritten.
    pub(crate) head: u64,
    /// How many charges count, including those of the cell.
    pub(crate) tail: u64,
}

impl<'a> DeadRing<'a> {
    /// None: the positions are invalid.
    pub(crate) fn new(memory: &'a [[u8; 8]], layout: Layout, ring: usize) -> Option<Self> {
        let start = layout.ring(ring);
        let words = memory.get(start..start.checked_add(layout.ring_words())?)?;
        let word = |at: usize| words.get(at).copied().map(u64::from_ne_bytes);
        let (head, mut tail) = (word(HEAD)?, word(TAIL)?);
        let taken = words.get(CELL + TAKEN_AT / 8)?.get(TAKEN_AT % 8..)?.first_chunk()?;
        let taken = u32::from_ne_bytes(*taken);
        if word(SEQUENCE)? == tail.checked_add(1)? && taken != NOT_TAKEN {
            let ends = (ENDS..CELL).map_while(word);
            let reached = ends.take_while(|end| *end > 0 && *end <= u64::from(taken)).count();
            tail = tail.checked_add(reached as u64)?;
        }
        let used = tail.checked_sub(head)?;
        (used <= layout.entries as u64).then_some(Self { words, layout, head, tail })
    }

    /// Reads an entry between head and tail. None: it is invalid.
    pub(crate) fn read(&self, position: u64) -> Option<Entry> {
        let first = self.layout.entry(position);
        let words = self.words.get(first..first + ENTRY_WORDS)?;
        decode(words.iter().map(|bytes| u64::from_ne_bytes(*bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_counts_with_the_last_byte_of_its_response_and_not_before() {
        let charge = Charge::new([1; 16], 1);
        let due = [3, 5, 9].map(|end| Due { end, charge: &charge, now_seconds: 0 });
        for (taken, count) in [(0, 0), (2, 0), (3, 1), (4, 1), (5, 2), (8, 2), (9, 3), (10, 3)] {
            assert_eq!(reached(&due, taken), count, "{taken} bytes");
        }
        let of_nothing = Due { end: 0, charge: &charge, now_seconds: 0 };
        assert_eq!(reached(&[of_nothing], 9), 0);
    }
}
