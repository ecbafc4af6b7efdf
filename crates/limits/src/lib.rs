//! Reserve and settle: exact counters, shared by all data threads without locks.
//!
//! An [`Account`] holds the counters of one key. A request *reserves* its cost in every limit of the
//! account before it is sent on, and *settles* when its answer has ended: charge on success,
//! release on error. The crate knows no runtime, no socket and no clock.
//!
//! Invariants, each held by a test in `account` or `tests/`:
//!
//! 1. Within a window, used + reserved never exceeds the limit.
//! 2. A reservation ends in exactly one of charge or release; dropping it releases (an error, a
//!    cancelled task and a panic are all free).
//! 3. A reservation that outlives its window touches no later window.
//! 4. All limits of an account are taken, or none.
//! 5. Windows only move forward: a clock that steps back grants no window twice.
//!
//! What an account may spend of a limit is its *lease*. On one machine the lease is the whole
//! limit; in a cluster it will be a part of it. Nothing below [`Account`] knows the difference.

pub mod account;
mod counter;
pub mod guard;

pub use account::{Account, Denial, HasAccount, Reservation, Standing, Used};
pub use guard::{AddressGuard, ErrorCount};
