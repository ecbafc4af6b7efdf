//! The memory of charges: what a client was told is never forgotten.
//!
//! Each data thread records a charge in a ring in shared memory, at the moment when the kernel takes the
//! last bytes of its answer (see `ring.rs`): that outlives a kill -9. The journal's thread writes what the
//! rings hold to files with checksums, once an interval (see `format.rs`): that outlives a power cut. No
//! data thread ever waits for the disk.
//!
//! Rules that hold whatever happens:
//!
//! 1. A charge counts exactly once, whether it comes back from the disk or from memory: each block on the
//!    disk says up to which position of each ring it holds the charges.
//! 2. A place in a ring is used again only when the disk has what it held ([`Journal::relieve`] aside).
//! 3. What is damaged is told, with file and offset, and is never taken for zero. If no whole state is left,
//!    [`open`] fails. To begin with empty counters by hand, move the folder `counters` away.
//! 4. Nothing that is damaged is changed before it is kept under a name that begins with `damaged-`.
//!
//! # How this is held to it
//!
//! - `cargo test -p fairgate-journal`: histories of crashes and power cuts against a model, every byte of every
//!   file flipped, every length cut off, a disk without room, and 30 real kills of a process that sends
//!   answers (`JOURNAL_TEST_ROUNDS=1000` for more).
//! - `cargo test --release -p fairgate-journal --features loom --lib interleavings`: every interleaving of a
//!   ring's two ends, and a kill before each step of its writer.
//! - `RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test -p fairgate-journal --target
//!   x86_64-unknown-linux-gnu --lib --tests`: the same tests with the address sanitizer.
//! - `cargo run --release -p fairgate-journal --example measure`: what it costs.

mod append;
mod base;
mod checkpoint;
mod compaction;
mod deltas;
mod error;
mod finding;
mod folder;
mod format;
#[cfg(all(test, feature = "loom"))]
mod interleavings;
mod journal;
#[cfg(not(feature = "loom"))]
mod memory;
#[cfg(feature = "loom")]
#[path = "memory_model.rs"]
mod memory;
mod merge;
mod options;
mod pending;
mod recovery;
mod replay;
mod ring;
mod row;
mod scan;
mod shared;

pub use error::JournalError;
pub use finding::{Finding, Report, Weight};
pub use journal::{Committed, Compacting, Journal, is_free, open};
pub use options::Options;
pub use ring::{Due, MAX_TOGETHER, Sent, Writer};
pub use row::{Charge, Class, MOST, Row, Who};
