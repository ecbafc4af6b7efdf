//! A data thread's view of a connection: since when it is idle, and the request to end it.

use crate::turn;
use std::{
    cell::Cell,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::Instant;

/// A data thread's view of a connection.
pub struct ConnectionState {
    state: Cell<State>,
    /// When it entered that state.
    since: Cell<Instant>,
    is_dismissed: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No byte of a request has arrived: it can end at any time, and nothing is lost.
    Idle,
    /// Part of a head has arrived.
    Begun,
    /// A request is in progress.
    Working,
}

impl Default for ConnectionState {
    fn default() -> Self {
        Self {
            state: Cell::new(State::Idle),
            since: Cell::new(turn::now()),
            is_dismissed: Cell::new(false),
            waker: Cell::new(None),
        }
    }
}

impl ConnectionState {
    /// It waits for the next request.
    #[inline]
    pub fn rest(&self) {
        self.state.set(State::Idle);
        self.since.set(turn::now());
    }

    /// The first bytes of a request have arrived.
    #[inline]
    pub fn begin(&self) {
        self.state.set(State::Begun);
        self.since.set(turn::now());
    }

    /// The handling of a request begins.
    #[inline]
    pub fn work(&self) {
        self.state.set(State::Working);
    }

    /// How long it has been without any byte of a request.
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        match self.state.get() {
            State::Idle => Some(now.saturating_duration_since(self.since.get())),
            State::Begun | State::Working => None,
        }
    }

    /// How long it has been without a complete head, unless it was already asked to end.
    pub fn waiting(&self, now: Instant) -> Option<Duration> {
        match self.state.get() {
            State::Idle | State::Begun if !self.is_dismissed.get() => {
                Some(now.saturating_duration_since(self.since.get()))
            }
            State::Idle | State::Begun | State::Working => None,
        }
    }

    /// Asks it to end where it waits. If a complete request arrives first, it continues.
    pub fn dismiss(&self) {
        self.is_dismissed.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready once it was asked to end.
    #[inline]
    pub fn poll_dismissed(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_dismissed.get() {
            return Poll::Ready(());
        }
        let known = self.waker.take().filter(|known| known.will_wake(cx.waker()));
        self.waker.set(Some(known.unwrap_or_else(|| cx.waker().clone())));
        Poll::Pending
    }
}
