//! Limits that several nodes share: what this process holds of each at the ledger (crate `lease`), spent by all data
//! threads.
//!
//! A request is counted in its account first, as on one node, by the ledger's clock; then it takes the same units of the
//! leases. The account never denies what a lease would grant, because it counts only what this process spends; it is what
//! the journal, changes of limits and all that is told about them go on from. What decides between nodes is the lease.
//!
//! The node's state stands behind one lock, held for some hundred nanoseconds. Nobody waits for the ledger while holding it:
//! what goes to the ledger and comes from there is carried by a thread of the control plane, by way of `driver`. A request
//! whose units are not at hand waits for it, alone.

mod counters;
mod driver;
mod leased;
mod places;
mod restart;
mod standing;
mod taking;
#[cfg(test)]
mod tests;

pub use driver::{ClusterView, Step};
pub(crate) use leased::Leased;
pub(crate) use places::Places;
pub(crate) use restart::used;
pub(crate) use standing::CountedAt;
pub(crate) use taking::Denied;

use lease::{Handle, Micros, Millis, Node};
use nix::time::{ClockId, clock_gettime};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};
use tokio::sync::Notify;

/// The leases of this process.
#[derive(Debug)]
pub struct Cluster {
    state: Mutex<State>,
    /// The driver has something to do earlier than it planned.
    kick: Notify,
    /// The ledger said something: whoever waits looks again.
    news: Notify,
    /// Places were lost.
    lost: Notify,
}

#[derive(Debug)]
struct State {
    node: Node,
    /// When the driver looks next by itself.
    planned: Micros,
    /// The flag of each lease of places that is in use: set when they are lost.
    places: HashMap<Handle, Arc<AtomicBool>>,
    messages: u64,
    questions: u64,
}

impl Cluster {
    /// The leases of a node.
    pub fn new(node: Node) -> Arc<Self> {
        let state = State { node, planned: 0, places: HashMap::new(), messages: 0, questions: 0 };
        Arc::new(Self {
            state: Mutex::new(state),
            kick: Notify::new(),
            news: Notify::new(),
            lost: Notify::new(),
        })
    }

    /// The ledger's clock, in Unix milliseconds. None: nothing was heard of it yet.
    pub(crate) fn time(&self) -> Option<Millis> {
        self.locked().node.ledger_time(now())
    }

    /// Does something with the node, and has the driver look if there is something to be sent.
    fn with<R>(&self, act: impl FnOnce(&mut State, Micros) -> R) -> R {
        let mut state = self.locked();
        // Read within the lock: a node's time never goes back.
        let result = act(&mut state, now());
        let due = state.node.due();
        let is_early = due < state.planned;
        if is_early {
            state.planned = due;
        }
        drop(state);
        if is_early {
            self.kick.notify_one();
        }
        result
    }

    // What a panic left behind is no worse than a message that was lost: the ledger's word corrects it.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The node's own clock: it goes on while the machine sleeps, and nobody sets it.
fn now() -> Micros {
    let read = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    // A clock that was read once can be read again.
    read.map_or(0, |time| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_nsec() / 1_000;
        Micros::try_from(micros).unwrap_or(0)
    })
}
