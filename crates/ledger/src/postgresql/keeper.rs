//! The two tasks that have a connection each: one asks, one listens.

use super::{
    Recalls, fault,
    texts::{self, TEXTS},
    wire::{self, Parameters},
};
use crate::{
    Bucket, Holding, Holdings, Inspection, LedgerError, Options, Product,
    encoding::{FOREVER, new_epoch, read_counter},
    is_rate,
};
use lease::NodeId;
use postgres::{Fault, Link, Session, Target, Timing};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// The oldest version that the tests run.
const NEEDED: i64 = 150_000;

/// How long an answer may take before the connection is given up. Whoever waits for it gives up much earlier.
const ANSWER: Duration = Duration::from_secs(1);

/// How often what counts no more is deleted.
const SWEEP: Duration = Duration::from_secs(5);

/// Counters of one page of holdings.
const PAGE: i64 = 2_000;

/// Notifications tell of recalls; what they did not tell is looked for this often.
const LOOK: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Debug)]
pub(crate) enum What {
    Exchange(Parameters),
    Join(NodeId),
    Remove(NodeId),
    GoOnWithout(NodeId),
    Awaited,
    Inspect,
    /// Of the counters behind the one of these bytes.
    Holdings(Vec<u8>),
}

/// What the answer is.
#[derive(Debug)]
pub(crate) enum Said {
    Done,
    Numbers(Vec<i64>),
    Nodes(Vec<NodeId>),
    Inspection(Box<Inspection>),
    /// And the counter that the next page begins behind, if there is one.
    Holdings(Holdings, Option<Vec<u8>>),
}

/// A question, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) what: What,
    pub(crate) answer: oneshot::Sender<Result<Said, LedgerError>>,
}

/// Why there is no answer.
enum Failure {
    Fault(Fault),
    Error(LedgerError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Error(error)
    }
}

fn link(target: Target, options: &Options) -> Link {
    let timing = Timing {
        connecting: options.connect_timeout,
        answer: ANSWER,
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(500),
    };
    Link::new(target, timing)
}

/// Asks one question after the other.
pub(crate) async fn keep(target: Target, options: Options, mut questions: mpsc::Receiver<Ask>) {
    let mut link = link(target, &options);
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ask = questions.recv() => {
                let Some(Ask { what, answer }) = ask else { return };
                // Its time was over while it waited.
                if answer.is_closed() {
                    continue;
                }
                let _ = answer.send(carry(&mut link, &options, &what).await);
            }
            _ = sweep.tick() => {
                if let Ok(session) = link.session().await {
                    // What fails here is asked for again.
                    let _ = session.execute(texts::SWEEP, &[]).await;
                    let _ = session.execute(texts::SWEEP_RECALLS, &[]).await;
                }
            }
        }
    }
}

/// Asks a question; if the server or the session has to be prepared for it, once more.
async fn carry(link: &mut Link, options: &Options, what: &What) -> Result<Said, LedgerError> {
    let place = link.place().to_owned();
    let tell = |failure| match failure {
        Failure::Fault(fault) => fault::error(&place, &fault),
        Failure::Error(error) => error,
    };
    let session = link.session().await.map_err(|fault| fault::error(&place, &fault))?;
    for _ in 0..2 {
        match ask(session, what).await {
            Ok(Some(said)) => return Ok(said),
            Ok(None) => {}
            Err(Failure::Fault(fault)) if fault::is_bare(&fault) => {}
            Err(failure) => return Err(tell(failure)),
        }
        prepare(session, options).await.map_err(tell)?;
    }
    Err(LedgerError::Busy { server: place, why: "its epoch is being made anew".to_owned() })
}

