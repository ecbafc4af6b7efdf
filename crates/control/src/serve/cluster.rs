//! A gateway of a cluster: it follows the changes of all, keeps a copy of the records, and says that it lives.

use super::{
    lock_wait::Patience,
    sharing::{LedgerLost, MembersOfRecords, Sharing},
    tasks::Tasks,
};
use crate::{
    Control, Stores, cluster,
    failure::Failure,
    lifecycle::{Alarm, Lifecycle},
    operations::ClusterStatus,
    system_clock, system_micros,
};
use config::{ClusterSettings, Node};
use gateway::record::{Level, LogSink, Value};
use lease::NodeId;
use records::{Beat, Clustered, Shared, Standing};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use store::{Embedded, Footprint, Secret, StoreError, random};
use tokio::time::sleep;

/// The folder of the copy, in that of the store.
const COPY: &str = "copy";
/// The file that says which member this is, in the store's folder.
const NODE: &str = "node";
/// How often changes of others are asked for. A notification is a hint, no more.
const POLL: Duration = Duration::from_millis(250);
/// How often the copy is brought up to date, and this node reports to the others that it is alive.
const BEAT: Duration = Duration::from_secs(1);
/// For how long members are waited for that have not said their totals, where the ledger goes on without them.
const GO_ON_AFTER: Duration = Duration::from_secs(30);
/// Milliseconds between this machine's clock and the server's from which on an alarm is raised.
const FAR: i64 = 1_000;

/// What a node of a cluster has opened.
pub(super) struct Opened {
    pub(super) stores: Stores,
    pub(super) secret: Secret,
    pub(super) footprint: Footprint,
    pub(super) membership: Rc<Membership>,
}

/// This node among the others.
pub(super) struct Membership {
    clustered: Rc<Clustered>,
    secret: Secret,
    secret_file: PathBuf,
    file: PathBuf,
    kept: RefCell<Kept>,
    /// Of this process alone.
    run: String,
    /// Whether the others know of this process.
    has_joined: Cell<bool>,
    clock_offset_millis: Cell<i64>,
    applied: Cell<Option<u64>>,
    /// Why the records are out of reach.
    away: RefCell<Option<String>>,
}

/// Which member this is, as its file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    name: String,
    /// None: it has not joined yet.
    number: Option<i64>,
    /// How often it has started: what the ledger tells its messages from earlier ones by.
    #[serde(default)]
    starts: u32,
}

/// Opens the records of a cluster. Out of reach, they are no reason not to start if there is a copy.
pub(super) fn open(
    node: &Node,
    settings: &ClusterSettings,
    log: &LogSink,
    patience: &mut Patience<'_>,
) -> Result<Opened, Failure> {
    let secret = cluster::secret(settings)?;
    let is_locked = |error: &StoreError| matches!(error, StoreError::Locked { .. });
    let folder = node.store.path.join(COPY);
    let copy = patience.wait(is_locked, || Embedded::open_copy(&folder, &secret, &settings.secret_file))?;
    let footprint = copy.footprint().clone();
    let shared = Arc::new(Shared::new(settings.records.clone())?);
    let clustered = Rc::new(Clustered::new(shared, copy)?);
    let file = node.store.path.join(NODE);
    let membership = Rc::new(Membership {
        clustered: Rc::clone(&clustered),
        secret: secret.clone(),
        secret_file: settings.secret_file.clone(),
        kept: RefCell::new(kept(&file, settings.node.as_deref())?),
        file,
        run: random::id("run_", 16)?,
        has_joined: Cell::new(false),
        clock_offset_millis: Cell::new(0),
        applied: Cell::new(None),
        away: RefCell::new(None),
    });
    let runs = |error: &StoreError| matches!(error, StoreError::MemberRuns { .. });
    match patience.wait(runs, || store::wait(membership.join())) {
        Ok(()) => {}
        Err(error @ StoreError::Away { .. }) => membership.start_away(error, log)?,
        Err(error) => return Err(error.into()),
    }
    let own = node.store.path.join(store::DATABASE_FILE);
    if own.exists() {
        let file = own.display().to_string();
        let effect = "its keys are not known to the cluster: what it holds is not read while there is a table `[cluster]`";
        log.event(
            Level::Warn,
            "the store of a single gateway is not used",
            &[("file", &file), ("effect", effect)],
        );
    }
    let stores = Stores { records: Rc::<Clustered>::clone(&clustered), usage: clustered };
    Ok(Opened { stores, secret, footprint, membership })
}

