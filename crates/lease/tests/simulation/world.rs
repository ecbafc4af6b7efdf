//! The world of a simulation: nodes, a ledger, the network between them, clients, and what goes wrong. Virtual time.

mod troubles;

use crate::{
    checks::Checks,
    settings::{BASE, Settings},
};
use fastrand::Rng;
use lease::{
    CounterId, Denial, Ledger, Message, Micros, Node, NodeId, Recall, Receipt, Reply, Rule, Take, Used,
    Waiting,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, VecDeque},
};

/// A request on its way.
pub struct Request {
    pub counter: CounterId,
    rule: Rule,
    pub cost: u32,
    pub is_error: bool,
    lasts: Micros,
    waiting: Option<Waiting>,
    receipt: Option<Receipt>,
    /// The slice in which it was granted.
    pub slice: u64,
    /// When it was granted, in virtual time.
    pub granted_at: Micros,
}

enum Event {
    Arrive,
    Ask(Message),
    Reply(usize, u32, Reply),
    Recall(usize, Recall),
    Tick(usize, u32),
    Retry(usize, u32, u64),
    Settle(usize, u32, u64),
    Trouble,
    Start(usize),
    LedgerUp,
    Keep,
}

/// A node with all that is around it.
pub struct Peer {
    pub node: Option<Node>,
    life: u32,
    pub journal: BTreeMap<(CounterId, u64), (Rule, u32)>,
    requests: BTreeMap<u64, Request>,
    waits_for: HashMap<CounterId, Vec<u64>>,
    /// Its own clock: where it began, and parts per million by which it is too fast.
    offset: Micros,
    ppm: i64,
    paused_until: Micros,
    cut_until: Micros,
    ticks_at: Micros,
}

/// What happened, in numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub requests: u64,
    pub granted: u64,
    pub granted_at_once: u64,
    pub exhausted: u64,
    pub unavailable: u64,
    pub messages: u64,
    pub questions: u64,
    pub kills: u64,
    pub epochs: u64,
    pub cut: u64,
    pub events: u64,
}