/// `None`: the session has to be prepared.
async fn ask(session: &Session, what: &What) -> Result<Option<Said>, Failure> {
    if let What::Exchange(message) = what {
        return exchange(session, message).await;
    }
    let Some(ledger) = session.query_opt(texts::LEDGER, &[]).await? else { return Ok(None) };
    let one = |node: &NodeId| i64::from(*node);
    match what {
        What::Exchange(_) => {}
        What::Join(node) => drop(session.execute(texts::JOIN, &[&one(node)]).await?),
        What::Remove(node) => drop(session.execute(texts::REMOVE, &[&one(node)]).await?),
        What::GoOnWithout(node) => drop(session.execute(texts::GO_ON, &[&one(node)]).await?),
        What::Awaited => return Ok(Some(Said::Nodes(awaited(session).await?))),
        What::Holdings(after) => return Ok(Some(holdings(session, after).await?)),
        What::Inspect => {
            let numbers = [number(ledger.get(0)), number(ledger.get(1)), number(ledger.get(2))];
            return Ok(Some(Said::Inspection(Box::new(inspect(session, numbers).await?))));
        }
    }
    Ok(Some(Said::Done))
}

async fn exchange(session: &Session, message: &Parameters) -> Result<Option<Said>, Failure> {
    let Parameters { from, sequence, epoch, said, counters, numbers } = message;
    let row = session.query_one(&TEXTS.exchange, &[from, sequence, epoch, said, counters, numbers]).await?;
    Ok(row.get::<_, Option<Vec<i64>>>(0).map(Said::Numbers))
}

async fn awaited(session: &Session) -> Result<Vec<NodeId>, Fault> {
    let rows = session.query(texts::AWAITED, &[]).await?;
    Ok(rows.iter().filter_map(|row| NodeId::try_from(row.get::<_, i64>(0)).ok()).collect())
}

async fn holdings(session: &Session, after: &[u8]) -> Result<Said, Fault> {
    let rows = session.query(texts::HOLDINGS, &[&after, &PAGE]).await?;
    let last = rows.last().map(|row| row.get::<_, Vec<u8>>(0));
    let mut all = Holdings::default();
    for row in &rows {
        let Some(counter) = read_counter(row.get(0)) else { continue };
        let at = number(row.get(5));
        if is_rate(&counter) {
            let bucket = Bucket { counter, level: number(row.get(4)), at };
            // One row for each slice says the same.
            if all.buckets.last() != Some(&bucket) {
                all.buckets.push(bucket);
            }
        } else if let Some(slice) = row.get::<_, Option<i64>>(1) {
            let (granted, expires) = (u32::try_from(row.get::<_, i64>(2)), number(row.get(3)));
            let granted = granted.unwrap_or(u32::MAX);
            if granted > 0 {
                let expires = (expires < FOREVER).then_some(expires);
                all.slices.push(Holding { counter, slice: number(slice), granted, expires });
            }
        }
    }
    Ok(Said::Holdings(all, last))
}

/// Gives the server tables and functions, begins an epoch, and notes at the session that it was looked at: what of it is missing.
async fn prepare(session: &Session, options: &Options) -> Result<(), Failure> {
    let row = session.query_one(texts::SERVER, &[]).await?;
    let (server, number, version) = (row.get::<_, String>(0), row.get::<_, i64>(1), row.get::<_, String>(2));
    let place = session.place().to_owned();
    if number < NEEDED {
        let (found, needed) = (format!("PostgreSQL {version}"), "PostgreSQL 15".to_owned());
        return Err(LedgerError::TooOld { server: place, found, needed }.into());
    }
    if server.is_empty() {
        return Err(LedgerError::NotPrimary { server: place, why: "it is a standby".to_owned() }.into());
    }
    let is_installed: bool = session.query_one(&TEXTS.is_installed, &[]).await?.get(0);
    if !is_installed || !has_tables(session).await? {
        session.batch(&TEXTS.install).await?;
    }
    let has_begun: bool = session.query_one(texts::HAS_BEGUN, &[&server]).await?.get(0);
    if !has_begun {
        let members = options.members.members().await?;
        let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| i64::from(*node)).collect::<Vec<_>>();
        let (present, removed) = (numbers(&members.present), numbers(&members.removed));
        let epoch = i64::try_from(new_epoch()?).unwrap_or(1);
        session.execute(&TEXTS.begin, &[&epoch, &server, &members.is_first, &present, &removed]).await?;
    }
    session.query_one(texts::NOTE, &[&server]).await?;
    Ok(())
}