/// Which member this is: as the file says, else as the configuration or the machine is called.
fn kept(file: &Path, wanted: Option<&str>) -> Result<Kept, Failure> {
    let before: Option<Kept> = match fs::read(file) {
        Ok(text) => Some(serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!(
                "{} cannot be read ({error}): put back a copy of it; without it this node joins as a new one",
                file.display()
            ))
        })?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", file.display()))),
    };
    let name = wanted.map(str::to_owned).or_else(|| before.as_ref().map(|kept| kept.name.clone()));
    let (number, starts) = before.map_or((None, 0), |kept| (kept.number, kept.starts));
    Ok(Kept { name: name.unwrap_or_else(machine), number, starts })
}

fn machine() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|one| one.is_ascii_alphanumeric() || "-_.".contains(*one))
        .take(63)
        .collect();
    if name.is_empty() { "node".to_owned() } else { name }
}

impl Membership {
    /// Looks whether the records are ours to use, and makes this node a member.
    async fn join(&self) -> Result<(), StoreError> {
        let shared = self.clustered.shared();
        shared.prepare(&self.secret, &self.secret_file).await?;
        let Kept { name, number, starts } = self.kept.borrow().clone();
        let (version, run) = (env!("CARGO_PKG_VERSION").to_owned(), self.run.clone());
        let standing = Standing { number, name: name.clone(), version, run };
        let number = Some(shared.join(standing).await?);
        let kept = Kept { name, number, starts };
        store::write_private(&self.file, &serde_json::to_vec(&kept).unwrap_or_default())?;
        *self.kept.borrow_mut() = kept;
        self.has_joined.set(true);
        Ok(())
    }

    fn start_away(&self, error: StoreError, log: &LogSink) -> Result<(), Failure> {
        let Some(age) = self.age() else {
            return Err(Failure::new(format!(
                "{error}. This node has no copy of the records yet, which it makes at its first start: it cannot start without PostgreSQL"
            )));
        };
        let error = error.to_string();
        let members = [
            ("error", Value::Text(&error)),
            ("copy_age_seconds", Value::Number(age)),
            (
                "effect",
                Value::Text("the gateway starts with its copy of the records, and refuses to change any"),
            ),
        ];
        log.event_of(Level::Warn, "the shared records are out of reach", &members);
        *self.away.borrow_mut() = Some(error);
        Ok(())
    }

    /// How this node shares its limits with the others. Counts its starts.
    ///
    /// # Errors
    /// It has no number yet, or the count cannot be written down: the ledger could not tell its messages from earlier ones.
    pub(super) fn sharing(&self, settings: &ClusterSettings) -> Result<Sharing, Failure> {
        let mut kept = self.kept.borrow_mut();
        let node = kept.number.and_then(|number| NodeId::try_from(number).ok()).ok_or_else(|| {
            Failure::new(
                "this node has no number in the cluster yet: it cannot start without PostgreSQL".to_owned(),
            )
        })?;
        kept.starts = kept.starts.saturating_add(1);
        store::write_private(&self.file, &serde_json::to_vec(&*kept).unwrap_or_default())?;
        let records = Arc::clone(self.clustered.shared());
        let members = Arc::new(MembersOfRecords::new(records, node, kept.starts == 1));
        Ok(Sharing {
            node,
            start: kept.starts,
            ledger: settings.ledger.url().to_owned(),
            options: ledger::Options::new(members),
            unreachable: match settings.unreachable {
                config::Unreachable::Deny => lease::Unreachable::Deny,
                config::Unreachable::GoOn => lease::Unreachable::GoOn,
            },
            ledger_lost: match settings.ledger_lost {
                config::LedgerLost::Wait => LedgerLost::Wait,
                config::LedgerLost::GoOn => LedgerLost::GoOn(GO_ON_AFTER),
            },
        })
    }

    /// How old the copy is, in seconds. None: there is none.
    fn age(&self) -> Option<u64> {
        self.clustered.same_at().map(|at| system_clock().saturating_sub(at))
    }

    /// How it stands, for whoever asks.
    pub(super) fn status(&self) -> ClusterStatus {
        let Kept { name, number, .. } = self.kept.borrow().clone();
        let away = self.away.borrow().clone();
        ClusterStatus {
            node: name,
            number,
            records: self.clustered.shared().place().to_owned(),
            is_reached: away.is_none(),
            why: away,
            copied: self.clustered.same_at(),
            applied: self.applied.get(),
            clock_offset_millis: self.clock_offset_millis.get(),
        }
    }

    /// Says that this node ends, so that it may begin again at once.
    pub(super) async fn leave(&self) {
        let number = self.kept.borrow().number;
        if let Some(number) = number.filter(|_| self.has_joined.get()) {
            // Whoever does not hear it waits for some seconds.
            let _ = self.clustered.shared().leave(number, &self.run).await;
        }
    }

