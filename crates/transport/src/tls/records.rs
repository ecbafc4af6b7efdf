//! TLS records that wait for the socket, in memory from the spare buffers of a data thread.
//!
//! A connection with nothing to send holds no memory.

use rustls::Connection;
use std::{cell::RefCell, io};

/// Two full records with their overhead.
const SIZE: usize = 34 * 1024;
/// Maximum number of spare buffers of a thread.
const MAX_SPARE: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Records to send.
#[derive(Debug)]
pub(super) struct Records {
    bytes: Vec<u8>,
    taken: usize,
}

impl Records {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), taken: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Bytes that the socket has not taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The socket took this many bytes.
    pub(super) fn took(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
        if self.is_empty() {
            give_back(std::mem::take(&mut self.bytes));
            self.taken = 0;
        }
    }

    /// Takes the records that rustls wants to send.
    pub(super) fn take_from(&mut self, session: &mut Connection) -> io::Result<()> {
        while session.wants_write() {
            if self.bytes.capacity() == 0 {
                self.bytes = spare();
            }
            session.write_tls(&mut self.bytes)?; // a Vec takes everything
        }
        Ok(())
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.bytes));
    }
}

fn spare() -> Vec<u8> {
    // A thread that is shutting down has no spare memory any more, but can still allocate.
    let found = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    found.unwrap_or_else(|| Vec::with_capacity(SIZE))
}

/// Keeps memory. Its content was encrypted, but is cleared anyway.
fn give_back(mut memory: Vec<u8>) {
    if memory.capacity() != SIZE {
        return;
    }
    memory.clear();
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MAX_SPARE {
            spare.push(memory);
        }
    });
}