/// A restored database may have the functions and not the tables, or the other way about.
async fn has_tables(session: &Session) -> Result<bool, Fault> {
    const TABLES: &str = "SELECT to_regclass('fairgate.ledger') IS NOT NULL \
        AND to_regclass('fairgate.ledger_members') IS NOT NULL AND to_regclass('fairgate.ledger_counters') IS NOT NULL \
        AND to_regclass('fairgate.ledger_recalls') IS NOT NULL";
    Ok(session.query_one(TABLES, &[]).await?.get(0))
}

/// Hands recalls to the nodes that want them.
pub(crate) async fn listen(target: Target, options: Options, recalls: Arc<Recalls>) {
    recalls.wanted.notified().await;
    let mut link = link(target, &options).listening(texts::CHANNEL);
    let told = link.told();
    loop {
        let began = Instant::now();
        let failed = match link.session().await {
            Ok(session) => take_recalls(session, &recalls).await.is_err(),
            Err(_) => true,
        };
        if failed {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let _ = timeout(LOOK.saturating_sub(began.elapsed()), told.notified()).await;
    }
}

async fn take_recalls(session: &Session, recalls: &Recalls) -> Result<(), Fault> {
    let nodes: Vec<i64> = recalls.receivers().keys().map(|node| i64::from(*node)).collect();
    let rows = match session.query(texts::RECALLS, &[&nodes]).await {
        Err(fault) if fault::is_bare(&fault) => return Ok(()),
        rows => rows?,
    };
    let receivers = recalls.receivers();
    for row in rows {
        let recall = wire::read_recall(row.get(0), row.get::<_, &[u8]>(1), row.get(2));
        if let Some(recall) = recall
            && let Some(receiver) = receivers.get(&recall.to)
        {
            let _ = receiver.try_send(recall);
        }
    }
    Ok(())
}

async fn inspect(session: &Session, [epoch, lost_at, now]: [u64; 3]) -> Result<Inspection, Fault> {
    let awaited = awaited(session).await?;
    let version: String = session.query_one(texts::SERVER, &[]).await?.get(2);
    let row = session.query_one(texts::SETTINGS, &[]).await?;
    let text = |at: usize| row.get::<_, String>(at);
    let (durability, warnings) = durability(&text(0), &text(1), &text(2), &text(3));
    Ok(Inspection {
        product: Product::Postgresql,
        version,
        server: session.place().to_owned(),
        role: format!("primary, {} standbys", row.get::<_, i64>(4)),
        epoch,
        lost_at,
        now,
        awaited,
        durability,
        warnings,
    })
}

fn durability(fsync: &str, commit: &str, pages: &str, standbys: &str) -> (String, Vec<String>) {
    let mut warnings = Vec::new();
    if fsync == "off" || pages == "off" {
        warnings.push(
            "`fsync` or `full_page_writes` is off: a power cut may destroy the database. Set both to `on`."
                .to_owned(),
        );
    }
    if commit == "off" {
        warnings.push(
            "`synchronous_commit` is off: a crash forgets the last grants. Members that come back say them again; what \
             removed members used is granted again. Set it to `on`."
                .to_owned(),
        );
    }
    if standbys.is_empty() || commit == "local" {
        warnings.push(
            "No standby is synchronous: a failover forgets the last grants, and a primary that is cut off goes on granting \
             until it is stopped. Set `synchronous_standby_names`."
                .to_owned(),
        );
    }
    let durability = match (fsync, commit) {
        ("off", _) => "not synced".to_owned(),
        (_, "off") => "synced within a second".to_owned(),
        (_, "local") => "synced before each reply".to_owned(),
        (_, commit) if standbys.is_empty() => {
            format!("synced before each reply (`synchronous_commit = {commit}`)")
        }
        (_, commit) => format!("synced here and at a standby (`synchronous_commit = {commit}`)"),
    };
    (durability, warnings)
}

fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
