//! Where the task of a connection and those of its streams meet. All of them run on one thread.

use crate::incoming::Incoming;
use http2::ErrorCode;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    task::{Context, Waker},
};

/// Bytes that wait to be written before streams have to wait.
pub(crate) const MAX_WAITING: usize = 64 * 1024;
/// Bytes that wait to be written before nothing more is read. Streams stop adding far below; only a peer that takes nothing and
/// still has control frames answered comes so far. One that merely takes no more of a body has to be heard: it may have
/// answered already, or take a request back.
pub(crate) const MAX_WAITING_TO_READ: usize = 4 * MAX_WAITING;
/// Streams that are woken at a time when there is room again. The others keep their place in the queue, so that each
/// has its turn.
const WOKEN_AT_ONCE: usize = 4;

/// What the side of a connection that we are on keeps beside what both have.
pub trait Side {
    /// Of a connection.
    type Connection: Default;
    /// Of each stream that is worked on.
    type Stream: Default;

    /// Gives back memory that a connection without streams does not need.
    fn rest(_own: &mut Self::Connection) {}
}

/// A connection that its streams share.
pub struct Connection<S: Side>(RefCell<State<S>>);

/// What is behind a [`Connection`].
pub struct State<S: Side> {
    /// Frames and windows.
    pub protocol: http2::Connection,
    /// The streams that are worked on.
    pub streams: BTreeMap<u32, StreamState<S>>,
    /// Streams that wait for room in the output or in the connection's window.
    queue: VecDeque<u32>,
    /// The connection's task, while it sleeps.
    pub driver: Option<Waker>,
    /// Nothing can be written any more.
    pub is_dead: bool,
    /// Nothing will be read any more.
    pub is_closed: bool,
    /// What our side keeps of it.
    pub own: S::Connection,
}

/// What the connection's task knows of a stream that is worked on.
pub struct StreamState<S: Side> {
    /// The message that comes.
    pub incoming: Incoming,
    /// Who waits to read.
    pub reader: Option<Waker>,
    /// Who waits to write.
    pub writer: Option<Waker>,
    /// Who waits for its end.
    pub watcher: Option<Waker>,
    /// Why the message that comes is malformed.
    pub broken: Option<&'static str>,
    /// By which code it was reset.
    pub reset: Option<ErrorCode>,
    /// The final head was sent.
    pub has_answered: bool,
    is_queued: bool,
    /// What our side keeps of it.
    pub own: S::Stream,
}

impl<S: Side> Connection<S> {
    /// A connection on which nothing was said yet.
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

    /// Works on what is shared. Never across an await: the tasks take turns.
    #[inline]
    pub fn with<T>(&self, work: impl FnOnce(&mut State<S>) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }

    /// The connection is over: nothing is read or written on it any more. Whoever works on a stream finds out.
    pub fn end(&self) {
        self.with(|state| {
            (state.is_dead, state.is_closed) = (true, true);
            state.wake_all();
        });
    }

    /// Has the connection's task look after what has changed.
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
    /// A stream on which `incoming` is to come.
    pub fn new(incoming: Incoming, own: S::Stream) -> Self {
        Self { incoming, own, ..Self::default() }
    }

    /// Wakes whoever waits for anything of it.
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

    /// Wakes the streams whose turn it is, if there is room for them.
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

    /// Gives back memory that a connection without streams does not need: an empty map keeps a node for eleven of them.
    pub fn rest(&mut self) {
        self.protocol.rest();
        self.streams = BTreeMap::new();
        self.queue.shrink_to_fit();
        S::rest(&mut self.own);
    }

    /// Wakes whoever waits for anything: the connection has ended.
    pub fn wake_all(&mut self) {
        self.queue.clear();
        for known in self.streams.values_mut() {
            known.is_queued = false;
            known.wake_all();
        }
    }

    /// Wakes all that wait to write: windows have changed.
    pub fn wake_writers(&mut self) {
        for known in self.streams.values_mut().filter(|known| !known.is_queued) {
            wake(&mut known.writer);
        }
        self.wake_next();
    }

    /// Nothing waits to be written, and nobody works on it.
    fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.protocol.output().is_empty()
    }

    /// Gives memory back if nothing needs it now.
    pub(crate) fn rest_if_idle(&mut self) {
        if self.is_idle() {
            self.rest();
        }
    }
}

/// Wakes who waits, if anybody does.
#[inline]
pub fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
