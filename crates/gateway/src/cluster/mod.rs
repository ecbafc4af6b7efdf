//! Limits shared by several nodes: the leases of this process at the ledger (crate `lease`), spent
//! by all data threads.
//!
//! A request is first counted in its account, as on a single node, by the ledger's clock; then it
//! takes the same units from the leases. The account never denies what a lease would grant, because
//! it counts only what this process spends. The journal, changes of limits and all reports about
//! them are based on the account. Between nodes, the lease decides.
//!
//! The node's state is behind one lock, held for some hundred nanoseconds, and never while waiting
//! for the ledger: a thread of the control plane carries the messages to and from the ledger,
//! through `driver`. A request whose units are not available waits for it; no other request does.

mod counters;
mod driver;
mod leased;
mod places;
mod restart;
mod standing;
mod taking;
#[cfg(test)]
mod tests;

pub use counters::rule as ledger_rule;
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
    /// The driver has something to do earlier than planned.
    kick: Notify,
    /// The ledger replied: waiting requests look again.
    news: Notify,
    /// Places were lost.
    lost: Notify,
}

#[derive(Debug)]
struct State {
    node: Node,
    /// When the driver next looks on its own.
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

    /// The ledger's clock, in Unix milliseconds. None: it has not replied yet.
    pub(crate) fn time(&self) -> Option<Millis> {
        self.locked().node.ledger_time(now())
    }

    /// Accesses the node, and notifies the driver if there is something to send.
    fn with<R>(&self, act: impl FnOnce(&mut State, Micros) -> R) -> R {
        let mut state = self.locked();
        // Read while holding the lock: a node's time never goes back.
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

    // State left by a panic is no worse than a lost message: the ledger's replies correct it.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The node's own clock: it continues during suspend and cannot be set.
fn now() -> Micros {
    let read = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    // A clock that was read once can be read again.
    read.map_or(0, |time| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_nsec() / 1_000;
        Micros::try_from(micros).unwrap_or(0)
    })
}
