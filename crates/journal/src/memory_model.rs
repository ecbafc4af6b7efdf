//! Replaces mapped memory with the feature `loom`: words of loom, a scripted kernel, and a kill
//! before any store. Only for `interleavings.rs`; nothing else works with it.

use std::{cell::RefCell, fs::File, io, os::fd::BorrowedFd};

pub(crate) const NOT_TAKEN: u32 = u32::MAX;
/// A cell has one word here: how many bytes the kernel took.
pub(crate) const CELL_WORDS: usize = 1;
pub(crate) const TAKEN_AT: usize = 0;

/// The script of one run.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// How many steps are left until the kill. None: no kill.
    pub(crate) steps: Option<usize>,
    /// How many bytes the kernel takes of the next sends, the last first. None: it would block.
    pub(crate) takes: Vec<Option<u32>>,
    /// How many bytes the kernel has taken in total.
    pub(crate) taken: usize,
}

thread_local! {
    pub(crate) static FATE: RefCell<Fate> = RefCell::default();
}

/// One step towards the kill.
#[allow(clippy::panic, reason = "a kill that a test can catch")]
fn step() {
    let killed = FATE.with_borrow_mut(|fate| match &mut fate.steps {
        Some(0) => true,
        Some(steps) => {
            *steps -= 1;
            false
        }
        None => false,
    });
    assert!(!killed, "killed");
}

/// A word whose stores count as steps.
#[derive(Debug, Default)]
pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

impl AtomicU64 {
    pub(crate) fn load(&self, ordering: std::sync::atomic::Ordering) -> u64 {
        self.0.load(ordering)
    }

    pub(crate) fn store(&self, value: u64, ordering: std::sync::atomic::Ordering) {
        step();
        self.0.store(value, ordering);
    }
}

#[derive(Debug)]
pub(crate) struct Mapping {
    words: Vec<AtomicU64>,
}

impl Mapping {
    pub(crate) fn new(_: File) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(test)]
    pub(crate) fn of(words: usize) -> Self {
        Self { words: (0..words).map(|_| AtomicU64::default()).collect() }
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.words
    }

    fn set_taken(&self, cell: usize, taken: u32) {
        if let Some(word) = self.words.get(cell) {
            // Only these four bytes, like the kernel and the real cell.
            let [a, b, c, d] = taken.to_ne_bytes();
            word.0.store(u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]), std::sync::atomic::Ordering::Relaxed);
        }
    }

    pub(crate) fn clear_taken(&self, cell: usize) {
        step();
        self.set_taken(cell, NOT_TAKEN);
    }

    pub(crate) fn send(&self, cell: usize, _: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        step();
        let Some(Some(taken)) = FATE.with_borrow_mut(|fate| fate.takes.pop()) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let taken = bytes.len().min(usize::try_from(taken).unwrap_or(usize::MAX));
        FATE.with_borrow_mut(|fate| fate.taken += taken);
        self.set_taken(cell, u32::try_from(taken).unwrap_or(NOT_TAKEN));
        // Between the kernel's write and the program's next instruction.
        step();
        Ok(taken)
    }
}

pub(crate) fn send(_: BorrowedFd<'_>, _: &[u8]) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}
