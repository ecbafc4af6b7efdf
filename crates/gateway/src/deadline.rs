//! One timer for a connection that is moved far more often than it fires.
//!
//! A deadline that is put off costs a comparison: the timer stays where it was, and looks again
//! when it fires. Only a deadline that comes nearer touches the runtime's timers.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// When a connection has waited long enough.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    /// No deadline lies behind this one.
    last: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(crate) fn after(now: Instant, duration: Duration) -> Self {
        let at = now + duration;
        Self { at, last: None, timer: Box::pin(tokio::time::sleep_until(at)) }
    }

    /// Moves the deadline to `duration` after `now`.
    pub(crate) fn set(&mut self, now: Instant, duration: Duration) {
        self.at = now + duration;
        if let Some(last) = self.last {
            self.at = self.at.min(last);
        }
        if self.at < self.timer.deadline() {
            self.timer.as_mut().reset(self.at);
        }
    }

    /// From now on no deadline lies behind this one. None: they may lie anywhere.
    pub(crate) const fn bound(&mut self, last: Option<Instant>) {
        self.last = last;
    }

    /// Moves the deadline to `at`, if that is earlier.
    pub(crate) fn hasten(&mut self, at: Instant) {
        if at < self.at {
            self.at = at;
            if at < self.timer.deadline() {
                self.timer.as_mut().reset(at);
            }
        }
    }

    /// Ready once the deadline has passed.
    pub(crate) fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= self.at {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
    }
}
