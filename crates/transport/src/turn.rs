//! The moment of a data thread's present turn.
//!
//! Between two sleeps a thread does what has come meanwhile: some microseconds' work. Deadlines of seconds need no finer
//! clock, so it is read once a turn; each reading costs what a few hundred instructions do.

use std::cell::Cell;
use tokio::time::Instant;

#[derive(Clone, Copy)]
enum Turn {
    /// Nobody tells this thread that it has slept.
    Untold,
    /// Not read yet.
    New,
    At(Instant),
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::Untold) };
}

/// A new turn begins. To be called on each thread whenever it has slept, or never.
#[inline]
pub fn begin() {
    TURN.set(Turn::New);
}

/// When the present turn began, or a little later.
#[inline]
pub fn now() -> Instant {
    match TURN.get() {
        Turn::Untold => Instant::now(),
        Turn::New => {
            let now = Instant::now();
            TURN.set(Turn::At(now));
            now
        }
        Turn::At(now) => now,
    }
}
