//! Durable charges: what was charged to a client is never forgotten.
//!
//! Each data thread records a charge in a ring in shared memory, at the moment when the kernel
//! takes the last bytes of its response (see `ring.rs`): that survives a kill -9. The journal's
//! thread writes the content of the rings to files with checksums, once per interval (see
//! `format.rs`): that survives a power failure. No data thread ever waits for the disk.
//!
//! Invariants:
//!
//! 1. A charge counts exactly once, whether it is restored from disk or from memory: each block on
//!    disk records up to which position of each ring it contains the charges.
//! 2. A place in a ring is reused only when its content is on disk (except after [`Journal::relieve`]).
//! 3. Damage is reported with file and offset, and is never treated as zero. If no complete state
//!    is left, [`open`] fails. To start with empty counters manually, move the folder `counters`
//!    away.
//! 4. Damaged files are kept under a name that begins with `damaged-` before anything is changed.
//!
//! # Tests
//!
//! - `cargo test -p fairgate-journal`: sequences of crashes and power failures against a model,
//!   every byte of every file flipped, every length truncated, a full disk, and 30 real kills of a
//!   process that sends responses (`JOURNAL_TEST_ROUNDS=1000` for more).
//! - `cargo test --release -p fairgate-journal --features loom --lib interleavings`: every interleaving of a
//!   ring's two ends, and a kill before each step of its writer.
//! - `RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test -p fairgate-journal --target
//!   x86_64-unknown-linux-gnu --lib --tests`: the same tests with the address sanitizer.
//! - `cargo run --release -p fairgate-journal --example measure`: the cost.

mod append;
mod base;
mod checkpoint;
mod compaction;
mod counters;
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
mod reading;
mod recovery;
mod replay;
mod ring;
mod row;
mod scan;
mod shared;

pub use counters::Counters;
pub use error::JournalError;
pub use finding::{Finding, Report, Weight};
pub use journal::{Committed, Compacting, Journal, is_free, open};
pub use options::Options;
pub use reading::read;
pub use ring::{Due, MAX_TOGETHER, Sent, Writer};
pub use row::{Charge, Class, MOST, Row, Who};
