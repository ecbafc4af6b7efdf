//! The time of a data thread's current turn of its event loop.
//!
//! Between two sleeps a thread handles the pending events: some microseconds of work. Timeouts of
//! seconds need no finer clock, so it is read once a turn; each read costs as much as a few hundred
//! instructions.

use std::cell::Cell;
use tokio::time::Instant;

#[derive(Clone, Copy)]
enum Turn {
    /// `begin` is never called on this thread.
    Untracked,
    /// Not read yet.
    New,
    At(Instant),
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::Untracked) };
}

/// Begins a new turn. To be called on a thread whenever it has slept, or never.
#[inline]
pub fn begin() {
    TURN.set(Turn::New);
}

/// The start of the current turn, or slightly later.
#[inline]
pub fn now() -> Instant {
    match TURN.get() {
        Turn::Untracked => Instant::now(),
        Turn::New => {
            let now = Instant::now();
            TURN.set(Turn::At(now));
            now
        }
        Turn::At(now) => now,
    }
}
