//! Reserve and settle: exact counters, shared by all data threads without locks.
//!
//! # The states of a unit
//!
//! ```text
//!            reserve                     charge (the response was a success)
//!   free ───────────────▶ reserved ─────────────────────────────▶ used ──┐
//!    ▲                        │                                          │ the window passes,
//!    │                        │ release (anything else: an error, a      │ or the bucket refills
//!    └────────────────────────┘ cancelled task, a panic, a drop)         │
//!    ▲                                                                   │
//!    └───────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An [`Account`] has one counter for each limit of a key. A counter holds *reserved + used* in one
//! 64-bit word together with its window; so a reservation is one compare-and-swap, a release is
//! another, and a charge is nothing at all: the units simply stay.
//!
//! # Invariants
//!
//! Each is verified by tests: `model` (a reference implementation of twenty lines with random
//! schedules), `interleavings` (every interleaving of a few threads), and `promises` (single
//! kinds).
//!
//! 1. Within a window, used + reserved never exceeds the limit.
//!    `model`; `interleavings::the_last_unit_goes_to_one_of_two`, `a_rolling_window_and_a_rate_grant_the_last_unit_once`;
//!    `promises::threads`, `promises::days`; of rates `promises::rate` beside an ideal bucket.
//! 2. A [`Reservation`] ends in exactly one of charge or release; dropping it releases. `model`;
//!    `promises::rate::a_rate_grants_what_the_ideal_bucket_grants_and_errors_are_free`;
//!    `promises::accounts::a_reservation_that_is_lowered_gives_the_rest_back`.
//! 3. A reservation that outlives its window does not affect later windows. `model`;
//!    `interleavings::an_error_gives_back_across_a_window_that_begins_meanwhile`.
//! 4. All limits that apply to a request are taken, or none.
//!    `model`; `interleavings::two_limits_are_taken_both_or_none_in_any_race`.
//! 5. A denial has no effect. (A request that loses a race for its second limit holds its first one
//!    for some nanoseconds, as if it had been admitted and had failed at once.)
//!    `promises::accounts::a_denial_by_one_limit_changes_none_of_the_others`,
//!    `promises::threads::requests_that_are_denied_take_nothing_from_others_meanwhile`.
//! 6. A later window is a larger number; a counter never returns to an earlier one, neither for a
//!    late request nor when its account is dropped ([`LATEST_MILLIS`]). `promises::late`;
//!    `promises::rate::a_clock_that_goes_back_refills_nothing_until_it_has_caught_up`.
//! 7. An account that replaces another one (its plan was edited, its key was moved) takes over its
//!    counts, including those of requests in flight, and later releases reach the new account.
//!    `model`; `interleavings::a_change_of_limits_loses_no_unit_and_grants_none_twice`,
//!    `two_threads_that_change_limits_agree_on_one_successor`; `promises::accounts`, from each kind
//!    to each.
//! 8. Usage of a window counts until the window ends, whatever limits the account has meanwhile;
//!    late releases reach it too. A change of a rate's speed does not fill a bucket. `model`;
//!    `interleavings::a_limit_that_goes_and_comes_back_finds_its_units_despite_concurrent_releases`,
//!    `an_error_is_given_back_once_in_each_bucket_while_the_speed_of_a_rate_changes`;
//!    `promises::changes`.
//! 9. An account that is [`Remembered`] grants nothing after it was replaced or dropped: every word
//!    of it is frozen before another account replaces it. `model`;
//!    `interleavings::an_account_that_is_remembered_grants_nothing_once_it_is_replaced`.
//!
//! A place among the requests in flight is released when the response is complete and being sent
//! ([`Reservation::land`]), shortly before its units are settled: a client that has read a whole
//! response never finds its own place still taken.
//!
//! A request that was charged and continues, such as a tunnel, keeps its places until its end ([`InFlight`]).
//!
//! A rate grants at most a burst plus what was refilled since its bucket was last full. A request
//! that fails after the bucket would have been full without it is released completely, so that a
//! burst may follow what was taken while it was in flight: the bucket cannot know how full it would
//! have been, and errors are free.
//!
//! An account counts what one process spends. If several nodes share a limit, a request also takes
//! units of their leases (crate `lease`), which is never less strict; the reported state of a limit
//! is then that of all nodes ([`Known`]).
//!
//! The crate has no runtime, no socket, no disk and no clock: times are parameters, in Unix
//! milliseconds. The crate `journal` makes charges durable; [`Reservation::counters`] returns what
//! to record.

mod account;
mod address;
mod change;
mod compiled;
mod denial;
mod ends;
pub mod guard;
mod past;
mod reservation;
mod reset;
mod rolling;
mod seat;
mod shared;
mod slot;
mod standing;
mod trusted;
mod windows;
mod word;

pub use account::Account;
pub use address::Addresses;
pub use compiled::{Applying, Limits, MAX_LIMITS, TooMany};
pub use denial::Denial;
pub use guard::{AddressGuard, ErrorCount};
pub use reservation::{InFlight, Remembered, Reservation, Used};
pub use seat::Seat;
pub use shared::{Known, Share};
pub use standing::Standing;

/// By how much the time of a request may lag, in milliseconds: it is read when the request begins,
/// and units are reserved when its body has arrived.
pub const LATEST_MILLIS: u64 = 60_000;

/// The owner of counters: the first half of a key's digest, or of an address's.
pub type Who = [u8; 16];
