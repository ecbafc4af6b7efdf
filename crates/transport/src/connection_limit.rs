//! Who may connect: bounds on connections, and who has to go to make room.
//!
//! Connections that wait for a request are worth less than a new client: at the bound the longest waiting ones
//! are ended, so that whoever hoards connections hoards for nothing.

use crate::{connection_state::ConnectionState, peers::Peers};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::IpAddr,
    rc::Rc,
    time::Duration,
};
use tokio::time::Instant;

/// A connection that has waited for less than this is left alone.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// The part of a thread's connections that is ended at once.
const PART: usize = 64;
/// Between two looks for connections that can be ended: each costs a look at all.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections that are told at the same time that there is no room; those past it are closed without a word.
const MAX_REFUSED: usize = 256;

/// The connections of a thread, by their number.
pub type Connections = RefCell<HashMap<u64, Rc<ConnectionState>>>;

/// What a thread remembers of whom it let in.
#[derive(Debug, Default)]
pub struct ConnectionLimit {
    /// Connections that may come in past the bound, because as many were asked to go.
    room: Cell<usize>,
    looked: Cell<Option<Instant>>,
    /// Connections that are being refused now.
    refused: Cell<usize>,
}

/// Whether a connection may come in.
pub enum Verdict {
    /// It may. The address is counted, if there is one.
    Admit(Option<IpAddr>),
    /// It is told that there is no room.
    Refuse,
    /// It is closed.
    Close,
}

impl ConnectionLimit {
    /// Decides on a new connection. `has_room`: there are fewer than may be. `per_address`: how many an address may have,
    /// where that is bounded.
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

    /// A connection that was refused is closed.
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

    /// Ends connections that have waited longest. True: there is room for one more.
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
