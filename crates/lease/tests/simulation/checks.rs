//! What has to be true at each step, counted apart from nodes and ledger.

use crate::world::{Peer, Request};
use lease::{CounterId, Kind, Ledger, Message, Micros, Outcome, Reply, Rule};
use std::collections::{HashMap, VecDeque};

#[derive(Default)]
pub struct Checks {
    /// Windows, and limits in all.
    pub counted: HashMap<(CounterId, u64), Counted>,
    spans: HashMap<CounterId, VecDeque<(Micros, u32)>>,
    buckets: HashMap<CounterId, Bucket>,
    /// What a node could have had at the ledger's last words: by node, counter and slice.
    words: HashMap<(usize, CounterId, u64), VecDeque<(u64, u32)>>,
    pub told: u64,
    /// Units of all counters.
    pub charged: u64,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Counted {
    pub amount: u32,
    /// In flight, and charged.
    pub held: u32,
    pub charged: u32,
    /// When a request of one unit was denied, while nothing failed any more: first and last.
    pub denied_from: Micros,
    pub denied_at: Micros,
}

/// The one bucket that a rate promises.
#[derive(Clone, Copy)]
struct Bucket {
    level: u64,
    at: Micros,
}

impl Bucket {
    /// In units times microseconds of the period.
    fn at(self, now: Micros, amount: u32, period: u64, burst: u32) -> Self {
        let full = u64::from(burst) * period * 1_000;
        let risen = (now - self.at).min(full) * u64::from(amount);
        Self { level: (self.level + risen).min(full), at: now }
    }
}

impl Checks {
    /// A request was granted at a node: no limit is exceeded, and what its client is told was there at the ledger's last word.
    pub fn granted(&mut self, now: Micros, request: &Request, rule: &Rule, index: usize, peers: &[Peer]) {
        let (counter, slice, cost) = (request.counter, request.slice, request.cost);
        match rule.kind {
            Kind::Window { .. } | Kind::InAll => {
                let one = self.counted.entry((counter, slice)).or_default();
                one.amount = rule.amount;
                one.held += cost;
                assert!(one.held <= rule.amount, "over-admitted: {} of {}", one.held, rule.amount);
                self.leases(counter, slice, rule, peers);
                self.told(counter, slice, index, peers);
            }
            Kind::Rolling { part } => {
                let span = self.spans.entry(counter).or_default();
                span.push_back((now, cost));
                while span.front().is_some_and(|(at, _)| *at + 16 * part * 1_000 <= now) {
                    span.pop_front();
                }
                let sum: u32 = span.iter().map(|(_, cost)| cost).sum();
                assert!(sum <= rule.amount, "over-admitted in a span: {sum} of {}", rule.amount);
            }
            Kind::Rate { period, burst } => {
                let full = Bucket { level: u64::from(burst) * period * 1_000, at: 0 };
                let bucket = self.buckets.entry(counter).or_insert(full);
                *bucket = bucket.at(now, rule.amount, period, burst);
                let units = u64::from(cost) * period * 1_000;
                assert!(bucket.level >= units, "over-admitted: the bucket holds {} of {units}", bucket.level);
                bucket.level -= units;
            }
            Kind::AtOnce => {
                // What stands still uses nothing; it is ended before it goes on.
                let running = peers.iter().filter(|peer| !peer.is_frozen(now));
                let places =
                    running.flat_map(Peer::requests).filter(|one| one.counter == counter).count() + 1;
                assert!(places <= rule.amount as usize, "over-admitted: {places} at once");
            }
        }
    }

    /// A request has ended.
    pub fn settled(&mut self, now: Micros, request: &Request, rule: &Rule, is_charged: bool) {
        self.charged += if is_charged { u64::from(request.cost) } else { 0 };
        match rule.kind {
            Kind::Window { .. } | Kind::InAll => {
                let one = self.counted.get_mut(&(request.counter, request.slice)).unwrap();
                if is_charged {
                    one.charged += request.cost;
                } else {
                    one.held -= request.cost;
                }
            }
            Kind::Rolling { .. } if !is_charged => {
                let span = self.spans.get_mut(&request.counter).unwrap();
                let found = span.iter().position(|one| *one == (request.granted_at, request.cost));
                if let Some(place) = found {
                    span.remove(place);
                }
            }
            Kind::Rate { period, burst } if !is_charged => {
                let bucket = self.buckets.get_mut(&request.counter).unwrap();
                *bucket = bucket.at(now, rule.amount, period, burst);
                let full = u64::from(burst) * period * 1_000;
                bucket.level = (bucket.level + u64::from(request.cost) * period * 1_000).min(full);
            }
            Kind::Rolling { .. } | Kind::Rate { .. } | Kind::AtOnce => {}
        }
    }

    pub fn denied(&mut self, now: Micros, request: &Request, rule: &Rule, is_closing: bool) {
        let slice = rule.slice(0);
        if request.cost == 1 && is_closing && matches!(rule.kind, Kind::Window { .. } | Kind::InAll) {
            let one = self.counted.entry((request.counter, slice)).or_default();
            one.denied_at = now;
            one.denied_from = if one.denied_from == 0 { now } else { one.denied_from };
        }
    }

    /// The ledger replied: it never grants more than there is.
    pub fn said(&mut self, now: u64, message: &Message, reply: &Reply, ledger: &Ledger) {
        if reply.outcome != Outcome::Taken {
            return;
        }
        let is_whole = ledger.awaited().next().is_none();
        for (question, answer) in message.questions.iter().zip(&reply.answers) {
            let (Kind::Window { .. } | Kind::InAll) = question.rule.kind else { continue };
            let (mut others, mut sum) = (0_u32, 0_u32);
            for (node, granted) in ledger.granted(question.counter, question.slice) {
                sum += granted;
                others += if node == message.from { 0 } else { granted };
            }
            let amount = question.rule.amount;
            assert!(sum <= amount || !is_whole, "the ledger granted {sum} of {amount} at {now}");
            let key = (message.from as usize, question.counter, answer.slice);
            let words = self.words.entry(key).or_default();
            words.push_back((message.sequence, amount.saturating_sub(others)));
            if words.len() > 6 {
                words.pop_front();
            }
        }
    }

    /// All nodes together never may spend more than there is, those included that stand still or were killed.
    fn leases(&self, counter: CounterId, slice: u64, rule: &Rule, peers: &[Peer]) {
        let mut sum = 0;
        for peer in peers {
            let lease = peer.node.as_ref().and_then(|node| node.account(node.find(counter, slice)?));
            let journal = || peer.journal.get(&(counter, slice)).map_or(0, |(_, used)| *used);
            sum += lease.map_or_else(journal, |lease| lease.granted);
        }
        assert!(sum <= rule.amount, "nodes may spend {sum} of {}", rule.amount);
    }

    fn told(&mut self, counter: CounterId, slice: u64, index: usize, peers: &[Peer]) {
        let node = peers[index].node.as_ref().unwrap();
        let handle = node.find(counter, slice).unwrap();
        let Some(told) = node.remaining(handle) else { return };
        let account = node.account(handle).unwrap();
        let words = self.words.get(&(index, counter, slice));
        let word = words.and_then(|words| words.iter().find(|(sequence, _)| *sequence == account.word));
        if let Some((_, could_have)) = word {
            let there = could_have.saturating_sub(account.used + account.reserved);
            assert!(told <= there, "told that {told} remain, of {there}");
            self.told += 1;
        }
    }
}
