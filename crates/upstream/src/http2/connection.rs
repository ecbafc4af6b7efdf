//! A connection to an upstream, shared by its requests.

use ::http2::{Config, Role};
use multiplex::Side;
use std::{
    cell::{Cell, RefCell},
    task::{Context, Poll, Waker},
};
use tokio::time::Instant;

/// Maximum number of concurrent requests on one connection, even if the upstream allows more.
const MAX_REQUESTS: u32 = 100;
/// The window of one response's body.
const WINDOW: u32 = 64 * 1024;
/// What a list of fields counts in addition to the bytes of its head in HTTP/1.1, for 100 fields.
const LIST_OVERHEAD: usize = 100 * 32;

/// State of a connection to an upstream and its streams.
pub(crate) struct ToUpstream;

impl Side for ToUpstream {
    type Connection = ();
    type Stream = Expected;
}

/// State of the response to a request.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The request was a HEAD.
    pub(crate) is_to_head: bool,
    /// The offset of the request among all bytes written on the connection.
    pub(crate) begins_at: u64,
    /// A head has arrived, at least an interim one.
    pub(crate) has_begun: bool,
    /// The upstream did not process the request.
    pub(crate) unprocessed: Option<Unprocessed>,
}

/// Why an upstream did not process a request, so that it can be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unprocessed {
    /// The connection accepts no more requests.
    GoneAway,
    /// There were too many concurrent requests.
    Refused,
}

/// A connection shared by requests.
pub(crate) struct Connection {
    /// The state shared by its requests.
    pub(crate) shared: multiplex::Connection<ToUpstream>,
    is_https: bool,
    /// Requests that have a place here.
    requests: Cell<u32>,
    /// The DNS result that it was opened with. None: it is not open yet.
    pub(crate) generation: Cell<Option<u32>>,
    /// The upstream has sent its SETTINGS.
    has_greeted: Cell<bool>,
    /// A request got its response here.
    pub(crate) has_answered: Cell<bool>,
    /// It serves only one request.
    pub(crate) is_alone: Cell<bool>,
    /// No new request begins here.
    is_leaving: Cell<bool>,
    /// When something was last read.
    pub(crate) last_read: Cell<Instant>,
    /// Why it has ended.
    why: RefCell<Option<String>>,
    /// Requests that wait for SETTINGS, or for the upstream to accept one more.
    waiting: RefCell<Vec<Waker>>,
}

impl Connection {
    pub(crate) fn new(is_https: bool) -> Self {
        let max_header_list_size = http1::response::LARGEST + LIST_OVERHEAD;
        let config = Config {
            role: Role::Client,
            max_concurrent_streams: 0,
            window: WINDOW,
            // For all responses together: otherwise unread ones would block others, which belong to
            // unrelated clients.
            connection_window: WINDOW * MAX_REQUESTS,
            max_header_list_size: u32::try_from(max_header_list_size).unwrap_or(u32::MAX),
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

    /// The value of `:scheme`.
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

    /// Maximum number of concurrent requests. The upstream's limit is known after its SETTINGS.
    pub(crate) fn max_requests(&self) -> u32 {
        if !self.has_greeted.get() {
            return MAX_REQUESTS;
        }
        self.shared.with(|state| state.protocol.most_own_streams()).min(MAX_REQUESTS)
    }

    /// Whether a new request may begin here, if there is a place.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_going() && !self.has_ended()
    }

    /// Ready once requests can be sent. An error: why that will never happen.
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

    /// The upstream has sent its SETTINGS.
    pub(crate) fn greeted(&self) {
        if !self.has_greeted.replace(true) {
            self.wake_waiting();
        }
    }

    pub(crate) fn has_greeted(&self) -> bool {
        self.has_greeted.get()
    }

    /// Lets no new request begin here: it ends when the current ones have their responses.
    pub(crate) fn retire(&self) {
        self.distrust();
        self.shared.wake_driver();
    }

    /// The same, for the connection's own task.
    pub(crate) fn distrust(&self) {
        self.is_leaving.set(true);
    }

    /// No new request begins here.
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

    /// The connection has ended. Notifies the requests that wait for a response.
    pub(crate) fn end(&self, why: String) {
        self.why.borrow_mut().get_or_insert(why);
        self.shared.with(|state| {
            // If no byte of a request was handed to the kernel, the upstream has seen none of it.
            // Under TLS that is unknown: a record in progress counts as not written until it is
            // complete.
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
