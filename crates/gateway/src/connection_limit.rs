//! Who may connect: bounds on connections, and who has to go to make room.
//!
//! Connections that wait for a request are worth less than a new client: at the bound the longest waiting ones
//! are ended, so that whoever hoards connections hoards for nothing.

use crate::{config::Config, presence::Presence, shared::Shared};
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
const MAX_REPORTED: usize = 256;

/// The connections of a thread, by their number.
pub(crate) type Connections = RefCell<HashMap<u64, Rc<Presence>>>;

/// What a thread remembers of whom it let in.
#[derive(Debug, Default)]
pub(crate) struct ConnectionLimit {
    /// Connections that may come in past the bound, because as many were asked to go.
    room: Cell<usize>,
    looked: Cell<Option<Instant>>,
    told: Cell<usize>,
}

/// Whether a connection may come in.
pub(crate) enum Verdict {
    /// It may. The address is counted, if there is one.
    Enter(Option<IpAddr>),
    /// It is told that there is no room.
    Tell,
    /// It is closed.
    Close,
}

impl ConnectionLimit {
    /// Decides on a new connection.
    pub(crate) fn decide(
        &self,
        shared: &Shared,
        connections: &Connections,
        config: &Config,
        peer: IpAddr,
    ) -> Verdict {
        let bounds = &config.settings.overload;
        let has_room = shared.loads.connections() < bounds.connections.min(shared.room);
        if !has_room && !self.make_room(connections) {
            return self.tell();
        }
        let Some(most) = bounds.connections_per_address else { return Verdict::Enter(None) };
        if config.settings.trusted_proxies.iter().any(|net| net.contains(&peer)) {
            return Verdict::Enter(None);
        }
        if shared.peers.get_or_init(Default::default).enter(peer, most) {
            Verdict::Enter(Some(peer))
        } else {
            self.tell()
        }
    }

    /// Somebody was told that there is no room, and is gone.
    pub(crate) fn was_told(&self) {
        self.told.set(self.told.get().saturating_sub(1));
    }

    fn tell(&self) -> Verdict {
        if self.told.get() >= MAX_REPORTED {
            return Verdict::Close;
        }
        self.told.set(self.told.get() + 1);
        Verdict::Tell
    }

    /// Ends connections that have waited longest. True: there is room for one more.
    pub(crate) fn make_room(&self, connections: &Connections) -> bool {
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

/// An address that was counted has one connection less.
pub(crate) fn leave(shared: &Shared, counted: Option<IpAddr>) {
    if let (Some(address), Some(peers)) = (counted, shared.peers.get()) {
        peers.leave(address);
    }
}

fn dismiss_longest(connections: &Connections, now: Instant) -> usize {
    let connections = connections.borrow();
    let wait = |presence: &Rc<Presence>| presence.waiting(now).filter(|waited| *waited >= LEAST_WAIT);
    let mut waiting: Vec<(Duration, &Rc<Presence>)> =
        connections.values().filter_map(|presence| Some((wait(presence)?, presence))).collect();
    let most = (connections.len() / PART).max(1);
    if waiting.len() > most {
        waiting.select_nth_unstable_by(most, |one, other| other.0.cmp(&one.0));
        waiting.truncate(most);
    }
    for (_, presence) in &waiting {
        presence.dismiss();
    }
    waiting.len()
}
