//! Counters at the ledger: what all nodes used, and this node's part of it raised.
//!
//! A limit need not be known for that. What the ledger keeps of a window is its number and when it is over, and a question about
//! a limit of the largest amount is answered with what is left of that, which says what all nodes hold.

use super::{
    super::sharing::MembersOfRecords,
    now_millis,
    rates::{Buckets, LimitsOf, Taken},
};
use crate::{
    export::{Counter, Hex, Key},
    failure::Failure,
    serve::cluster::Visit,
};
use config::ClusterSettings;
use contract::{Limit, limit::Class};
use lease::{
    Answer, CounterId, GRACE, Kind, MAX_QUESTIONS, Message, Outcome, Question, Rule, Sequence, State,
};
use ledger::{Engine, Holding};
use records::Shared;
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

/// For how long an answer of the ledger is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);
/// Milliseconds after its last charge at which a window of an unknown kind is over: the longest is one of 31 days.
const LONGEST_WINDOW: u64 = 32 * 86_400_000;
/// Parts of a rolling span that count, the present one included.
const ROLLING_PARTS: u64 = 17;

/// A counter that is to be raised.
pub(super) struct Wanted {
    pub(super) counter: Counter,
    /// What this node used, as its journal says.
    pub(super) own: u32,
    /// What it is to have used: at first what all used, then this node's part.
    pub(super) total: u32,
}

/// This node at the ledger.
pub(super) struct Totals {
    runtime: Runtime,
    engine: Box<dyn Engine>,
    from: u32,
    sequence: Sequence,
    epoch: u64,
}

/// What all nodes used of each limit, as the ledger knows: what they hold and did not spend counts as used.
pub struct Used {
    counters: Vec<Counter>,
    buckets: Buckets,
}

/// Asks the ledger.
///
/// # Errors
/// The ledger cannot be reached or read.
pub fn of_ledger(settings: &ClusterSettings) -> Result<Used, Failure> {
    let records = Arc::new(Shared::new(settings.records.clone())?);
    let (runtime, engine) = connect(settings, MembersOfRecords::new(records, 0, false))?;
    let held = runtime.block_on(async {
        engine.ready().await?;
        engine.holdings().await
    });
    let held = held.map_err(|error| Failure::new(format!("the counters cannot be exported: {error}")))?;
    let now = now_millis();
    let counters = held.slices.iter().filter_map(|holding| counter_of(holding, now)).collect();
    Ok(Used { counters, buckets: Buckets::new(held.buckets, now) })
}

impl Used {
    /// Whether there are rates, which are found by their keys.
    pub fn needs_keys(&self) -> bool {
        !self.buckets.is_empty()
    }

    /// Adds what is taken of the rates of a key.
    pub fn key(&mut self, key: &Key, limits: &mut LimitsOf) {
        self.buckets.of_key(key, limits, &mut self.counters);
    }

    /// All counters, in the order of a file.
    pub fn finish(self, limits: &LimitsOf) -> Vec<Counter> {
        let Self { mut counters, buckets } = self;
        buckets.of_addresses(limits, &mut counters);
        counters.sort_unstable_by_key(|one| (one.who, one.tag, one.window));
        counters
    }
}

fn connect(
    settings: &ClusterSettings,
    members: MembersOfRecords,
) -> Result<(Runtime, Box<dyn Engine>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(format!("cannot start a connection to the ledger: {error}")))?;
    let mut options = ledger::Options::new(Arc::new(members));
    options.timeout = Duration::from_secs(1);
    options.namespace.clone_from(&settings.ledger_prefix);
    let engine = {
        let _entered = runtime.enter();
        ledger::connect(settings.ledger.url(), options)
    };
    Ok((runtime, engine.map_err(|error| Failure::new(format!("[cluster] ledger: {error}")))?))
}

/// The counter of a holding. None: it is of requests in flight.
fn counter_of(holding: &Holding, now: u64) -> Option<Counter> {
    let (tag, window) = (u32::try_from(holding.counter.limit).ok()?, u32::try_from(holding.slice).ok()?);
    let mut counter =
        Counter { who: Hex(holding.counter.who), tag, window, units: holding.granted, at: now / 1000 };
    match counter.class() {
        Class::Lifetime => {}
        // Places among the requests in flight are of this class, too; no calendar window has the number 0.
        Class::Calendar if window == 0 => return None,
        Class::Calendar => {}
        Class::Rolling => {
            let slice = u64::from(window);
            let part = holding.expires?.saturating_sub(GRACE) / slice.saturating_add(ROLLING_PARTS);
            counter.at = slice.saturating_mul(part).div_ceil(1000);
        }
        Class::Rate => return None,
    }
    Some(counter)
}

/// How the ledger keeps a counter, as far as tag and row tell. None: nothing of it counts any more, or it flows in again.
fn rule_of(counter: &Counter, now: u64) -> Option<Rule> {
    let charged = counter.at.saturating_mul(1000);
    let (index, begins) = (u64::from(counter.window), 0);
    let ends = match counter.class() {
        Class::Lifetime => return Some(Rule { amount: Limit::LARGEST, kind: Kind::InAll }),
        Class::Calendar => charged.saturating_add(LONGEST_WINDOW),
        // The number of a part is the time divided by its length. As a window of its own it can still be said when it is past.
        Class::Rolling => {
            let part = charged.checked_div(index)?.max(1);
            index.saturating_add(ROLLING_PARTS).saturating_mul(part)
        }
        Class::Rate => return None,
    };
    (ends > now).then_some(Rule { amount: Limit::LARGEST, kind: Kind::Window { index, begins, ends } })
}

