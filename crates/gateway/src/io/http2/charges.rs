//! State of a client's connection and its streams in addition to the common one: charges that are
//! due with the last bytes of a response, and the last key used.

use crate::keyring::LastKey;
use journal::Charge;
use multiplex::{Side, wake};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::{Rc, Weak},
};

/// A client's connection, shared by its streams.
pub(crate) type Connection = multiplex::Connection<OfClient>;
/// Its state.
pub(crate) type State = multiplex::State<OfClient>;

/// State of a client's connection and its streams.
pub(crate) struct OfClient;

/// State of a connection.
#[derive(Default)]
pub(crate) struct Kept {
    /// Charges of responses whose last frame is waiting to be written, ordered by position.
    pub(crate) due: VecDeque<Due>,
    pub(crate) last_key: LastKey,
}

/// The last bytes of a response that is charged.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastBytes {
    /// Not available yet.
    #[default]
    NotSent,
    /// Waiting to be written; then this many bytes of HTTP/1.1 are to be reported as written.
    Waiting(usize),
    /// Written, and charged with them.
    Written(usize),
}

/// A charge that is due when everything before a position is written.
pub(crate) struct Due {
    pub(crate) at: u64,
    pub(crate) stream: u32,
    pub(crate) charge: Charge,
    /// Unix second.
    pub(crate) now: u64,
}

impl Side for OfClient {
    type Connection = Kept;
    type Stream = LastBytes;

    fn rest(own: &mut Kept) {
        own.due.shrink_to_fit();
    }
}

/// The last bytes of a stream were written, and its charge was recorded.
pub(crate) fn written(state: &mut State, stream: u32) {
    if let Some(known) = state.streams.get_mut(&stream) {
        if let LastBytes::Waiting(count) = known.own {
            known.own = LastBytes::Written(count);
        }
        wake(&mut known.writer);
    }
}

/// The HTTP/2 connections of a thread.
#[derive(Default)]
pub(crate) struct Connections(RefCell<HashMap<usize, Weak<Connection>>>);

impl Connections {
    pub(crate) fn add(&self, connection: &Rc<Connection>) {
        self.0.borrow_mut().insert(Rc::as_ptr(connection).addr(), Rc::downgrade(connection));
    }

    pub(crate) fn remove(&self, connection: &Rc<Connection>) {
        self.0.borrow_mut().remove(&Rc::as_ptr(connection).addr());
    }

    /// Makes each connection check whether the thread drains.
    pub(crate) fn wake(&self) {
        for connection in self.0.borrow().values().filter_map(Weak::upgrade) {
            connection.wake_driver();
        }
    }
}
