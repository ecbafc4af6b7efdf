//! How fast a ledger answers: `cargo run --release -p fairgate-ledger --example exchange -- redis://127.0.0.1:6379`.
//!
//! Each node sends one message after the other, each about counters of its own, with 1, 16 or 256 questions. The ledger should be
//! an empty one: its counters stay for an hour.

use lease::{CounterId, Kind, Message, Question, Rule, sequence};
use ledger::{Engine, LedgerError, Members, Options, connect};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const TIME: Duration = Duration::from_secs(3);
const NODES: u32 = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), LedgerError> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned());
    let mut options = Options::new(Arc::new(Members { present: (0..NODES).collect(), ..Members::default() }));
    options.timeout = Duration::from_secs(1);
    let mut engines: Vec<Arc<dyn Engine>> = Vec::new();
    for _ in 0..NODES {
        engines.push(connect(&url, options.clone())?.into());
    }
    let Some(first) = engines.first() else { return Ok(()) };
    first.ready().await?;
    let epoch = first.inspect().await?.epoch;
    let mut start = 1;
    for rule in [window(), rolling()] {
        for nodes in [1, NODES] {
            for questions in [1_u64, 16, 256] {
                start += 1;
                let mut tasks = tokio::task::JoinSet::new();
                for (node, engine) in (0..nodes).zip(&engines) {
                    let message = Message {
                        from: node,
                        sequence: sequence(start),
                        epoch,
                        said_since: Some(sequence(start)),
                        questions: (0..questions).map(|number| question(node, number, rule)).collect(),
                    };
                    tasks.spawn(exchange(Arc::clone(engine), message));
                }
                let mut times = Vec::new();
                for one in tasks.join_all().await {
                    times.extend(one?);
                }
                print(rule, nodes, questions, times);
            }
        }
    }
    Ok(())
}

fn print(rule: Rule, nodes: u32, questions: u64, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_micros);
    let kind = if matches!(rule.kind, Kind::Rolling { .. }) { "rolling" } else { "window" };
    println!(
        "{kind:8} {nodes} nodes, {questions:3} questions: {:6} messages/s, p50 {:6} us, p99 {:6} us",
        times.len() as u64 / TIME.as_secs(),
        at(50),
        at(99)
    );
}

async fn exchange(engine: Arc<dyn Engine>, mut message: Message) -> Result<Vec<Duration>, LedgerError> {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < TIME {
        message.sequence += 1;
        for question in &mut message.questions {
            question.total += 1;
            question.slice = question.rule.slice(now());
        }
        let asked = Instant::now();
        engine.exchange(&message).await?;
        times.push(asked.elapsed());
    }
    Ok(times)
}

fn question(node: u32, number: u64, rule: Rule) -> Question {
    let counter = CounterId { who: [u8::try_from(node).unwrap_or(0); 16], limit: number };
    Question { counter, rule, slice: 0, total: 0, least: 0, used: 0, refunded: 0, is_restated: false }
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

fn window() -> Rule {
    let hour = now() / 3_600_000;
    let (begins, ends) = (hour * 3_600_000, (hour + 1) * 3_600_000);
    Rule { amount: 1_000_000_000, kind: Kind::Window { index: hour, begins, ends } }
}

/// All its slices fill while it runs.
fn rolling() -> Rule {
    Rule { amount: 1_000_000_000, kind: Kind::Rolling { part: 150 } }
}
