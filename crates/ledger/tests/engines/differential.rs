//! Random messages go to `lease::Ledger` and to a real server. What they reply has to be equal, to the unit.

use crate::servers::{Program, Server};
use fastrand::Rng;
use lease::{CounterId, Kind, Ledger, Message, NodeId, Question, Recall, Reply, Rule, sequence};
use ledger::{Engine, Members, Options, connect};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc::Receiver, time::sleep};

const NODES: u32 = 4;

/// What was sent and how far each node is.
struct Script {
    random: Rng,
    now: u64,
    epoch: u64,
    sequences: Vec<u64>,
    /// Rules that a counter has at one time or another.
    counters: Vec<(CounterId, Vec<Template>)>,
}

/// A rule, but for where its window is.
#[derive(Clone, Copy)]
enum Template {
    Window { amount: u32, length: u64 },
    Fixed(Rule),
}

impl Template {
    fn random(random: &mut Rng) -> Self {
        let amount = random.u32(1..60);
        let kind = match random.u8(0..6) {
            0 | 1 => {
                return Self::Window { amount, length: [40, 2_000, 60_000, 3_600_000][random.usize(0..4)] };
            }
            2 => Kind::InAll,
            3 => Kind::Rolling { part: [5, 300, 4_000][random.usize(0..3)] },
            4 => {
                let period = [1_000, 60_000, 3_600_000][random.usize(0..3)];
                Kind::Rate { period, burst: random.u32(1..100) }
            }
            _ => Kind::AtOnce,
        };
        Self::Fixed(Rule { amount, kind })
    }

    const fn rule(self, now: u64) -> Rule {
        match self {
            Self::Fixed(rule) => rule,
            Self::Window { amount, length } => {
                let index = now / length;
                Rule {
                    amount,
                    kind: Kind::Window { index, begins: index * length, ends: (index + 1) * length },
                }
            }
        }
    }
}

impl Script {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let counters = (0..12)
            .map(|number: u8| {
                let counter = CounterId { who: [number; 16], limit: random.u64(..) >> (32 * (number % 2)) };
                // Some limits are changed while they run.
                let rules =
                    (0..if number.is_multiple_of(4) { 2 } else { 1 }).map(|_| Template::random(&mut random));
                (counter, rules.collect())
            })
            .collect();
        let sequences = (0..=NODES).map(|_| sequence(1)).collect();
        Self { random, now: 0, epoch: 0, sequences, counters }
    }

    fn message(&mut self) -> Message {
        let from = self.random.u32(0..NODES + 2);
        let last = self.sequences.get_mut(from as usize);
        let sequence = match (last, self.random.u8(0..40)) {
            (None, _) => 1,
            (Some(last), 0) => *last, // doubled
            (Some(last), 1) => last.saturating_sub(self.random.u64(1..9)),
            (Some(last), 2) => last.saturating_sub(1 << 32), // of its life before
            (Some(last), 3) if *last < sequence(1_000) => {
                *last += 1 << 32;
                *last
            }
            (Some(last), _) => {
                *last += self.random.u64(1..4);
                *last
            }
        };
        let epoch = if self.random.u8(0..40) == 0 { 5 } else { self.epoch };
        let said_since = (self.random.u8(0..8) == 0).then(|| sequence.saturating_sub(self.random.u64(0..30)));
        let mut named = BTreeSet::new();
        let questions = (0..self.random.usize(0..9)).map(|_| self.question()).collect::<Vec<_>>();
        let questions = questions.into_iter().filter(|one| named.insert((one.counter, one.slice))).collect();
        Message { from, sequence, epoch, said_since, questions }
    }

    fn question(&mut self) -> Question {
        let random = &mut self.random;
        let (counter, rules) = &self.counters[random.usize(0..self.counters.len())];
        // Slices that are over, and those that have not begun.
        let now = match random.u8(0..12) {
            0 => self.now.saturating_sub(random.u64(0..200_000)),
            1 => self.now + random.u64(0..5_000),
            _ => self.now,
        };
        let rule = rules[random.usize(0..rules.len())].rule(now);
        let total = if random.u8(0..3) == 0 { 0 } else { random.u32(0..40) };
        Question {
            counter: *counter,
            rule,
            slice: rule.slice(now),
            total,
            least: random.u32(0..=total + 2),
            used: random.u32(0..=total),
            refunded: random.u32(0..9),
            is_restated: random.u8(0..6) == 0,
        }
    }
}

fn members() -> Members {
    Members { present: (0..NODES - 1).collect(), removed: vec![NODES - 1], is_first: false }
}

/// The ledger that is right, as the engine's was begun.
fn model(engine_epoch: u64, lost_at: u64) -> Ledger {
    let mut ledger = Ledger::new(engine_epoch);
    let Members { present, removed, .. } = members();
    ledger.begin_epoch(engine_epoch, lost_at, &present, &removed);
    ledger
}