impl Totals {
    /// Makes the node known to the ledger.
    pub(super) fn new(
        settings: &ClusterSettings,
        shared: Arc<Shared>,
        visit: &Visit,
    ) -> Result<Self, Failure> {
        let members = MembersOfRecords::new(shared, visit.number, visit.start == 1);
        let (runtime, engine) = connect(settings, members)?;
        let (from, sequence) = (visit.number, lease::sequence(visit.start));
        let mut totals = Self { runtime, engine, from, sequence, epoch: 0 };
        totals.join()?;
        Ok(totals)
    }

    fn join(&mut self) -> Result<(), Failure> {
        let Self { runtime, engine, from, .. } = self;
        let joined = runtime.block_on(async {
            engine.ready().await?;
            engine.join(*from).await
        });
        joined.map_err(|error| {
            Failure::new(format!(
                "the ledger has to learn what was used, and cannot: {error}. Run the same command once more"
            ))
        })
    }

    /// Raises what this node used so far that all nodes together used as much as is wanted. Each total is then this node's part.
    pub(super) fn raise(&mut self, wanted: &mut [Wanted]) -> Result<(), Failure> {
        for some in wanted.chunks_mut(MAX_QUESTIONS) {
            let now = now_millis();
            let mut asked: Vec<(&mut Wanted, Question)> = some
                .iter_mut()
                .filter_map(|one| {
                    let question = question(&one.counter, one.own, now)?;
                    Some((one, question))
                })
                .collect();
            let answers = self.ask(asked.iter().map(|(_, question)| *question).collect())?;
            for ((one, question), answer) in asked.iter_mut().zip(&answers) {
                let held = Limit::LARGEST.saturating_sub(answer.left);
                let others = held.saturating_sub(answer.granted);
                one.total = one.total.saturating_sub(others).max(one.own);
                (question.total, question.least, question.used) = (one.total, one.total, one.total);
            }
            asked.retain(|(one, _)| one.total > one.own);
            self.ask(asked.iter().map(|(_, question)| *question).collect())?;
        }
        Ok(())
    }

    /// Takes out of the buckets of rates what is missing there of what was taken.
    pub(super) fn take(&mut self, taken: &[Taken]) -> Result<(), Failure> {
        for some in taken.chunks(MAX_QUESTIONS) {
            // What an import that was broken off has taken is given back by the first question, and what is left then is told.
            let mut asked: Vec<Question> = some.iter().map(|one| of_bucket(one, now_millis())).collect();
            let answers = self.ask(asked.clone())?;
            for ((one, question), answer) in some.iter().zip(&mut asked).zip(&answers) {
                let is_missing = question.rule.quota().saturating_sub(answer.left);
                question.total = one.units.saturating_sub(is_missing);
                question.used = question.total;
            }
            asked.retain(|question| question.total > 0);
            self.ask(asked)?;
        }
        Ok(())
    }

    fn ask(&mut self, questions: Vec<Question>) -> Result<Vec<Answer>, Failure> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let until = Instant::now() + PATIENCE;
        loop {
            self.sequence += 1;
            let (from, sequence, epoch) = (self.from, self.sequence, self.epoch);
            let message = Message { from, sequence, epoch, said_since: None, questions: questions.clone() };
            let why = match self.runtime.block_on(self.engine.exchange(&message)) {
                Ok(reply) => {
                    self.epoch = reply.epoch;
                    match reply.outcome {
                        Outcome::Taken if !reply.answers.iter().any(is_withheld) => return Ok(reply.answers),
                        Outcome::Taken => {
                            "the ledger has lost what it knew and waits for other gateways: start them first"
                                .to_owned()
                        }
                        Outcome::Late | Outcome::OtherEpoch => "it has begun anew".to_owned(),
                        Outcome::NotMember | Outcome::Superseded => {
                            "this node is no member of the cluster any more".to_owned()
                        }
                    }
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= until {
                return Err(Failure::new(format!(
                    "the ledger has to learn what was used, and does not: {why}. Run the same command once more, which goes on"
                )));
            }
            self.runtime.block_on(async { sleep(PAUSE).await });
        }
    }
}

fn is_withheld(answer: &Answer) -> bool {
    answer.state == State::Withheld
}

/// "Let my total be what I used, and say what all have."
fn question(counter: &Counter, own: u32, now: u64) -> Option<Question> {
    let rule = rule_of(counter, now)?;
    Some(Question {
        counter: CounterId { who: counter.who.0, limit: counter.tag.into() },
        rule,
        slice: counter.window.into(),
        total: own,
        least: own,
        used: own,
        refunded: 0,
        is_restated: true,
    })
}

/// "Let me have nothing, and say what is left."
fn of_bucket(taken: &Taken, now: u64) -> Question {
    let rule = gateway::ledger_rule(&taken.limit, now);
    Question {
        counter: CounterId { who: taken.who, limit: taken.limit.shared_id() },
        rule,
        slice: rule.slice(now),
        total: 0,
        least: 0,
        used: 0,
        refunded: 0,
        is_restated: false,
    }
}