    /// Reports that the records are out of reach, once, and that they are in reach again, once.
    fn report(&self, done: &Result<(), StoreError>, lifecycle: &Lifecycle, log: &LogSink) {
        let why = done.as_ref().err().map(ToString::to_string);
        let what = why.as_ref().map(|why| {
            let age = self.age().map_or_else(|| "there is none".to_owned(), |age| format!("{age} s old"));
            format!("changes of other nodes do not arrive: {why}; copy of the records: {age}")
        });
        // Started without the server, the log says so already.
        let was_away = std::mem::replace(&mut *self.away.borrow_mut(), why.clone()).is_some();
        lifecycle.raise(Alarm::Records, what);
        match why {
            Some(why) if !was_away => {
                let effect = "requests go on with the keys that this node knows; no key can be made, changed or revoked";
                log.event(
                    Level::Error,
                    "the shared records are out of reach",
                    &[("error", &why), ("effect", effect)],
                );
            }
            None if was_away => log.event(Level::Info, "the shared records are in reach again", &[]),
            Some(_) | None => {}
        }
    }
}

/// Begins all that a member of a cluster does beside serving.
pub(super) fn spawn(
    tasks: &mut Tasks,
    control: &Rc<Control>,
    membership: &Rc<Membership>,
    (lifecycle, log): (&Arc<Lifecycle>, &LogSink),
) {
    let (member, lifecycle, log) = (|| Rc::clone(membership), || Arc::clone(lifecycle), || log.clone());
    tasks.spawn("changes", follow_changes(Rc::clone(control), member(), lifecycle(), log()));
    tasks.spawn("copy", keep_copy(member(), lifecycle(), log()));
    tasks.spawn("membership", beat(member(), lifecycle(), log()));
}

/// Brings what other nodes change to the gateway, for ever.
async fn follow_changes(
    control: Rc<Control>,
    membership: Rc<Membership>,
    lifecycle: Arc<Lifecycle>,
    log: LogSink,
) {
    let told = membership.clustered.shared().told();
    loop {
        tokio::select! {
            () = sleep(POLL) => {}
            () = told.notified() => {}
        }
        let done = control.catch_up().await;
        membership.applied.set(control.applied());
        membership.report(&done, &lifecycle, &log);
    }
}

/// Keeps the copy, for ever.
async fn keep_copy(membership: Rc<Membership>, lifecycle: Arc<Lifecycle>, log: LogSink) {
    loop {
        let what = match membership.clustered.follow(system_clock()).await {
            // Told by whoever follows the changes.
            Ok(()) | Err(StoreError::Away { .. }) => None,
            Err(error) => Some(format!("the copy of the records cannot be kept: {error}")),
        };
        if lifecycle.raise(Alarm::Copy, what.clone()) {
            match what {
                Some(what) => {
                    log.event(Level::Error, "the copy of the records cannot be kept", &[("error", &what)])
                }
                None => log.event(Level::Info, "the copy of the records is kept again", &[]),
            }
        }
        sleep(BEAT).await;
    }
}

/// Tells the others that this node lives, for ever. A node that started without the server joins here.
async fn beat(membership: Rc<Membership>, lifecycle: Arc<Lifecycle>, log: LogSink) {
    loop {
        let done = if membership.has_joined.get() {
            membership.beat().await
        } else {
            membership.join().await.map(|()| 0)
        };
        let what = match done {
            Ok(offset) if offset.abs() > FAR => Some(format!(
                "the clock of this node is {offset} ms ahead of PostgreSQL's: keys expire and maintenance begins at other times here; set both clocks by NTP"
            )),
            Ok(_) | Err(StoreError::Away { .. }) => None,
            Err(error) => Some(error.to_string()),
        };
        if lifecycle.raise(Alarm::Member, what.clone())
            && let Some(what) = what
        {
            log.event(Level::Error, "this node does not fit into the cluster", &[("error", &what)]);
        }
        sleep(BEAT).await;
    }
}

impl Membership {
    /// Gives how far the clock is ahead of the server's, in milliseconds.
    async fn beat(&self) -> Result<i64, StoreError> {
        let number = self.kept.borrow().number.unwrap_or_default();
        let (run, applied) = (self.run.clone(), self.applied.get().unwrap_or_default());
        let clock_offset_millis = self.clock_offset_millis.get();
        let asked = now_millis();
        let theirs = self.clustered.shared().beat(Beat { number, run, clock_offset_millis, applied }).await?;
        let answered = now_millis();
        // The server looked somewhere between: what lies within that is no difference.
        let offset = if theirs < asked {
            asked - theirs
        } else if theirs > answered {
            answered - theirs
        } else {
            0
        };
        self.clock_offset_millis.set(offset);
        Ok(offset)
    }
}

fn now_millis() -> i64 {
    i64::try_from(system_micros() / 1_000).unwrap_or(i64::MAX)
}