fn set(recalls: &[Recall]) -> BTreeSet<(NodeId, CounterId, u64)> {
    recalls.iter().map(|one| (one.to, one.counter, one.slice)).collect()
}

/// Recalls that were published until a reply that came later.
fn drain(receivers: &mut [Receiver<Recall>]) -> Vec<Recall> {
    receivers.iter_mut().flat_map(|receiver| std::iter::from_fn(|| receiver.try_recv().ok())).collect()
}

pub async fn compare(url: &str, seed: u64, messages: usize, pauses: &[(usize, Duration)]) -> [usize; 2] {
    let mut options = Options::new(Arc::new(members()));
    options.timeout = Duration::from_secs(1);
    options.connect_timeout = Duration::from_secs(10);
    let engine = connect(url, options).unwrap();
    let mut receivers: Vec<_> = (0..=NODES).map(|node| engine.recalls(node)).collect();
    engine.ready().await.unwrap();
    let seen = engine.inspect().await.unwrap();
    let mut ledger = model(seen.epoch, seen.lost_at);
    let mut script = Script::new(seed);
    (script.now, script.epoch) = (seen.now, seen.epoch);
    let mut expected: Vec<Recall> = Vec::new();
    let (mut found, mut outcomes, mut asked) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for number in 0..messages {
        if let Some((_, pause)) = pauses.iter().find(|(at, _)| *at == number) {
            sleep(*pause).await;
        }
        administer(&mut script, &mut ledger, &*engine).await;
        let message = script.message();
        asked.extend(message.questions.iter().map(|question| (question.counter, question.slice)));
        let reply = engine.exchange(&message).await.unwrap();
        script.now = reply.now;
        let right: Reply = ledger.take(reply.now, &message, &mut expected);
        assert_eq!(reply, right, "message {number} of seed {seed}: {message:#?}");
        outcomes.extend(reply.answers.iter().map(|answer| format!("{:?}", answer.state).len()));
        found.extend(drain(&mut receivers));
        if number.is_multiple_of(20) {
            let awaited: Vec<_> = ledger.awaited().collect();
            assert_eq!(engine.awaited().await.unwrap(), awaited, "message {number} of seed {seed}");
        }
    }
    let held: BTreeMap<_, _> = engine
        .holdings()
        .await
        .unwrap()
        .slices
        .iter()
        .map(|holding| ((holding.counter, holding.slice), holding.granted))
        .collect();
    for (counter, slice) in asked {
        let right: u32 = ledger.granted(counter, slice).map(|(_, granted)| granted).sum();
        // What has just come to its end is not told any more.
        let told = held.get(&(counter, slice)).copied();
        assert!(
            told.is_none() || told == Some(right),
            "{counter:?} {slice} of seed {seed}: {told:?}, {right}"
        );
    }
    assert!(!held.is_empty(), "no holdings of seed {seed}");
    // They come by another way than the replies.
    let until = Instant::now() + Duration::from_secs(3);
    while set(&found) != set(&expected) && Instant::now() < until {
        sleep(Duration::from_millis(5)).await;
        found.extend(drain(&mut receivers));
    }
    let differences: Vec<_> = set(&found).symmetric_difference(&set(&expected)).copied().collect();
    assert_eq!(differences, [], "recalls of seed {seed}");
    [found.len(), outcomes.len()]
}

/// Members come, go, and are waited for no longer.
async fn administer(script: &mut Script, ledger: &mut Ledger, engine: &dyn Engine) {
    let node = script.random.u32(0..NODES);
    match script.random.u16(0..400) {
        0 => {
            engine.join(NODES).await.unwrap();
            ledger.join(NODES);
        }
        1 => {
            engine.remove(node).await.unwrap();
            ledger.remove(node);
        }
        2..10 => {
            engine.go_on_without(node).await.unwrap();
            ledger.go_on_without(node);
        }
        _ => {}
    }
}

#[tokio::test]
async fn it_does_so_while_slices_and_places_end_and_are_forgotten() {
    let server = Server::start(Program::Valkey, &[]);
    let pauses = [(200, Duration::from_millis(5_500)), (400, Duration::from_millis(26_000))];
    let [recalls, _] = compare(&server.url(), 100, 600, &pauses).await;
    assert!(recalls > 0);
    assert!(!server.command(&["INFO", "stats"]).contains("expired_keys:0\n"));
}

#[tokio::test]
async fn a_server_replies_what_the_ledger_of_the_protocol_replies() {
    for program in [Program::Valkey, Program::Redis] {
        let server = Server::start(program, &[]);
        for seed in 0..10 {
            server.command(&["FLUSHALL"]);
            let [recalls, states] = compare(&server.url(), seed, 500, &[]).await;
            assert!(recalls > 0 && states > 2, "{recalls} recalls, {states} states");
        }
    }
}