pub struct World {
    pub settings: Settings,
    pub now: Micros,
    pub peers: Vec<Peer>,
    pub ledger: Ledger,
    ledger_down: bool,
    /// By how many milliseconds the present ledger's clock is ahead, plus 10,000.
    skew: u64,
    kept: VecDeque<Ledger>,
    events: BinaryHeap<Reverse<(Micros, u64)>>,
    payload: HashMap<u64, Event>,
    order: u64,
    rng: Rng,
    weights: Vec<f64>,
    pub checks: Checks,
    pub tally: Tally,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let mut rng = Rng::with_seed(settings.seed);
        let mut sum = 0.0;
        let weights = (0..settings.keys)
            .map(|key| {
                sum += 1.0 / f64::from(key + 1).powf(settings.zipf);
                sum
            })
            .collect();
        let mut ledger = Ledger::new(1);
        let peers = (0..settings.nodes)
            .map(|index| {
                ledger.join(index as NodeId);
                Peer {
                    node: None,
                    life: 0,
                    journal: BTreeMap::new(),
                    requests: BTreeMap::new(),
                    waits_for: HashMap::new(),
                    offset: rng.u64(1_000_000..100_000_000_000),
                    ppm: rng.i64(-100..=100),
                    paused_until: 0,
                    cut_until: 0,
                    ticks_at: Micros::MAX,
                }
            })
            .collect();
        let mut world = Self {
            now: 0,
            peers,
            ledger,
            ledger_down: false,
            skew: 10_000,
            kept: VecDeque::new(),
            events: BinaryHeap::new(),
            payload: HashMap::new(),
            order: 0,
            rng,
            weights,
            checks: Checks::default(),
            tally: Tally::default(),
            settings,
        };
        for index in 0..world.settings.nodes {
            world.start(index);
        }
        world.after(5_000, Event::Arrive);
        if world.settings.faults_until > 0 {
            world.after(1_500_000, Event::Trouble);
            world.after(100_000, Event::Keep);
        }
        world
    }

    pub fn run(&mut self) {
        while let Some(Reverse((at, order))) = self.events.pop() {
            let event = self.payload.remove(&order).unwrap();
            self.now = at;
            if at > self.settings.ends {
                break;
            }
            if let Some(index) = addressee(&event) {
                let until = self.peers[index].paused_until;
                if until > at {
                    self.at(until, event);
                    continue;
                }
            }
            self.step(event);
        }
    }

    /// What the ledger's clock says.
    pub fn ledger_now(&self) -> u64 {
        BASE + self.now / 1_000 + self.skew - 10_000
    }

    fn clock(&self, index: usize) -> Micros {
        let peer = &self.peers[index];
        let drift = self.now as i64 * peer.ppm / 1_000_000;
        (peer.offset + self.now).checked_add_signed(drift).unwrap()
    }

    fn after(&mut self, wait: Micros, event: Event) {
        self.at(self.now + wait, event);
    }

    fn at(&mut self, at: Micros, event: Event) {
        self.order += 1;
        self.payload.insert(self.order, event);
        self.events.push(Reverse((at, self.order)));
    }

    fn step(&mut self, event: Event) {
        self.tally.events += 1;
        match event {
            Event::Arrive => self.arrive(),
            Event::Ask(message) => self.ask(&message),
            Event::Reply(index, life, reply) => self.reply(index, life, &reply),
            Event::Recall(index, recall) => {
                let now = self.clock(index);
                if let Some(node) = &mut self.peers[index].node {
                    node.recall(now, &recall);
                }
                self.pump(index);
            }
            Event::Tick(index, life) => {
                if self.peers[index].life == life && self.peers[index].ticks_at <= self.now {
                    self.peers[index].ticks_at = Micros::MAX;
                    self.pump(index);
                }
            }
            Event::Retry(index, life, id) => {
                if self.peers[index].life == life {
                    self.retry(index, id);
                    self.pump(index);
                }
            }
            Event::Settle(index, life, id) => {
                if self.peers[index].life == life {
                    self.settle(index, id);
                    self.pump(index);
                }
            }
            Event::Trouble => self.trouble(),
            Event::Start(index) => self.start(index),
            Event::LedgerUp => self.ledger_down = false,
            Event::Keep => {
                if !self.ledger_down {
                    self.kept.push_back(self.ledger.clone());
                }
                if self.kept.len() > 20 {
                    self.kept.pop_front();
                }
                self.after(150_000, Event::Keep);
            }
        }
    }

    // === clients ===

    fn arrive(&mut self) {
        self.tally.requests += 1;
        let wait = -self.rng.f64().max(1e-12).ln() * 1e6 / f64::from(self.settings.per_second);
        self.after(wait as Micros, Event::Arrive);
        let place = self.rng.f64() * self.weights.last().unwrap();
        let key = self.weights.partition_point(|&sum| sum < place) as u32;
        let index = self.rng.usize(..self.peers.len());
        let cost = if self.settings.costs && self.rng.u8(..4) == 0 { self.rng.u32(2..=5) } else { 1 };
        let is_slow = self.rng.u32(..1_000) < self.settings.slow_permille;
        let lasts = if is_slow {
            self.rng.u64(500_000..=self.settings.slowest)
        } else {
            self.rng.u64(2_000..200_000)
        };
        let mut who = [0; 16];
        who[..4].copy_from_slice(&key.to_le_bytes());
        let request = Request {
            counter: CounterId { who, limit: 1 },
            rule: self.settings.rule(key, 0), // until the node says what time it is
            cost: if self.settings.is_at_once() { 1 } else { cost },
            is_error: self.rng.u32(..100) < self.settings.errors_percent
                && !self.settings.is_closing(self.now),
            lasts,
            waiting: None,
            receipt: None,
            slice: 0,
            granted_at: 0,
        };
        if self.peers[index].node.is_some() && self.peers[index].paused_until <= self.now {
            let id = self.tally.requests;
            self.begin(index, id, request);
            self.pump(index);
        }
    }

    fn begin(&mut self, index: usize, id: u64, mut request: Request) {
        let now = self.clock(index);
        let Some(node) = &mut self.peers[index].node else { return };
        let Some(time) = node.ledger_time(now) else {
            self.tally.unavailable += 1;
            return;
        };
        request.rule = self.settings.rule(key_of(request.counter), time);
        let handle = node.lease(now, request.counter, request.rule).unwrap();
        let take = node.take(now, handle, request.cost);
        if matches!(take, Take::Granted(_)) {
            self.tally.granted_at_once += 1;
        }
        self.took(index, id, request, take);
    }

    fn took(&mut self, index: usize, id: u64, mut request: Request, take: Take) {
        request.waiting = None;
        match take {
            Take::Granted(receipt) => {
                request.receipt = Some(receipt);
                let account = self.peers[index].node.as_ref().unwrap().account(receipt.lease).unwrap();
                let held = account.used + account.reserved;
                assert!(held <= account.granted, "more is spent than granted: {account:?}");
                request.slice = account.slice;
                request.granted_at = self.now;
                self.tally.granted += 1;
                self.checks.granted(self.now, &request, &request.rule, index, &self.peers);
                let (life, lasts) = (self.peers[index].life, request.lasts);
                self.peers[index].requests.insert(id, request);
                self.after(lasts, Event::Settle(index, life, id));
            }
            Take::Wait(waiting) => {
                request.waiting = Some(waiting);
                let wait = waiting.until.saturating_sub(self.clock(index));
                let counter = request.counter;
                let peer = &mut self.peers[index];
                peer.requests.insert(id, request);
                let waits = peer.waits_for.entry(counter).or_default();
                if !waits.contains(&id) {
                    waits.push(id);
                }
                let life = peer.life;
                self.after(wait + 1, Event::Retry(index, life, id));
            }
            Take::Denied(denial) => {
                self.peers[index].requests.remove(&id);
                match denial {
                    Denial::Exhausted => {
                        self.tally.exhausted += 1;
                        let is_closing = self.settings.is_closing(self.now);
                        self.checks.denied(self.now, &request, &request.rule, is_closing);
                    }
                    Denial::Unavailable => self.tally.unavailable += 1,
                }
            }
            Take::Over => {
                self.peers[index].requests.remove(&id);
                self.begin(index, id, request);
            }
        }
    }

    fn retry(&mut self, index: usize, id: u64) {
        let now = self.clock(index);
        let peer = &mut self.peers[index];
        let Some(request) = peer.requests.get(&id) else { return };
        let Some(waiting) = request.waiting else { return };
        let counter = request.counter;
        let request = peer.requests.remove(&id).unwrap();
        let take = peer.node.as_mut().unwrap().retry(now, waiting);
        if let Take::Wait(next) = take
            && next == waiting
        {
            // Nothing new. The timer goes on.
            peer.requests.insert(id, request);
            if now >= waiting.until {
                panic!("a request waits for ever");
            }
            return;
        }
        if let Some(waits) = peer.waits_for.get_mut(&counter) {
            waits.retain(|one| *one != id);
        }
        self.took(index, id, request, take);
    }

    fn settle(&mut self, index: usize, id: u64) {
        let now = self.clock(index);
        let peer = &mut self.peers[index];
        let Some(request) = peer.requests.remove(&id) else { return };
        let node = peer.node.as_mut().unwrap();
        if request.is_error {
            node.release(now, request.receipt.unwrap());
        } else {
            node.charge(now, request.receipt.unwrap(), request.cost);
            if !self.settings.is_at_once() {
                let used = peer.journal.entry((request.counter, request.slice)).or_insert((request.rule, 0));
                used.1 += request.cost;
            }
        }
        self.checks.settled(self.now, &request, &request.rule, !request.is_error);
    }

    // === nodes ===

    fn start(&mut self, index: usize) {
        let settings = self.settings;
        let peer = &mut self.peers[index];
        peer.life += 1;
        let journal = peer.journal.iter().map(|((counter, slice), (rule, used))| Used {
            counter: *counter,
            rule: *rule,
            slice: *slice,
            used: *used,
        });
        let node = Node::new(index as NodeId, peer.life, settings.unreachable, journal.collect::<Vec<_>>());
        peer.node = Some(node);
        peer.ticks_at = Micros::MAX;
        self.pump(index);
    }

    fn kill(&mut self, index: usize) {
        self.tally.kills += 1;
        let peer = &mut self.peers[index];
        peer.node = None;
        peer.life += 1;
        peer.waits_for.clear();
        for (_, request) in std::mem::take(&mut peer.requests) {
            if request.receipt.is_some() {
                self.checks.settled(self.now, &request, &request.rule, false);
            }
        }
    }

    /// Lets a node do what it wants to do now.
    fn pump(&mut self, index: usize) {
        let now = self.clock(index);
        let Some(node) = &mut self.peers[index].node else { return };
        node.tick(now);
        while let Some(handle) = self.peers[index].node.as_mut().unwrap().lost_places() {
            let peer = &mut self.peers[index];
            let has = |request: &Request| request.receipt.is_some_and(|receipt| receipt.lease == handle);
            let lost: Vec<u64> =
                peer.requests.iter().filter(|(_, request)| has(request)).map(|(id, _)| *id).collect();
            for id in lost {
                self.tally.cut += 1;
                self.settle(index, id);
            }
        }
        while let Some(message) = self.peers[index].node.as_mut().unwrap().message(now) {
            self.tally.messages += 1;
            self.tally.questions += message.questions.len() as u64;
            for wait in self.travels(index) {
                self.after(wait, Event::Ask(message.clone()));
            }
        }
        let node = self.peers[index].node.as_ref().unwrap();
        let due = self.now + node.due().saturating_sub(now).max(1);
        if due < self.peers[index].ticks_at {
            self.peers[index].ticks_at = due;
            let life = self.peers[index].life;
            self.at(due, Event::Tick(index, life));
        }
    }

    fn reply(&mut self, index: usize, life: u32, reply: &Reply) {
        let now = self.clock(index);
        let peer = &mut self.peers[index];
        let Some(node) = peer.node.as_mut().filter(|_| peer.life == life) else { return };
        node.hear(now, reply);
        for answer in &reply.answers {
            for id in self.peers[index].waits_for.get(&answer.counter).cloned().unwrap_or_default() {
                self.retry(index, id);
            }
        }
        self.pump(index);
    }
}

fn key_of(counter: CounterId) -> u32 {
    u32::from_le_bytes([counter.who[0], counter.who[1], counter.who[2], counter.who[3]])
}

const fn addressee(event: &Event) -> Option<usize> {
    match event {
        Event::Reply(index, ..)
        | Event::Recall(index, _)
        | Event::Tick(index, _)
        | Event::Retry(index, ..)
        | Event::Settle(index, ..) => Some(*index),
        Event::Arrive | Event::Ask(_) | Event::Trouble | Event::Start(_) | Event::LedgerUp | Event::Keep => {
            None
        }
    }
}

impl Peer {
    pub const fn is_frozen(&self, now: Micros) -> bool {
        self.paused_until > now
    }

    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values().filter(|request| request.receipt.is_some())
    }
}
