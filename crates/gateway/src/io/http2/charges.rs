//! What is kept of a client's connection and its streams beyond what every one has: charges that are due with the last
//! bytes of a response, and the key that was seen last.

use crate::keyring::LastKey;
use journal::Charge;
use multiplex::{Side, wake};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::{Rc, Weak},
};

/// A client's connection, as its streams share it.
pub(crate) type Connection = multiplex::Connection<OfClient>;
/// What is behind it.
pub(crate) type State = multiplex::State<OfClient>;

/// What is kept of a client's connection and of its streams.
pub(crate) struct OfClient;

/// What is kept of a connection.
#[derive(Default)]
pub(crate) struct Kept {
    /// Charges of answers whose last frame waits to be written, in the order of their positions.
    pub(crate) due: VecDeque<Due>,
    pub(crate) last_key: LastKey,
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

impl Side for OfClient {
    type Connection = Kept;
    type Stream = LastBytes;

    fn rest(own: &mut Kept) {
        own.due.shrink_to_fit();
    }
}

/// The last bytes of a stream were written, and what was due with them is written down.
pub(crate) fn written(state: &mut State, stream: u32) {
    if let Some(known) = state.streams.get_mut(&stream) {
        if let LastBytes::Waiting(count) = known.own {
            known.own = LastBytes::Written(count);
        }
        wake(&mut known.writer);
    }
}

/// The connections by HTTP/2 of a thread.
#[derive(Default)]
pub(crate) struct Connections(RefCell<HashMap<usize, Weak<Connection>>>);

impl Connections {
    pub(crate) fn add(&self, connection: &Rc<Connection>) {
        self.0.borrow_mut().insert(Rc::as_ptr(connection).addr(), Rc::downgrade(connection));
    }

    pub(crate) fn remove(&self, connection: &Rc<Connection>) {
        self.0.borrow_mut().remove(&Rc::as_ptr(connection).addr());
    }

    /// Has each connection look whether the thread drains.
    pub(crate) fn wake(&self) {
        for connection in self.0.borrow().values().filter_map(Weak::upgrade) {
            connection.wake_driver();
        }
    }
}
