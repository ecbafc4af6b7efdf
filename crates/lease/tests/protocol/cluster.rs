//! One ledger and nodes whose messages the test carries itself.

use lease::{
    CounterId, Handle, Kind, Ledger, Message, Micros, Node, Question, Recall, Receipt, Reply, Rule, Take,
    Unreachable, sequence,
};

/// The ledger's clock when the nodes' clocks stand at 0.
pub const BASE: u64 = 1_700_000_000_000;
pub const MILLI: Micros = 1_000;
pub const COUNTER: CounterId = CounterId { who: [7; 16], limit: 1 };

pub fn window(amount: u32) -> Rule {
    Rule { amount, kind: Kind::Window { index: 9, begins: BASE, ends: BASE + 60_000 } }
}

/// A ledger and its nodes; the way between them loses nothing unless the test does.
pub struct Cluster {
    pub ledger: Ledger,
    pub nodes: Vec<Node>,
    pub now: Micros,
    /// By how many milliseconds the ledger's clock is behind the one that it had at first.
    pub behind: u64,
}

impl Cluster {
    pub fn new(nodes: u32) -> Self {
        let mut ledger = Ledger::new(1);
        (0..nodes).for_each(|node| ledger.join(node));
        let nodes = (0..nodes).map(|node| Node::new(node, 1, Unreachable::Deny, [])).collect();
        let mut cluster = Self { ledger, nodes, now: 10 * MILLI, behind: 0 };
        for node in 0..cluster.nodes.len() {
            cluster.exchange(node);
        }
        cluster
    }

    pub fn ledger_now(&self) -> u64 {
        BASE + self.now / MILLI - self.behind
    }

    /// Carries a message to the ledger.
    pub fn ask(&mut self, message: &Message) -> (Reply, Vec<Recall>) {
        let mut recalls = Vec::new();
        let reply = self.ledger.take(self.ledger_now(), message, &mut recalls);
        (reply, recalls)
    }

    /// Carries all that a node has to say, and the replies. Recalls are lost.
    pub fn exchange(&mut self, node: usize) -> Vec<Recall> {
        let mut all = Vec::new();
        for _ in 0..20 {
            self.now += 2 * MILLI;
            self.nodes[node].tick(self.now);
            let Some(message) = self.nodes[node].message(self.now) else { break };
            let (reply, recalls) = self.ask(&message);
            self.nodes[node].hear(self.now, &reply);
            all.extend(recalls);
        }
        all
    }

    pub fn begin(&mut self, node: usize, rule: Rule, units: u32) -> Take {
        let handle = self.nodes[node].lease(self.now, COUNTER, rule).unwrap();
        self.nodes[node].take(self.now, handle, units)
    }

    /// Takes units and waits for the ledger as long as it takes.
    pub fn take(&mut self, node: usize, rule: Rule, units: u32) -> Take {
        let mut take = self.begin(node, rule, units);
        for _ in 0..100 {
            let Take::Wait(waiting) = take else { return take };
            for recall in self.exchange(node) {
                let to = recall.to as usize;
                self.nodes[to].recall(self.now, &recall);
                self.exchange(to);
            }
            take = self.nodes[node].retry(self.now, waiting);
        }
        panic!("it waits for ever");
    }

    pub fn charge(&mut self, node: usize, rule: Rule, units: u32) -> Handle {
        let Take::Granted(receipt) = self.take(node, rule, units) else { panic!("not granted") };
        self.nodes[node].charge(self.now, receipt, units);
        receipt.lease
    }

    pub fn granted(&self, rule: Rule) -> Vec<u32> {
        let slice = rule.slice(self.ledger_now());
        let mut rows: Vec<_> = self.ledger.granted(COUNTER, slice).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, granted)| granted).collect()
    }

    pub fn wait(&mut self, millis: u64) {
        self.now += millis * MILLI;
    }
}

pub fn question(rule: Rule, total: u32) -> Question {
    let slice = rule.slice(BASE);
    Question { counter: COUNTER, rule, slice, total, least: total, used: 0, refunded: 0, is_restated: false }
}

pub fn message(number: u64, questions: Vec<Question>) -> Message {
    Message { from: 0, sequence: sequence(1) + 100 + number, epoch: 1, said_since: None, questions }
}

pub fn granted(take: Take) -> Receipt {
    let Take::Granted(receipt) = take else { panic!("not granted: {take:?}") };
    receipt
}
