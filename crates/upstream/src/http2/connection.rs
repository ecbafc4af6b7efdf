//! One connection to an upstream, as its requests see it.

use ::http2::{Config, Role};
use multiplex::Side;
use std::{
    cell::{Cell, RefCell},
    task::{Context, Poll, Waker},
};
use tokio::time::Instant;

/// Requests that we have on one connection at once, however many the upstream would take.
const MAX_REQUESTS: u32 = 100;
/// Bytes of one answer's body that may come before they are used.
const WINDOW: u32 = 64 * 1024;
/// What a list of fields counts beyond the bytes of its head in HTTP/1.1, for 100 fields.
const LIST_OVERHEAD: usize = 100 * 32;

/// What is kept of a connection to an upstream and of its streams.
pub(crate) struct ToUpstream;

impl Side for ToUpstream {
    type Connection = ();
    type Stream = Expected;
}

/// What is known of the answer to a request.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The request was a HEAD.
    pub(crate) is_to_head: bool,
    /// Where its bytes begin in all that was ever written on the connection.
    pub(crate) begins_at: u64,
    /// The head has come, an interim one at least.
    pub(crate) has_begun: bool,
    /// The upstream did not look at the request.
    pub(crate) unprocessed: Option<Unprocessed>,
}

/// Why an upstream did not look at a request, which so may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unprocessed {
    /// The connection takes no more requests.
    GoneAway,
    /// There were too many at once.
    Refused,
}

/// A connection that requests share.
pub(crate) struct Connection {
    /// What its requests share.
    pub(crate) shared: multiplex::Connection<ToUpstream>,
    is_https: bool,
    /// Requests that have a place here.
    requests: Cell<u32>,
    /// Which answer to the question for the name it was opened by. None: it is not open yet.
    pub(crate) generation: Cell<Option<u32>>,
    /// The upstream has told its settings.
    has_greeted: Cell<bool>,
    /// A request was answered here.
    pub(crate) has_answered: Cell<bool>,
    /// It is there for one request.
    pub(crate) is_alone: Cell<bool>,
    /// No request begins here any more.
    is_leaving: Cell<bool>,
    /// When something was read last.
    pub(crate) last_read: Cell<Instant>,
    /// Why it has ended.
    why: RefCell<Option<String>>,
    /// Requests that wait for the greeting, or until the upstream takes one more.
    waiting: RefCell<Vec<Waker>>,
}

impl Connection {
    pub(crate) fn new(is_https: bool) -> Self {
        let largest_list = http1::response::LARGEST + LIST_OVERHEAD;
        let config = Config {
            role: Role::Client,
            most_streams: 0,
            window: WINDOW,
            // For all answers together: else those that nobody reads would keep the others waiting, whose clients they
            // have nothing to do with.
            connection_window: WINDOW * MAX_REQUESTS,
            largest_list: u32::try_from(largest_list).unwrap_or(u32::MAX),
        };
        Self {
            shared: multiplex::Connection::new(::http2::Connection::new(config)),
            is_https,
            requests: Cell::new(0),
            generation: Cell::new(None),
            has_greeted: Cell::new(false),
            has_answered: Cell::new(false),
            is_alone: Cell::new(false),
            is_leaving: Cell::new(false),
            last_read: Cell::new(Instant::now()),
            why: RefCell::new(None),
            waiting: RefCell::default(),
        }
    }

    /// What `:scheme` says.
    pub(crate) const fn scheme(&self) -> &'static [u8] {
        if self.is_https { b"https" } else { b"http" }
    }

    // === its requests ===

    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// A request takes a place.
    pub(crate) fn enter(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// A request gives its place back.
    pub(crate) fn leave(&self) {
        self.requests.set(self.requests.get().saturating_sub(1));
        if self.is_alone.get() {
            self.is_leaving.set(true);
        }
        self.wake_waiting();
        self.shared.wake_driver();
    }

    /// Requests that it takes at once. How many the upstream takes is known once it has greeted.
    pub(crate) fn max_requests(&self) -> u32 {
        if !self.has_greeted.get() {
            return MAX_REQUESTS;
        }
        self.shared.with(|state| state.protocol.most_own_streams()).min(MAX_REQUESTS)
    }

    /// Whether a request may begin here, if there is a place.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_going() && !self.has_ended()
    }

    /// Ready once requests can be sent. An error: why that will never be.
    pub(crate) fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), String>> {
        if let Some(why) = &*self.why.borrow() {
            return Poll::Ready(Err(why.clone()));
        }
        if self.has_greeted.get() {
            return Poll::Ready(Ok(()));
        }
        self.wait(cx);
        Poll::Pending
    }

    pub(crate) fn wait(&self, cx: &Context<'_>) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
    }

    pub(crate) fn wake_waiting(&self) {
        for waker in std::mem::take(&mut *self.waiting.borrow_mut()) {
            waker.wake();
        }
    }

    // === its end ===

    /// The upstream has told its settings.
    pub(crate) fn greeted(&self) {
        if !self.has_greeted.replace(true) {
            self.wake_waiting();
        }
    }

    pub(crate) fn has_greeted(&self) -> bool {
        self.has_greeted.get()
    }

    /// Has no more requests begin here: it ends once those that run have their answers.
    pub(crate) fn retire(&self) {
        self.distrust();
        self.shared.wake_driver();
    }

    /// The same, for the connection's own task.
    pub(crate) fn distrust(&self) {
        self.is_leaving.set(true);
    }

    /// No request begins here any more.
    pub(crate) fn is_going(&self) -> bool {
        self.is_leaving.get()
            || self.shared.with(|state| {
                let protocol = &state.protocol;
                protocol.peer_is_going() || protocol.is_used_up() || protocol.failed().is_some()
            })
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.why.borrow().is_some()
    }

    /// It is over. Whoever still waits for an answer finds out.
    pub(crate) fn end(&self, why: String) {
        self.why.borrow_mut().get_or_insert(why);
        self.shared.with(|state| {
            // Of a request of which no byte was handed to the system, the upstream has seen none. Under TLS nobody knows:
            // a record that is on its way counts as not written until it is through.
            let front = if self.is_https { u64::MAX } else { state.protocol.output_front() };
            for known in state.streams.values_mut().filter(|known| known.own.begins_at >= front) {
                known.own.unprocessed.get_or_insert(Unprocessed::GoneAway);
            }
        });
        self.shared.end();
        self.wake_waiting();
    }

    /// Why it has ended, for the operator.
    pub(crate) fn why(&self) -> String {
        self.why.borrow().clone().unwrap_or_else(|| "the connection is over".to_owned())
    }
}
