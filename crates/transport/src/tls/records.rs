//! Records that wait for the socket, and the spare memory of a data thread that they stand in.
//!
//! A connection that has nothing to send holds none.

use rustls::Connection;
use std::{cell::RefCell, io};

/// Memory of two full records and what belongs to them.
const SIZE: usize = 34 * 1024;
/// Pieces of memory that a thread keeps for later.
const MAX_SPARE: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Records, as they are to be sent.
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

    /// What the socket did not take yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The socket took so many bytes.
    pub(super) fn took(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
        if self.is_empty() {
            give_back(std::mem::take(&mut self.bytes));
            self.taken = 0;
        }
    }

    /// Takes over what rustls wants to be sent.
    pub(super) fn take_from(&mut self, session: &mut Connection) -> io::Result<()> {
        while session.wants_write() {
            if self.bytes.capacity() == 0 {
                self.bytes = spare();
            }
            session.write_tls(&mut self.bytes)?; // a Vec takes all
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
    // A thread that is going down has no spare memory any more; it may still make new.
    let found = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    found.unwrap_or_else(|| Vec::with_capacity(SIZE))
}

/// Keeps memory. What stood in it was encrypted, and is forgotten all the same.
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
