//! Limits on connections, and which ones are closed to make room.
//!
//! Idle connections are worth less than a new client: at the limit those that have been idle for
//! longest are closed, so that hoarding connections gains nothing.

use crate::{connection_state::ConnectionState, peers::Peers};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::IpAddr,
    rc::Rc,
    time::Duration,
};
use tokio::time::Instant;

/// A connection that was idle for less than this is not closed.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// At most one in this many of a thread's connections is closed at once.
const PART: usize = 64;
/// Minimum time between two searches for connections to close: each goes through all of them.
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum number of connections that are being refused with an error; more are closed without one.
const MAX_REFUSED: usize = 256;

/// The connections of a thread, by number.
pub type Connections = RefCell<HashMap<u64, Rc<ConnectionState>>>;

/// The state of a thread's connection limit.
#[derive(Debug, Default)]
pub struct ConnectionLimit {
    /// Connections that may exceed the limit, because as many were asked to close.
    room: Cell<usize>,
    looked: Cell<Option<Instant>>,
    /// Connections that are being refused now.
    refused: Cell<usize>,
}

/// Whether to accept a connection.
pub enum Verdict {
    /// Accept it. The address is counted, if given.
    Admit(Option<IpAddr>),
    /// Respond with an error.
    Refuse,
    /// Close it.
    Close,
}

impl ConnectionLimit {
    /// Decides on a new connection. `has_room`: the limit is not reached. `per_address`: the limit
    /// per address, if any.
    pub fn decide(
        &self,
        connections: &Connections,
        address: IpAddr,
        has_room: bool,
        per_address: Option<(u32, &Peers)>,
    ) -> Verdict {
        if !has_room && !self.make_room(connections) {
            return self.refuse();
        }
        match per_address {
            None => Verdict::Admit(None),
            Some((most, peers)) if peers.enter(address, most) => Verdict::Admit(Some(address)),
            Some(_) => self.refuse(),
        }
    }

    /// A refused connection was closed.
    pub fn refused_closed(&self) {
        self.refused.set(self.refused.get().saturating_sub(1));
    }

    fn refuse(&self) -> Verdict {
        if self.refused.get() >= MAX_REFUSED {
            return Verdict::Close;
        }
        self.refused.set(self.refused.get() + 1);
        Verdict::Refuse
    }

    /// Closes the connections that have been idle for longest. True: there is room for one more.
    pub fn make_room(&self, connections: &Connections) -> bool {
        if self.room.get() == 0 {
            let now = Instant::now();
            if self.looked.get().is_some_and(|looked| now.saturating_duration_since(looked) < PAUSE) {
                return false;
            }
            self.looked.set(Some(now));
            self.room.set(dismiss_longest(connections, now));
        }
        let room = self.room.get();
        self.room.set(room.saturating_sub(1));
        room > 0
    }
}

fn dismiss_longest(connections: &Connections, now: Instant) -> usize {
    let connections = connections.borrow();
    let wait = |connection_state: &Rc<ConnectionState>| {
        connection_state.waiting(now).filter(|waited| *waited >= LEAST_WAIT)
    };
    let mut waiting: Vec<(Duration, &Rc<ConnectionState>)> = connections
        .values()
        .filter_map(|connection_state| Some((wait(connection_state)?, connection_state)))
        .collect();
    let most = (connections.len() / PART).max(1);
    if waiting.len() > most {
        waiting.select_nth_unstable_by(most, |one, other| other.0.cmp(&one.0));
        waiting.truncate(most);
    }
    for (_, connection_state) in &waiting {
        connection_state.dismiss();
    }
    waiting.len()
}
