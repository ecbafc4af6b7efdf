//! Waits at the start for what a gateway that is just ending still holds: the store, the counters, the admin
//! socket, the port.
//!
//! A process that was killed holds its files and sockets until the system has cleaned up behind it, which takes
//! some milliseconds, or more with much memory; whoever starts the next one at once meets them locked.

use gateway::record::{Level, LogSink};
use std::{
    fmt::Display,
    thread,
    time::{Duration, Instant},
};

/// So long a start waits, for all of it together.
const LIMIT: Duration = Duration::from_secs(5);
/// So long it waits before it says so.
const SILENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// The patience of one start.
pub(super) struct Patience<'l> {
    log: &'l LogSink,
    begun: Instant,
    was_told: bool,
}

impl<'l> Patience<'l> {
    pub(super) fn new(log: &'l LogSink) -> Self {
        Self { log, begun: Instant::now(), was_told: false }
    }

    /// Tries again as long as somebody holds what is wanted and the patience lasts.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(super) fn wait<T, E: Display>(
        &mut self,
        is_held: impl Fn(&E) -> bool,
        mut attempt: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        loop {
            let error = match attempt() {
                Err(error) if is_held(&error) => error,
                done => return done,
            };
            let waited = self.begun.elapsed();
            if waited >= LIMIT {
                return Err(error);
            }
            if waited >= SILENCE && !self.was_told {
                self.was_told = true;
                let most = format!("{} s", LIMIT.as_secs());
                let members = [("reason", error.to_string()), ("at_most", most)];
                let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
                self.log.event(Level::Info, "waiting", &members);
            }
            thread::park_timeout(PAUSE);
        }
    }
}
