//! The ledger: who may spend how much of each counter. One message is one atomic step; no clock, the time is passed in.
//!
//! # Layout
//!
//! The whole state is three flat tables, so that a message can be one function of Valkey or one of PostgreSQL:
//!
//! ```text
//! ledger    epoch, lost_at                                                  one row
//! members   node  -> last, said_since, said_epoch, is_removed               one row for each member
//! buckets   counter -> level, at, epoch                                     one row for each rate that is used
//! grants    counter, slice, node -> sequence, granted, used, refunded, expires
//! ```
//!
//! The engines are in the crate `ledger`. In Valkey the rows of `grants` are fields of one hash for each counter, which expires
//! when nothing in it counts any more; in PostgreSQL they are arrays in one row for each counter. All numbers stay below 2^53.
//! What is changed here has to be changed in both.
//!
//! A question reads the members and the rows of its counter, and writes one row (and one bucket): its work is bounded by
//! members times the slices that count (17 of a rolling span), a message's by [`MAX_QUESTIONS`] times that.
//!
//! The list of members belongs to the records, which are not lost with the ledger: whoever makes a new ledger, or begins a new
//! epoch of an old one, gives it that list first.

mod bucket;
mod grants;

use crate::{
    counter::{CounterId, Millis, Rule},
    message::{MAX_QUESTIONS, Message, NodeId, Outcome, Recall, Reply, Sequence, start_of},
};
use grants::{Grants, View};
use std::collections::{BTreeMap, HashMap};

/// The ledger's state.
#[derive(Debug, Clone)]
pub struct Ledger {
    epoch: u64,
    /// When it lost what it knew. 0: it never did.
    lost_at: Millis,
    members: BTreeMap<NodeId, Member>,
    counters: HashMap<CounterId, Grants>,
}

/// What the ledger knows of a member.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    /// The number of its last message.
    last: Sequence,
    /// Grants from before this number are free.
    said_since: Sequence,
    /// The epoch in which all its totals were said.
    said_epoch: u64,
    is_removed: bool,
}

impl Ledger {
    /// A ledger that never granted anything. An epoch is any number but 0.
    pub fn new(epoch: u64) -> Self {
        Self { epoch, lost_at: 0, members: BTreeMap::new(), counters: HashMap::new() }
    }

    /// What this ledger said last may be lost: an epoch begins that was not there before, in which members have to say their totals again. `removed`
    /// are those of `members` that have been removed.
    pub fn begin_epoch(&mut self, epoch: u64, now: Millis, members: &[NodeId], removed: &[NodeId]) {
        (self.epoch, self.lost_at) = (epoch, now);
        for node in members.iter().chain(removed) {
            let member = self.members.entry(*node).or_default();
            // Numbers of the old epoch are worth nothing: messages of it are not taken.
            member.last = 0;
            member.is_removed = removed.contains(node);
        }
    }

    /// A node joins. It never had anything.
    pub fn join(&mut self, node: NodeId) {
        let epoch = self.epoch;
        self.members.entry(node).or_insert(Member { said_epoch: epoch, ..Member::default() });
    }

    /// A member is removed for good: all that it holds counts as used.
    pub fn remove(&mut self, node: NodeId) {
        if let Some(member) = self.members.get_mut(&node) {
            member.is_removed = true;
        }
    }

    /// Nobody waits any longer for the totals of a member (`ledger_lost = "go_on"`). What it holds may be granted twice.
    pub fn go_on_without(&mut self, node: NodeId) {
        let epoch = self.epoch;
        if let Some(member) = self.members.get_mut(&node) {
            member.said_epoch = epoch;
        }
    }

    /// Members that have not said their totals in this epoch.
    pub fn awaited(&self) -> impl Iterator<Item = NodeId> {
        let epoch = self.epoch;
        let awaited = move |member: &Member| !member.is_removed && member.said_epoch != epoch;
        self.members.iter().filter(move |(_, member)| awaited(member)).map(|(node, _)| *node)
    }

    /// Takes one message. `recalls` are added to: hints for other nodes.
    pub fn take(&mut self, now: Millis, message: &Message, recalls: &mut Vec<Recall>) -> Reply {
        let outcome = self.judge(message);
        let mut answers = Vec::new();
        if outcome == Outcome::Taken {
            let has_said = self.has_said(message.from);
            let view = View {
                now,
                node: message.from,
                sequence: message.sequence,
                epoch: self.epoch,
                lost_at: self.lost_at,
                is_awaited: self.awaited().next().is_some(),
                has_said,
                members: &self.members,
            };
            for question in message.questions.iter().take(MAX_QUESTIONS) {
                let grants = self.counters.entry(question.counter).or_default();
                answers.push(grants.answer(&view, question, recalls));
            }
            self.note(message);
        }
        let members = self.members.values().filter(|member| !member.is_removed).count();
        Reply {
            sequence: message.sequence,
            epoch: self.epoch,
            now,
            members: u32::try_from(members).unwrap_or(u32::MAX).max(1),
            outcome,
            answers,
        }
    }

    fn judge(&self, message: &Message) -> Outcome {
        match self.members.get(&message.from) {
            None => Outcome::NotMember,
            Some(member) if member.is_removed => Outcome::NotMember,
            Some(_) if message.epoch != self.epoch => Outcome::OtherEpoch,
            Some(member) if start_of(message.sequence) < start_of(member.last) => Outcome::Superseded,
            Some(member) if message.sequence <= member.last => Outcome::Late,
            Some(_) => Outcome::Taken,
        }
    }

    fn has_said(&self, node: NodeId) -> bool {
        self.members.get(&node).is_some_and(|member| member.said_epoch == self.epoch)
    }

    fn note(&mut self, message: &Message) {
        let epoch = self.epoch;
        if let Some(member) = self.members.get_mut(&message.from) {
            member.last = message.sequence;
            if let Some(since) = message.said_since {
                member.said_since = since;
                member.said_epoch = epoch;
            }
        }
    }

    /// Forgets what counts no more. The engines' own expiry does it for them.
    pub fn sweep(&mut self, now: Millis) {
        self.counters.retain(|_, grants| grants.prune(now));
    }

    /// Counters that are kept.
    pub fn len(&self) -> usize {
        self.counters.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }

    /// What each node holds of a slice.
    pub fn granted(&self, counter: CounterId, slice: u64) -> impl Iterator<Item = (NodeId, u32)> {
        let rows = self.counters.get(&counter).map_or(&[][..], Grants::rows);
        rows.iter()
            .filter(move |row| row.slice == slice && !row.is_void(&self.members))
            .map(|row| (row.node, row.granted))
    }

    /// Units of a counter that nobody holds at `now`.
    pub fn left(&self, now: Millis, counter: CounterId, rule: &Rule) -> u32 {
        self.counters.get(&counter).map_or(rule.quota(), |grants| {
            grants.left(now, rule, rule.slice(now), self.lost_at, self.epoch, &self.members)
        })
    }
}
