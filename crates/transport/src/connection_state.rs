//! What a data thread knows of a connection: since when it waits for a request, and the word that it shall end.

use crate::turn;
use std::{
    cell::Cell,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::Instant;

/// What a data thread knows of a connection.
pub struct ConnectionState {
    state: Cell<State>,
    /// When it came into that state.
    since: Cell<Instant>,
    is_dismissed: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of a request has come: it can end at any moment, and nothing is lost.
    Idle,
    /// A part of a head has come.
    Begun,
    /// A request is at work.
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
    /// The next request is waited for.
    #[inline]
    pub fn rest(&self) {
        self.state.set(State::Idle);
        self.since.set(turn::now());
    }

    /// The first bytes of a request have come.
    #[inline]
    pub fn begin(&self) {
        self.state.set(State::Begun);
        self.since.set(turn::now());
    }

    /// A request is complete enough to be worked on.
    #[inline]
    pub fn work(&self) {
        self.state.set(State::Working);
    }

    /// How long it has been without a sign of a request.
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        match self.state.get() {
            State::Idle => Some(now.saturating_duration_since(self.since.get())),
            State::Begun | State::Working => None,
        }
    }

    /// How long it has been without a whole head of a request, unless it is to end already.
    pub fn waiting(&self, now: Instant) -> Option<Duration> {
        match self.state.get() {
            State::Idle | State::Begun if !self.is_dismissed.get() => {
                Some(now.saturating_duration_since(self.since.get()))
            }
            State::Idle | State::Begun | State::Working => None,
        }
    }

    /// Asks it to end where it waits. One that has a whole request by then goes on.
    pub fn dismiss(&self) {
        self.is_dismissed.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready once it is to end.
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
