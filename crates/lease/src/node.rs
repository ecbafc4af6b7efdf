//! A node: spends its leases, asks for more, gives back what it does not need. No clock and no socket: the time is passed in,
//! messages are taken from [`Node::message`] and replies given to [`Node::hear`].

mod asking;
mod demand;
mod ending;
mod lease;
mod leases;
mod link;
mod spending;
mod time;

pub use leases::Handle;
pub use spending::{Denial, Receipt, Take, Waiting};

use crate::{
    counter::{CounterId, Millis, Rule},
    message::{NodeId, Sequence},
};
use lease::Lease;
use leases::Leases;
use link::Link;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};
use time::LedgerTime;

/// A node's own clock, in microseconds: it never goes back, and goes on while the machine sleeps (CLOCK_BOOTTIME).
pub type Micros = u64;

/// What a node does about a limit that it has no lease of while the ledger cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// Denies.
    Deny,
    /// Goes on with its share: the limit divided by the members. Together with what others hold that can be more than the limit.
    GoOn,
}

/// What a node used before it was started anew, of its journal.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// The counter.
    pub counter: CounterId,
    /// Its limit.
    pub rule: Rule,
    /// Which slice of it.
    pub slice: u64,
    /// Units that were charged.
    pub used: u32,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    id: NodeId,
    unreachable: Unreachable,
    /// The ledger's epoch and its members, as of the last reply.
    epoch: u64,
    /// How often it was another one than before.
    replaced: u32,
    members: u32,
    time: Option<LedgerTime>,
    link: Link,
    leases: Leases,
    /// Leases to ask about.
    queue: VecDeque<Handle>,
    /// What the message in flight asks about.
    sent: Vec<Handle>,
    saying: Option<Saying>,
    timers: BinaryHeap<Reverse<(Micros, Handle)>>,
    lost_places: Vec<Handle>,
    standing: Standing,
    /// Requests since the last message was sent.
    asked_for: u32,
    /// Units that were granted beyond the leases ([`Unreachable::GoOn`]).
    beyond: u64,
}

/// A node says all its totals.
#[derive(Debug, Default)]
struct Saying {
    left: Vec<Handle>,
    /// The number of the first message of it.
    since: Option<Sequence>,
    /// The message in flight is the last one.
    is_last: bool,
}

/// What the ledger thinks of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is a member.
    Member,
    /// It is none, or was removed.
    NotMember,
    /// Another one has its number: it has to stop.
    Superseded,
}

impl Node {
    /// A node in its `start`th life, with what its journal says that it has used. A node without its journal needs a new number:
    /// what the old one used would be granted again.
    pub fn new(
        id: NodeId,
        start: u32,
        unreachable: Unreachable,
        journal: impl IntoIterator<Item = Used>,
    ) -> Self {
        let mut node = Self {
            id,
            unreachable,
            epoch: 0,
            replaced: 0,
            members: 1,
            time: None,
            link: Link::new(start),
            leases: Leases::default(),
            queue: VecDeque::new(),
            sent: Vec::new(),
            saying: None,
            timers: BinaryHeap::new(),
            lost_places: Vec::new(),
            standing: Standing::Member,
            asked_for: 0,
            beyond: 0,
        };
        for one in journal {
            let mut lease = Lease::new(one.counter, one.rule, one.slice);
            (lease.granted, lease.used) = (one.used, one.used);
            node.add(lease, 0);
        }
        node.say_all();
        node
    }

    /// The ledger's clock at `now`, at the latest: windows are those of this clock. `None`: nothing was heard of it yet.
    pub fn ledger_time(&self, now: Micros) -> Option<Millis> {
        self.time.map(|time| time.latest(now))
    }

    /// Goes on by a clock that is taken for the ledger's, as one of so many members, until something is heard of it: for a
    /// node that starts while the ledger cannot be reached, and shall go on with its share.
    pub fn assume(&mut self, now: Micros, ledger: Millis, members: u32) {
        if self.time.is_none() {
            self.time = Some(LedgerTime::new(now, now, ledger));
            self.members = members.max(1);
        }
    }

