//! The state shared by the task of a connection and the tasks of its streams. All of them run on one thread.

use crate::incoming::Incoming;
use http2::ErrorCode;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    task::{Context, Waker},
};

/// How many bytes may wait to be written until streams must wait.
pub(crate) const MAX_WAITING: usize = 64 * 1024;
/// How many bytes may wait to be written until reading stops. Streams stop far below; only a peer
/// that does not read but sends control frames that need replies gets this far. Reading must not
/// stop earlier: a peer that only stopped reading a body may have responded already, or may cancel
/// a request.
pub(crate) const MAX_WAITING_TO_READ: usize = 4 * MAX_WAITING;
/// How many streams are woken at a time when there is room again. The others keep their place in
/// the queue, so that each gets its turn.
const WOKEN_AT_ONCE: usize = 4;

/// Additional state for one side of a connection, client or server.
pub trait Side {
    /// Of a connection.
    type Connection: Default;
    /// Of each stream in use.
    type Stream: Default;

    /// Releases memory that a connection without streams does not need.
    fn rest(_own: &mut Self::Connection) {}
}

/// A connection shared by its streams.
pub struct Connection<S: Side>(RefCell<State<S>>);

/// The state of a [`Connection`].
pub struct State<S: Side> {
    /// Frames and windows.
    pub protocol: http2::Connection,
    /// The streams in use.
    pub streams: BTreeMap<u32, StreamState<S>>,
    /// Streams that wait for room in the output or in the connection's window.
    queue: VecDeque<u32>,
    /// The connection's task, while it waits.
    pub driver: Option<Waker>,
    /// Nothing can be written any more.
    pub is_dead: bool,
    /// Nothing will be read any more.
    pub is_closed: bool,
    /// Additional state of this side.
    pub own: S::Connection,
}

/// The connection's state of a stream in use.
pub struct StreamState<S: Side> {
    /// The incoming message.
    pub incoming: Incoming,
    /// The task that waits to read.
    pub reader: Option<Waker>,
    /// The task that waits to write.
    pub writer: Option<Waker>,
    /// The task that waits for its end.
    pub watcher: Option<Waker>,
    /// Why the incoming message is malformed.
    pub broken: Option<&'static str>,
    /// The code of its reset.
    pub reset: Option<ErrorCode>,
    /// The final head was sent.
    pub has_answered: bool,
    is_queued: bool,
    /// Additional state of this side.
    pub own: S::Stream,
}

impl<S: Side> Connection<S> {
    /// A new connection.
    pub fn new(protocol: http2::Connection) -> Self {
        Self(RefCell::new(State {
            protocol,
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
            driver: None,
            is_dead: false,
            is_closed: false,
            own: S::Connection::default(),
        }))
    }

    /// Accesses the shared state. Never held across an await: the tasks take turns.
    #[inline]
    pub fn with<T>(&self, work: impl FnOnce(&mut State<S>) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }

    /// Ends the connection: nothing is read or written any more. Wakes the tasks of streams.
    pub fn end(&self) {
        self.with(|state| {
            (state.is_dead, state.is_closed) = (true, true);
            state.wake_all();
        });
    }

    /// Makes the connection's task check for changes.
    #[inline]
    pub fn wake_driver(&self) {
        let driver = self.0.borrow_mut().driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl<S: Side> Default for StreamState<S> {
    fn default() -> Self {
        Self {
            incoming: Incoming::default(),
            reader: None,
            writer: None,
            watcher: None,
            broken: None,
            reset: None,
            has_answered: false,
            is_queued: false,
            own: S::Stream::default(),
        }
    }
}

impl<S: Side> StreamState<S> {
    /// A stream that receives `incoming`.
    pub fn new(incoming: Incoming, own: S::Stream) -> Self {
        Self { incoming, own, ..Self::default() }
    }

    /// Wakes every task that waits for this stream.
    pub fn wake_all(&mut self) {
        for waker in [&mut self.reader, &mut self.writer, &mut self.watcher] {
            wake(waker);
        }
    }
}

impl<S: Side> State<S> {
    /// A stream waits for its turn to write.
    pub fn wait_for_room(&mut self, stream: u32, cx: &Context<'_>) {
        if let Some(known) = self.streams.get_mut(&stream) {
            known.writer = Some(cx.waker().clone());
            if !std::mem::replace(&mut known.is_queued, true) {
                self.queue.push_back(stream);
            }
        }
    }

    /// Wakes the next streams, if there is room for them.
    #[inline]
    pub fn wake_next(&mut self) {
        if self.protocol.output().len() >= MAX_WAITING / 2 {
            return;
        }
        for _ in 0..WOKEN_AT_ONCE {
            let Some(stream) = self.queue.pop_front() else { return };
            if let Some(known) = self.streams.get_mut(&stream) {
                known.is_queued = false;
                wake(&mut known.writer);
            }
        }
    }

    /// Releases memory that a connection without streams does not need: an empty map keeps a node
    /// for eleven of them.
    pub fn rest(&mut self) {
        self.protocol.rest();
        self.streams = BTreeMap::new();
        self.queue.shrink_to_fit();
        S::rest(&mut self.own);
    }

    /// Wakes every waiting task: the connection has ended.
    pub fn wake_all(&mut self) {
        self.queue.clear();
        for known in self.streams.values_mut() {
            known.is_queued = false;
            known.wake_all();
        }
    }

    /// Wakes every task that waits to write: windows have changed.
    pub fn wake_writers(&mut self) {
        for known in self.streams.values_mut().filter(|known| !known.is_queued) {
            wake(&mut known.writer);
        }
        self.wake_next();
    }

    /// Nothing waits to be written, and no stream is in use.
    fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.protocol.output().is_empty()
    }

    /// Releases memory if it is not needed now.
    pub(crate) fn rest_if_idle(&mut self) {
        if self.is_idle() {
            self.rest();
        }
    }
}

/// Wakes the waiting task, if any.
#[inline]
pub fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
