//! Several nodes that spend leases of one ledger, on real connections and clocks.

use fastrand::Rng;
use lease::{
    CounterId, Denial, Kind, Micros, Node, NodeId, Recall, Receipt, Reply, Rule, Take, Unreachable, Waiting,
};
use ledger::{Engine, LedgerError, Members, Options, connect};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};

/// What is limited: by a rule that never ends, and by windows, which do.
const LIMITS: [(CounterId, u32); 3] = [
    (CounterId { who: [1; 16], limit: 1 }, 600),
    (CounterId { who: [2; 16], limit: 1 }, 300),
    (CounterId { who: [3; 16], limit: u64::MAX }, 150),
];

fn rule(counter: CounterId, amount: u32) -> Rule {
    if counter.who[0] < 3 {
        return Rule { amount, kind: Kind::InAll };
    }
    // One window that lasts longer than any test.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let length = 86_400_000 * 365;
    let index = now / length;
    Rule { amount, kind: Kind::Window { index, begins: index * length, ends: (index + 1) * length } }
}

/// One node with its engine.
struct Member {
    node: Node,
    engine: Arc<Box<dyn Engine>>,
    recalls: Receiver<Recall>,
    replies: UnboundedReceiver<Result<Reply, LedgerError>>,
    sender: UnboundedSender<Result<Reply, LedgerError>>,
    waiting: Vec<Waiting>,
    /// In flight, with the time when the answer comes.
    reserved: Vec<(Micros, Receipt)>,
    /// It neither asks nor spends.
    is_away: bool,
}

/// What happened.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub granted: u32,
    pub exhausted: u32,
    pub unavailable: u32,
    /// Exchanges that went well, and errors by their kind.
    pub exchanged: u32,
    pub errors: BTreeMap<String, u32>,
}

pub struct Fleet {
    members: Vec<Member>,
    started: Instant,
    random: Rng,
    pub seen: Seen,
}

/// The options of a node's engine.
pub fn options(nodes: u32) -> Options {
    let members = Members { present: (0..nodes).collect(), ..Members::default() };
    // The machine has other tests to do.
    Options { connect_timeout: Duration::from_secs(5), ..Options::new(Arc::new(members)) }
}

impl Fleet {
    pub fn start(url: &str, nodes: u32, options: &Options) -> Self {
        let members = (0..nodes).map(|id| member(id, url, options.clone()));
        Self {
            members: members.collect(),
            started: Instant::now(),
            random: Rng::with_seed(7),
            seen: Seen::default(),
        }
    }

    pub fn engine(&self) -> &dyn Engine {
        &**self.members[0].engine
    }

    /// A node stands still, or goes on.
    pub fn set_away(&mut self, node: usize, is_away: bool) {
        self.members[node].is_away = is_away;
    }

    fn now(&self) -> Micros {
        self.started.elapsed().as_micros() as u64 + 1
    }

    /// Runs for a time, with so many requests a second in all.
    pub async fn run(&mut self, time: Duration, rate: u32) {
        self.run_until(time, rate, |_| false).await;
    }

    /// Runs until it is so, at most for a time. How long it took, or `None`.
    pub async fn run_until(
        &mut self,
        time: Duration,
        rate: u32,
        is_so: impl Fn(&Self) -> bool,
    ) -> Option<Duration> {
        let began = Instant::now();
        let mut asked = 0;
        while began.elapsed() < time {
            if is_so(self) {
                return Some(began.elapsed());
            }
            let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as u32;
            for _ in asked..due {
                self.request();
            }
            asked = due;
            self.turn();
            self.check();
            sleep(Duration::from_millis(1)).await;
        }
        None
    }

    fn request(&mut self) {
        let now = self.now();
        let which = self.random.usize(0..self.members.len());
        let (counter, amount) = LIMITS[self.random.usize(0..LIMITS.len())];
        let member = &mut self.members[which];
        if member.is_away {
            return;
        }
        let Some(handle) = member.node.lease(now, counter, rule(counter, amount)) else { return };
        let take = member.node.take(now, handle, 1);
        self.settle(which, now, take);
    }

    fn settle(&mut self, which: usize, now: Micros, take: Take) {
        let member = &mut self.members[which];
        match take {
            Take::Granted(receipt) => {
                self.seen.granted += 1;
                member.reserved.push((now + self.random.u64(500..8_000), receipt));
            }
            Take::Wait(waiting) => member.waiting.push(waiting),
            Take::Denied(Denial::Exhausted) => self.seen.exhausted += 1,
            Take::Denied(Denial::Unavailable) => self.seen.unavailable += 1,
            Take::Over => {}
        }
    }

