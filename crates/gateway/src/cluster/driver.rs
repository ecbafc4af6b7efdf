//! What whoever carries messages between this node and the ledger needs, and how it all stands.

use super::{Cluster, now};
use lease::{Message, Millis, Recall, Reply, Standing};
use std::time::Duration;

/// What there is to do.
#[derive(Debug)]
pub struct Step {
    /// To be sent now.
    pub message: Option<Message>,
    /// When to look again, if nothing comes before.
    pub due: Duration,
}

/// How this node and its ledger stand.
#[derive(Debug, Clone, Copy)]
pub struct ClusterView {
    /// Leases that are kept.
    pub leases: u64,
    /// Messages that were sent, and questions in them.
    pub messages: u64,
    /// See `messages`.
    pub questions: u64,
    /// Whether the ledger is thought to reply.
    pub is_ledger_up: bool,
    /// The ledger's epoch. 0: nothing was heard of it yet.
    pub epoch: u64,
    /// How often the ledger was replaced, or lost what it knew.
    pub replaced: u32,
    /// Members, as of the ledger's last word.
    pub members: u32,
    /// What the ledger thinks of this node.
    pub standing: Standing,
    /// Units that were granted beyond the leases while the ledger could not be reached.
    pub beyond: u64,
    /// The ledger's clock, in Unix milliseconds. None: it is not known.
    pub ledger_time: Option<Millis>,
}

impl Cluster {
    /// Does what is due, and tells what is to be sent. To be called at the start, whenever [`Cluster::kicked`] is ready, when
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

    /// Waits until there is something to do before the time of the last step.
    pub async fn kicked(&self) {
        self.kick.notified().await;
    }

    /// Takes a reply.
    pub fn hear(&self, reply: &Reply) {
        let mut state = self.locked();
        state.node.hear(now(), reply);
        drop(state);
        self.news.notify_waiters();
    }

    /// Other nodes need what this one does not.
    pub fn recall(&self, recall: &Recall) {
        self.with(|state, now| state.node.recall(now, recall));
    }

    /// Forgets what no request needs. To be called now and then.
    pub fn sweep(&self) {
        self.locked().sweep_places();
    }

    /// Gives back all that is not spent, because this process ends. To be called again after each reply, until it tells true.
    pub fn give_back(&self) -> bool {
        self.with(|state, now| state.node.give_all_back(now))
    }

    /// Goes on by this machine's clock, as one of so many members, until something is heard of the ledger.
    pub fn assume(&self, unix_millis: Millis, members: u32) {
        self.with(|state, now| state.node.assume(now, unix_millis, members));
    }

    /// Whether there is a clock for windows: the ledger's, once anything was heard of it, or one that was assumed.
    pub fn has_heard(&self) -> bool {
        self.time().is_some()
    }

    /// How it stands.
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
