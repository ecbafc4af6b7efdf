//! A timer for a connection whose deadline moves far more often than it fires.
//!
//! Extending the deadline costs a comparison: the timer is not moved, and checks again when it
//! fires. Only an earlier deadline touches the runtime's timers.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// How long sockets are polled after the deadline. The runtime asks the kernel at least once in this time.
const LAST_LOOK: Duration = Duration::from_millis(1);

/// A deadline of a connection.
#[derive(Debug)]
pub struct Deadline {
    at: Instant,
    /// The upper bound of all deadlines.
    last: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    /// It has passed, and sockets are polled once more.
    is_last_look: bool,
}

impl Deadline {
    /// A deadline at `duration` after `now`.
    pub fn after(now: Instant, duration: Duration) -> Self {
        let at = now + duration;
        Self { at, last: None, timer: Box::pin(tokio::time::sleep_until(at)), is_last_look: false }
    }

    /// Moves the deadline to `duration` after `now`.
    #[inline]
    pub fn set(&mut self, now: Instant, duration: Duration) {
        self.is_last_look = false;
        self.at = now + duration;
        if let Some(last) = self.last {
            self.at = self.at.min(last);
        }
        if self.at < self.timer.deadline() {
            self.timer.as_mut().reset(self.at);
        }
    }

    /// Sets the upper bound of all deadlines. None: no bound.
    #[inline]
    pub const fn bound(&mut self, last: Option<Instant>) {
        self.last = last;
    }

    /// Whether it is the upper bound.
    #[inline]
    pub fn is_last(&self) -> bool {
        self.last.is_some_and(|last| self.at >= last)
    }

    /// Moves the deadline to `at`, if that is earlier.
    #[inline]
    pub fn hasten(&mut self, at: Instant) {
        if at < self.at {
            self.is_last_look = false;
            self.at = at;
            if at < self.timer.deadline() {
                self.timer.as_mut().reset(at);
            }
        }
    }

    /// Ready once the deadline has passed without an event.
    ///
    /// When a suspended process continues (a signal, a sleeping laptop, a snapshot of a machine),
    /// its timers have expired before it has asked the kernel for pending events. So it asks once
    /// more.
    pub fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() < self.at {
                self.timer.as_mut().reset(self.at);
            } else if std::mem::replace(&mut self.is_last_look, true) {
                return Poll::Ready(());
            } else {
                self.timer.as_mut().reset(Instant::now() + LAST_LOOK);
            }
        }
    }
}

/// The output of a future within this time. None: it took longer.
pub async fn within<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    let mut deadline = Deadline::after(Instant::now(), time);
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(found) => Poll::Ready(Some(found)),
        Poll::Pending => deadline.poll_passed(cx).map(|()| None),
    })
    .await
}