    fn turn(&mut self) {
        let now = self.now();
        for which in 0..self.members.len() {
            let member = &mut self.members[which];
            if member.is_away {
                continue;
            }
            member.node.tick(now);
            while let Ok(reply) = member.replies.try_recv() {
                match reply {
                    Ok(reply) => {
                        self.seen.exchanged += 1;
                        member.node.hear(now, &reply);
                    }
                    Err(error) => *self.seen.errors.entry(kind(&error)).or_default() += 1,
                }
            }
            while let Ok(recall) = member.recalls.try_recv() {
                member.node.recall(now, &recall);
            }
            if let Some(message) = member.node.message(now) {
                let (engine, sender) = (Arc::clone(&member.engine), member.sender.clone());
                tokio::spawn(async move {
                    let _ = sender.send(engine.exchange(&message).await);
                });
            }
            let (due, later) =
                std::mem::take(&mut member.reserved).into_iter().partition(|(at, _)| *at <= now);
            member.reserved = later;
            let due: Vec<(Micros, Receipt)> = due;
            for (_, receipt) in due {
                // One in ten is an error, which is free.
                if self.random.u8(0..10) == 0 {
                    member.node.release(now, receipt);
                } else {
                    member.node.charge(now, receipt, receipt.units);
                }
            }
            for waiting in std::mem::take(&mut member.waiting) {
                let take = self.members[which].node.retry(now, waiting);
                self.settle(which, now, take);
            }
        }
    }

    /// What all nodes have used and reserved of each limit.
    fn held(&self) -> Vec<u32> {
        let held = |counter: CounterId| {
            let accounts = self.members.iter().flat_map(|member| {
                member.node.handles().filter_map(|handle| member.node.account(handle)).collect::<Vec<_>>()
            });
            accounts
                .filter(|account| account.counter == counter)
                .map(|account| account.used + account.reserved)
                .sum::<u32>()
        };
        LIMITS.iter().map(|(counter, _)| held(*counter)).collect()
    }

    fn check(&self) {
        for (held, (counter, limit)) in self.held().iter().zip(LIMITS) {
            assert!(*held <= limit, "{held} of {limit} units of {counter:?} are used: {:#?}", self.seen);
        }
    }

    /// Everything is used, to the unit.
    pub fn is_exhausted(&self) -> bool {
        let is_idle = self.members.iter().all(|member| member.reserved.is_empty());
        is_idle && self.held().iter().zip(LIMITS).all(|(held, (_, limit))| *held == limit)
    }

    /// Has all that is left used, which has to succeed to the unit.
    pub async fn exhaust(&mut self) {
        let took = self.run_until(Duration::from_secs(20), 1_500, Self::is_exhausted).await;
        let limits = LIMITS.map(|(_, limit)| limit);
        assert!(took.is_some(), "{:?} of {limits:?} are used: {:#?}", self.held(), self.seen);
        self.run(Duration::from_millis(300), 1_000).await;
        assert!(self.is_exhausted());
    }

    /// How long it takes until every node has exchanged a message again.
    pub async fn heals(&mut self) -> Duration {
        let words = |fleet: &Self| {
            let there = fleet.members.iter().filter(|member| !member.is_away);
            there.map(|member| word(&member.node)).collect::<Vec<_>>()
        };
        let before = words(self);
        let is_healed = move |fleet: &Self| words(fleet).iter().zip(&before).all(|(now, then)| now > then);
        let took = self.run_until(Duration::from_secs(15), 300, is_healed).await;
        took.unwrap_or_else(|| panic!("it does not heal: {:#?}", self.seen))
    }

    pub fn errors(&self) -> Vec<&str> {
        self.seen.errors.keys().map(String::as_str).collect()
    }
}

/// The last message whose answer was taken.
fn word(node: &Node) -> u64 {
    node.handles().filter_map(|handle| node.account(handle)).map(|account| account.word).max().unwrap_or(0)
}

fn kind(error: &LedgerError) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

fn member(id: NodeId, url: &str, options: Options) -> Member {
    let engine = connect(url, options).unwrap();
    let (sender, replies) = unbounded_channel();
    Member {
        node: Node::new(id, 1, Unreachable::Deny, []),
        recalls: engine.recalls(id),
        engine: Arc::new(engine),
        replies,
        sender,
        waiting: Vec::new(),
        reserved: Vec::new(),
        is_away: false,
    }
}
