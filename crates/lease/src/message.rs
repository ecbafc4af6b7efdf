//! What nodes and ledger say to each other. Values only; how they travel is the engines' part.

use crate::counter::{CounterId, Millis, Rule};

/// The number of a member. The records give each number once, and never again.
pub type NodeId = u32;

/// The number of a message of one node. It grows from message to message, also across restarts: [`sequence`].
pub type Sequence = u64;

/// The most questions of one message: the ledger's step is bounded work.
pub const MAX_QUESTIONS: usize = 256;

/// The first number of a node's messages in its `start`th life. Below 2^53 for two million starts, because Lua counts in
/// floating point.
pub const fn sequence(start: u32) -> Sequence {
    (start as u64) << 32
}

/// The life of a node that a number belongs to.
pub(crate) const fn start_of(sequence: Sequence) -> u32 {
    (sequence >> 32) as u32 // the upper half fits
}

/// One message of a node: many questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who asks.
    pub from: NodeId,
    /// Its number.
    pub sequence: Sequence,
    /// The epoch of the ledger that the node knows. 0: none yet.
    pub epoch: u64,
    /// All totals that still count have been said since this number: what this node was granted earlier and did not name
    /// since is free.
    pub said_since: Option<Sequence>,
    /// At most [`MAX_QUESTIONS`], at most one for each counter and slice.
    pub questions: Vec<Question>,
}

/// "Let my total of this counter be so many."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The counter.
    pub counter: CounterId,
    /// Its limit.
    pub rule: Rule,
    /// Which slice of it.
    pub slice: u64,
    /// What the node wants to hold, what it used included. Less than it holds gives the rest back.
    pub total: u32,
    /// If the total cannot become as large as this, it shall stay as it is.
    pub least: u32,
    /// What was used for good.
    pub used: u32,
    /// Of a rate: what failed after the slice was over, in all. It is given back although nobody counts the slice any more.
    pub refunded: u32,
    /// Not a wish but what the node holds: the ledger lost it, or the node was started anew.
    pub is_restated: bool,
}

/// The ledger's reply to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// To which message.
    pub sequence: Sequence,
    /// The ledger's epoch.
    pub epoch: u64,
    /// The ledger's clock.
    pub now: Millis,
    /// Members at present, at least 1.
    pub members: u32,
    /// What became of the message.
    pub outcome: Outcome,
    /// One for each question, in their order; empty unless the message was taken.
    pub answers: Vec<Answer>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its questions are answered.
    Taken,
    /// It came late or twice. It changed nothing.
    Late,
    /// It is of another epoch. It changed nothing; the node has to say its totals again.
    OtherEpoch,
    /// The node is no member, or not any more.
    NotMember,
    /// The node was started anew, or another one has its number.
    Superseded,
}

/// The answer to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The counter.
    pub counter: CounterId,
    /// Which slice of it.
    pub slice: u64,
    /// What the node holds now.
    pub granted: u32,
    /// What nobody holds.
    pub left: u32,
    /// What else there is to know.
    pub state: State,
}

/// What else there is to know about a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The least that was asked for is granted.
    Granted,
    /// It is not. `held`: others have units that they did not say to be used, and were called.
    Scarce {
        /// Whether others may give some back.
        held: bool,
        /// Milliseconds until enough flows in. `None`: none does.
        flows_in: Option<Millis>,
    },
    /// It is not known what was granted before the ledger lost it: members have not said their totals yet.
    Withheld,
    /// The slice is over, or begins much later.
    Over,
}

/// "Give back what you do not need." A hint: it may be lost, late or doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recall {
    /// Whose lease.
    pub to: NodeId,
    /// Of which counter.
    pub counter: CounterId,
    /// Which slice of it.
    pub slice: u64,
}
