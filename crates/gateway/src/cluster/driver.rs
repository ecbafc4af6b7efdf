//! The interface for the thread that carries messages between this node and the ledger, and the
//! status of both.

use super::{Cluster, now};
use lease::{Message, Millis, Recall, Reply, Standing};
use std::time::Duration;

/// Leases that are looked at while nobody can spend any: some microseconds.
const LOOKED_AT: usize = 256;

/// The next step of that thread.
#[derive(Debug)]
pub struct Step {
    /// To be sent now.
    pub message: Option<Message>,
    /// When to call again, if nothing happens before.
    pub due: Duration,
}

/// The status of this node and its ledger.
#[derive(Debug, Clone, Copy)]
pub struct ClusterView {
    /// Leases held.
    pub leases: u64,
    /// Messages sent, and questions in them.
    pub messages: u64,
    /// See `messages`.
    pub questions: u64,
    /// Whether the ledger is expected to reply.
    pub is_ledger_up: bool,
    /// The ledger's epoch. 0: unknown, because nothing was received from it.
    pub epoch: u64,
    /// How often the ledger was replaced, or lost its state.
    pub replaced: u32,
    /// Members, by the ledger's last reply.
    pub members: u32,
    /// How the ledger considers this node.
    pub standing: Standing,
    /// Units that were granted beyond the leases while the ledger was unreachable.
    pub beyond: u64,
    /// The ledger's clock, in Unix milliseconds. None: unknown.
    pub ledger_time: Option<Millis>,
}

impl Cluster {
    /// Does what is due, and returns the message to send. To be called at the start, whenever
    /// [`Cluster::kicked`] is ready, when
    /// [`Step::due`] has passed, and after each reply.
    pub fn step(&self) -> Step {
        let mut state = self.locked();
        let now = now();
        let was_up = state.node.is_ledger_up();
        state.node.tick(now);
        let has_lost = state.lose_places();
        let message = state.node.message(now);
        if let Some(message) = &message {
            state.messages += 1;
            state.questions += message.questions.len() as u64;
        }
        state.planned = state.node.due();
        let due = Duration::from_micros(state.planned.saturating_sub(now));
        let has_news = was_up && !state.node.is_ledger_up();
        drop(state);
        if has_lost {
            self.lost.notify_waiters();
        }
        if has_news {
            self.news.notify_waiters();
        }
        Step { message, due }
    }

    /// Waits until a step is due earlier than the last one announced.
    pub async fn kicked(&self) {
        self.kick.notified().await;
    }

    /// Processes a reply.
    pub fn hear(&self, reply: &Reply) {
        let mut state = self.locked();
        state.node.hear(now(), reply);
        drop(state);
        self.news.notify_waiters();
    }

    /// Returns units that other nodes need and this one does not.
    pub fn recall(&self, recall: &Recall) {
        self.with(|state, now| state.node.recall(now, recall));
    }

    /// Removes unused state. To be called periodically.
    pub fn sweep(&self) {
        self.locked().sweep_places();
    }

    /// Returns all unspent units, because this process ends. To be called again after each reply,
    /// until it returns true.
    pub fn give_back(&self) -> bool {
        self.with(|state, now| state.node.give_all_back(now))
    }

    /// Uses this machine's clock, as one of this many members, until the ledger replies.
    pub fn assume(&self, unix_millis: Millis, members: u32) {
        self.with(|state, now| state.node.assume(now, unix_millis, members));
    }

    /// Whether there is a clock for windows: the ledger's, once it has replied, or an assumed one.
    pub fn has_heard(&self) -> bool {
        self.time().is_some()
    }

    /// Units that are leased and not used. All leases are looked at, some at a time, so that no request waits for long.
    pub fn held_units(&self) -> u64 {
        let (mut sum, mut from) = (0, Some(0));
        while let Some(at) = from {
            let (units, next) = self.locked().node.unused(at, LOOKED_AT);
            (sum, from) = (sum + units, next);
        }
        sum
    }

    /// The current status.
    pub fn view(&self) -> ClusterView {
        let state = self.locked();
        let node = &state.node;
        ClusterView {
            leases: node.len() as u64,
            messages: state.messages,
            questions: state.questions,
            is_ledger_up: node.is_ledger_up(),
            epoch: node.epoch(),
            replaced: node.replaced(),
            members: node.members(),
            standing: node.standing(),
            beyond: node.beyond(),
            ledger_time: node.ledger_time(now()),
        }
    }
}
