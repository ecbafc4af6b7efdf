//! Reserve and settle: exact counters, shared by all data threads without locks.
//!
//! # The states of a unit
//!
//! ```text
//!            reserve                     charge (the answer was a success)
//!   free ───────────────▶ reserved ─────────────────────────────▶ used ──┐
//!    ▲                        │                                          │ the window passes,
//!    │                        │ release (anything else: an error, a      │ or the bucket refills
//!    └────────────────────────┘ cancelled task, a panic, a drop)         │
//!    ▲                                                                   │
//!    └───────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An [`Account`] holds one counter for each limit of a key. A counter holds *reserved + used* in one
//! 64-bit word beside the window that it counts in; so a reserve is one compare-and-swap, a release is
//! another, and a charge is none at all: the units simply stay.
//!
//! # Invariants
//!
//! Each is held by a test in `tests/`: against a model of twenty lines over random schedules (`model`),
//! and by exhaustive interleavings (`interleavings`).
//!
//! 1. Within a window, used + reserved never exceeds the limit.
//! 2. A [`Reservation`] ends in exactly one of charge or release; dropping it releases.
//! 3. A reservation that outlives its window touches no later window.
//! 4. All limits that apply to a request are taken, or none.
//! 5. A denial changes nothing. (A request that loses a race for its second limit holds its first one for
//!    some nanoseconds, as if it had been admitted and had failed at once.)
//! 6. A later window is a larger number; a counter never goes back to an earlier one.
//! 7. An account that is replaced (its plan was edited, its key was moved) takes its counts along, those of
//!    requests in flight included, and what these give back later reaches the new one.
//!
//! What an account may spend of a limit is its *lease*. On one machine the lease is the whole limit; in a
//! cluster it will be a part of it. Nothing below [`Account`] knows the difference.
//!
//! The crate knows no runtime, no socket, no disk and no clock: whoever needs a time passes it in, as Unix
//! milliseconds. Making charges survive a crash is the crate `journal`'s part; [`Reservation::counters`]
//! tells what to write down.

mod account;
mod address;
mod compiled;
pub mod guard;
mod reservation;
mod rolling;
mod seat;
mod slot;
mod standing;
mod trusted;
mod word;

pub use account::Account;
pub use address::Addresses;
pub use compiled::{Applying, Limits, MOST_LIMITS, TooMany};
pub use guard::{AddressGuard, ErrorCount};
pub use reservation::{Denial, Reservation, Used};
pub use seat::Seat;
pub use standing::Standing;

/// By how much the time of a request may be behind that of others, in milliseconds: it was read when the request
/// began, and the request asks for units when its body has come.
pub const LATEST_MILLIS: u64 = 60_000;

/// Whose counters: the first half of a key's digest, or of an address's.
pub type Who = [u8; 16];
