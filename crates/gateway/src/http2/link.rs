//! Where the task of a connection and those of its streams meet. All of them run on one data thread.

use super::incoming::Incoming;
use crate::keyring::LastKey;
use ::http2::{Connection, ErrorCode};
use journal::Charge;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, VecDeque},
    rc::{Rc, Weak},
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

/// A connection that its streams share.
pub(crate) struct Link(RefCell<State>);

/// What is behind a [`Link`].
pub(crate) struct State {
    pub(crate) connection: Connection,
    pub(crate) seats: BTreeMap<u32, Seat>,
    /// Charges of answers whose last frame waits to be written, in the order of their positions.
    pub(crate) due: VecDeque<Due>,
    /// Streams that wait for room in the output or in the connection's window.
    queue: VecDeque<u32>,
    pub(crate) driver: Option<Waker>,
    /// Nothing can be written any more.
    pub(crate) is_dead: bool,
    /// Nothing will be read any more.
    pub(crate) is_closed: bool,
    pub(crate) last_key: LastKey,
}

/// What the connection's task knows of a stream that is worked on.
#[derive(Default)]
pub(crate) struct Seat {
    pub(crate) incoming: Incoming,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    pub(crate) watcher: Option<Waker>,
    /// Why the message that comes is malformed.
    pub(crate) broken: Option<&'static str>,
    pub(crate) reset: Option<ErrorCode>,
    /// The final head was sent.
    pub(crate) has_answered: bool,
    pub(crate) last_bytes: LastBytes,
    /// Of a request to an upstream: what is known of its answer.
    pub(crate) answer: Expected,
    is_queued: bool,
}

/// The answer to a request of ours.
#[derive(Default)]
pub(crate) struct Expected {
    /// The request was a HEAD.
    pub(crate) is_to_head: bool,
    /// Where its bytes begin in all that was ever written on the connection.
    pub(crate) begins_at: u64,
    /// The head has come, an interim one at least.
    pub(crate) has_begun: bool,
    /// The peer did not look at the request.
    pub(crate) unprocessed: Option<Unprocessed>,
}

/// Why a peer did not look at a request, which so may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unprocessed {
    /// The connection takes no more requests.
    GoneAway,
    /// There were too many at once.
    Refused,
}

/// The last bytes of an answer that is charged.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastBytes {
    /// They are not here yet.
    #[default]
    NotSent,
    /// They wait to be written; so many bytes of HTTP/1.1 are to be told as taken then.
    Waiting(usize),
    /// They were written, and the charge with them.
    Written(usize),
}

/// A charge that becomes due when what stands before a position is written.
pub(crate) struct Due {
    pub(crate) at: u64,
    pub(crate) stream: u32,
    pub(crate) charge: Charge,
    /// Unix second.
    pub(crate) now: u64,
}

impl Link {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(RefCell::new(State {
            connection,
            seats: BTreeMap::new(),
            due: VecDeque::new(),
            queue: VecDeque::new(),
            driver: None,
            is_dead: false,
            is_closed: false,
            last_key: LastKey::default(),
        }))
    }

    /// Works on what is shared. Never across an await: the tasks take turns.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }

    /// The connection is over: nothing is read or written on it any more. Whoever works on a stream finds out.
    pub(crate) fn end(&self) {
        self.with(|state| {
            (state.is_dead, state.is_closed) = (true, true);
            state.wake_all();
        });
    }

    /// Has the connection's task look after what has changed.
    pub(crate) fn wake_driver(&self) {
        let driver = self.0.borrow_mut().driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl Seat {
    /// For a request of ours.
    pub(crate) fn asking(answer: Expected) -> Self {
        Self { incoming: Incoming::waiting(), answer, ..Self::default() }
    }
}

impl State {
    /// A stream waits for its turn to write.
    pub(crate) fn wait_for_room(&mut self, stream: u32, cx: &Context<'_>) {
        if let Some(seat) = self.seats.get_mut(&stream) {
            seat.writer = Some(cx.waker().clone());
            if !std::mem::replace(&mut seat.is_queued, true) {
                self.queue.push_back(stream);
            }
        }
    }

    /// Wakes the streams whose turn it is, if there is room for them.
    pub(crate) fn wake_next(&mut self) {
        if self.connection.output().len() >= MAX_WAITING / 2 {
            return;
        }
        for _ in 0..WOKEN_AT_ONCE {
            let Some(stream) = self.queue.pop_front() else { return };
            if let Some(seat) = self.seats.get_mut(&stream) {
                seat.is_queued = false;
                wake(&mut seat.writer);
            }
        }
    }

    /// Gives back memory that a connection without streams does not need: an empty map keeps a node for eleven of them.
    pub(crate) fn rest(&mut self) {
        self.seats = BTreeMap::new();
        self.due.shrink_to_fit();
        self.queue.shrink_to_fit();
    }

    /// Wakes whoever waits for anything: the connection has ended.
    pub(crate) fn wake_all(&mut self) {
        self.queue.clear();
        for seat in self.seats.values_mut() {
            seat.is_queued = false;
            for waker in [&mut seat.reader, &mut seat.writer, &mut seat.watcher] {
                wake(waker);
            }
        }
    }

    /// Wakes all that wait to write: windows have changed.
    pub(crate) fn wake_writers(&mut self) {
        for seat in self.seats.values_mut().filter(|seat| !seat.is_queued) {
            wake(&mut seat.writer);
        }
        self.wake_next();
    }

    /// Bytes were written up to here: of what was due before, the charges are written down.
    pub(crate) fn written(&mut self, stream: u32) {
        if let Some(seat) = self.seats.get_mut(&stream) {
            if let LastBytes::Waiting(count) = seat.last_bytes {
                seat.last_bytes = LastBytes::Written(count);
            }
            wake(&mut seat.writer);
        }
    }
}

/// The connections by HTTP/2 of a thread.
#[derive(Default)]
pub(crate) struct Links(RefCell<HashMap<usize, Weak<Link>>>);

impl Links {
    pub(crate) fn add(&self, link: &Rc<Link>) {
        self.0.borrow_mut().insert(Rc::as_ptr(link).addr(), Rc::downgrade(link));
    }

    pub(crate) fn remove(&self, link: &Rc<Link>) {
        self.0.borrow_mut().remove(&Rc::as_ptr(link).addr());
    }

    /// Has each connection look whether the thread drains.
    pub(crate) fn wake(&self) {
        for link in self.0.borrow().values().filter_map(Weak::upgrade) {
            link.wake_driver();
        }
    }
}

pub(crate) fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