    /// The lease of a counter in its present slice; one with nothing granted, if there was none. `None`: the ledger's clock is
    /// not known.
    pub fn lease(&mut self, now: Micros, counter: CounterId, rule: Rule) -> Option<Handle> {
        let slice = rule.slice(self.ledger_time(now)?);
        match self.leases.find(counter, slice) {
            Some(handle) => {
                if let Some(lease) = self.leases.get_mut(handle) {
                    lease.rule = rule;
                }
                Some(handle)
            }
            None => self.add(Lease::new(counter, rule, slice), now),
        }
    }

    /// What a client may be told to be left: what this node can spend, and what nobody held at the ledger's last word.
    /// `None`: there was no word.
    pub fn remaining(&self, handle: Handle) -> Option<u32> {
        let lease = self.leases.get(handle).filter(|lease| lease.has_word())?;
        Some(lease.left.saturating_add(lease.free()).min(lease.rule.quota()))
    }

    /// What a node holds and has used of a lease.
    pub fn account(&self, handle: Handle) -> Option<Account> {
        self.leases.get(handle).map(|lease| Account {
            counter: lease.counter,
            slice: lease.slice,
            granted: lease.granted,
            used: lease.used,
            reserved: lease.reserved,
            word: lease.answered,
        })
    }

    /// All leases.
    pub fn handles(&self) -> impl Iterator<Item = Handle> {
        self.leases.handles()
    }

    /// How many leases there are: one for each counter that is used, until its slice is forgotten.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Units that are granted and not used, of at most `most` leases; and where to go on, to have the others as well. In parts,
    /// because a node may have millions of leases, and whoever spends them waits meanwhile.
    pub fn unused(&self, from: usize, most: usize) -> (u64, Option<usize>) {
        let (leases, next) = self.leases.some(from, most);
        let unused = leases.map(|lease| u64::from(lease.granted.saturating_sub(lease.used))).sum();
        (unused, next)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leases.len() == 0
    }

    /// Whether the ledger is thought to reply.
    pub const fn is_ledger_up(&self) -> bool {
        self.link.is_up()
    }

    /// How often the ledger was replaced, or lost what it knew.
    pub const fn replaced(&self) -> u32 {
        self.replaced
    }

    /// The ledger's epoch. 0: nothing was heard of it yet.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Members, as of the ledger's last word.
    pub const fn members(&self) -> u32 {
        self.members
    }

    /// What the ledger thinks of this node.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Units that were granted beyond the leases, while the ledger could not be reached.
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Adds a lease, and room for whatever may have to be noted about it: later nothing is allocated for it.
    fn add(&mut self, lease: Lease, now: Micros) -> Option<Handle> {
        let handle = self.leases.add(lease)?;
        let leases = self.leases.len();
        self.queue.reserve(leases.saturating_sub(self.queue.len()));
        self.timers.reserve((2 * leases).saturating_sub(self.timers.len()));
        self.watch(handle, now.saturating_add(lease::IDLE));
        Some(handle)
    }

    fn say_all(&mut self) {
        let left = self.leases.handles().collect();
        self.saying = Some(Saying { left, ..Saying::default() });
    }

    /// Looks at a lease at `due`, if not earlier.
    fn watch(&mut self, handle: Handle, due: Micros) {
        if let Some(lease) = self.leases.get_mut(handle)
            && due < lease.due
        {
            lease.due = due;
            self.timers.push(Reverse((due, handle)));
        }
    }

    /// Asks about a lease with one of the next messages.
    fn ask(&mut self, handle: Handle) {
        if let Some(lease) = self.leases.get_mut(handle)
            && !lease.is_queued
        {
            lease.is_queued = true;
            self.queue.push_back(handle);
        }
    }
}

/// What a node holds of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The counter.
    pub counter: CounterId,
    /// Which slice of it.
    pub slice: u64,
    /// What it may spend in all.
    pub granted: u32,
    /// What was charged.
    pub used: u32,
    /// What is in flight.
    pub reserved: u32,
    /// The number of the message whose answer was the ledger's last word.
    pub word: Sequence,
}
