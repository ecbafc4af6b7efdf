//! Keeps charges: gives accounts back what they had used, and commits what is charged, on a thread of its
//! own, so that neither data threads nor the control plane ever wait for this disk.

use super::{accounts::Accounts, clock_override, lock_wait::Patience};
use crate::{
    failure::Failure,
    lifecycle::{Alarm, Lifecycle},
    system_clock,
};
use config::{OnDiskFull, StoreSettings};
use gateway::{
    Handle,
    record::{Level, LogSink, Value},
};
use journal::{Committed, Compacting, Counters, Journal, JournalError, Options, Weight, Writer};
use limits::{Used, Who};
use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use store::Footprint;
use tokio::sync::oneshot;

/// What the journal's thread looks at and reports to.
pub(super) struct Watch {
    pub(super) handle: Handle,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) footprint: Footprint,
}

/// The journal's thread.
pub(super) struct Keeping {
    orders: Sender<Order>,
    thread: JoinHandle<Result<(), String>>,
}

/// What the journal's thread is told.
pub(super) enum Order {
    /// Commit in this interval from now on, and do this while the disk takes nothing.
    Go(Duration, OnDiskFull),
    /// Write all counters down, and give them to who asked.
    Counters(Asked),
    /// Commit once more, and end.
    End,
}

/// Who wants all counters.
type Asked = oneshot::Sender<Result<Counters, JournalError>>;

/// How often it is looked whether counters that somebody waits for are written.
const SOON: Duration = Duration::from_millis(20);

/// Waits for the end of a gateway that was killed while it counted here. It let go of the store already.
fn wait_for_its_end(settings: &StoreSettings, patience: &mut Patience<'_>) -> Result<(), Failure> {
    let options = options(settings, 1);
    let is_in_use = |error: &JournalError| matches!(error, JournalError::InUse { .. });
    patience.wait(is_in_use, || journal::is_free(&options)).map_err(|error| Failure::new(error.to_string()))
}

pub(super) fn options(settings: &StoreSettings, threads: usize) -> Options {
    let mut options = Options::new(settings.path.clone(), threads);
    options.memory.clone_from(&settings.shared_memory);
    options
}

/// Opens the journal, and gives every account back what it had used; `take_used` gets it as well. `threads`: how many will charge. None:
/// the configuration wants charges in memory only.
///
/// # Errors
/// The counters cannot be read, or none of their copies is good: to begin with empty ones would grant twice
/// what was used already.
pub(super) fn open(
    settings: &StoreSettings,
    is_clock_trusted: bool,
    threads: usize,
    handle: &Handle,
    patience: &mut Patience<'_>,
    take_used: &mut dyn FnMut(&Who, &[Used]),
) -> Result<Option<(Journal, Vec<Writer>)>, Failure> {
    if !settings.durable {
        return Ok(None);
    }
    wait_for_its_end(settings, patience)?;
    let options = options(settings, threads);
    let now = system_clock();
    clock_override::finish(&settings.path)?;
    if is_clock_trusted {
        clock_override::leave_behind(settings, handle, now)?;
    }
    let millis = now.saturating_mul(1000);
    let mut accounts = Accounts::new(|who, used| {
        if !handle.keyring().restore(who, used, millis) {
            // No key's, so an address's; or of a key that is gone, whose rows end with their windows.
            handle.restore_address(*who, used, millis);
        }
        take_used(who, used);
    });
    let opened = journal::open(&options, now, &mut |row, second| accounts.add(row, second));
    let (journal, writers, report) = opened.map_err(|error| not_opened(&error, settings))?;
    accounts.finish();
    handle.clock().begin(report.newest.saturating_mul(1000), is_clock_trusted).map_err(|ahead| {
        Failure::new(format!(
            "{ahead}. Correct the clock; or, if it is right, start once with `fairgate serve --trust-clock`, which \
             forgets what was counted in windows that begin later than now"
        ))
    })?;
    for finding in &report.findings {
        let (level, event) = match finding.weight {
            Weight::Harmless => (Level::Info, "charges"),
            Weight::Lost => (Level::Error, "charges are missing"),
        };
        handle.log().event(level, event, &[("finding", &finding.to_string())]);
    }
    Ok(Some((journal, writers)))
}

/// Why there is no start. Not even `on_disk_full = "continue"` helps: what the last process charged and could not write
/// down lies in the shared memory that the next one needs, so it has to be on the disk first.
fn not_opened(error: &JournalError, settings: &StoreSettings) -> Failure {
    let JournalError::DiskFull { path, source } = error else { return Failure::new(error.to_string()) };
    Failure::new(format!(
        "there is no room to write {} ({source}): make room on that disk, or raise the limit on the size of files, \
         and start again. Nothing is lost: what was charged is in {} and, until this machine restarts, in {}, \
         from where it has to be written down before requests are let in, whatever `[store] on_disk_full` says",
        path.display(),
        settings.path.display(),
        settings.shared_memory.display(),
    ))
}

/// Commits in this interval, until the thread is told to stop.
pub(super) fn keep(journal: Journal, settings: &StoreSettings, watch: Watch) -> Result<Keeping, Failure> {
    let (orders, received) = channel();
    let (mut every, on_disk_full) = (settings.flush_interval, settings.on_disk_full);
    let Watch { handle, lifecycle, footprint } = watch;
    let mut keeper = Keeper {
        journal,
        handle,
        lifecycle,
        footprint,
        on_disk_full,
        is_failing: false,
        unprotected: 0,
        asked: None,
    };
    let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
        loop {
            match received.recv_timeout(if keeper.asked.is_some() { every.min(SOON) } else { every }) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Go(next, on_disk_full)) => {
                    every = next;
                    keeper.set_on_disk_full(on_disk_full);
                }
                Ok(Order::Counters(asked)) => keeper.want_counters(asked),
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            keeper.commit();
            keeper.hand_over_counters();
        }
        keeper.journal.close(keeper.handle.clock().now_millis() / 1000).map_err(|error| error.to_string())
    });
    let thread =
        thread.map_err(|error| Failure::new(format!("cannot start the journal's thread: {error}")))?;
    Ok(Keeping { orders, thread })
}

struct Keeper {
    journal: Journal,
    handle: Handle,
    lifecycle: Arc<Lifecycle>,
    footprint: Footprint,
    on_disk_full: OnDiskFull,
    is_failing: bool,
    unprotected: u64,
    asked: Option<Asked>,
}

// === impl Keeping ===

impl Keeping {
    /// Where the thread takes orders from.
    pub(super) fn orders(&self) -> Sender<Order> {
        self.orders.clone()
    }

    /// Commits what the data threads charged last. They have to have ended.
    ///
    /// # Errors
    /// It cannot be written. What is not written is in shared memory, and the next start finds it there.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let _ = self.orders.send(Order::End);
        let ended = self.thread.join().unwrap_or_else(|_| Err("its thread panicked".to_owned()));
        ended.map_err(|error| Failure::new(format!("the last charges could not be saved: {error}")))
    }
}

// === impl Keeper ===

impl Keeper {
    fn set_on_disk_full(&mut self, on_disk_full: OnDiskFull) {
        self.on_disk_full = on_disk_full;
        // A disk that is full already does from now on what the new word says.
        self.handle.set_stopped(self.is_failing && on_disk_full == OnDiskFull::Reject);
    }

    fn want_counters(&mut self, asked: Asked) {
        self.journal.want_counters();
        self.asked = Some(asked);
    }

    fn hand_over_counters(&mut self) {
        if let Some(counters) = self.journal.take_counters()
            && let Some(asked) = self.asked.take()
        {
            // Who asked may have gone.
            let _ = asked.send(counters);
        }
    }

    fn commit(&mut self) {
        // In any case, so that the memory of charges does not fill up.
        let committed = self.journal.commit(self.handle.clock().now_millis() / 1000);
        // A file that was removed takes all that is written, and is gone in the end.
        let place = self.footprint.check().map_err(|gone| gone.to_string());
        match committed.map_err(|error| error.to_string()).and_then(|done| place.map(|()| done)) {
            Ok(committed) => self.report(&committed),
            Err(error) if !self.is_failing => self.fail(error),
            Err(_) => {}
        }
    }

    fn fail(&mut self, error: String) {
        self.is_failing = true;
        let effect = match self.on_disk_full {
            OnDiskFull::Reject => "requests that cost something are answered 503 until it can be written",
            OnDiskFull::Continue => {
                "requests go on; what they are charged is held in memory until it can be written"
            }
        };
        self.handle.set_stopped(self.on_disk_full == OnDiskFull::Reject);
        self.lifecycle.raise(Alarm::Charges, Some(format!("charges cannot be saved: {error}; {effect}")));
        self.event(
            Level::Error,
            "charges cannot be saved",
            &[("error", error), ("effect", effect.to_owned())],
        );
    }

    fn report(&mut self, committed: &Committed) {
        if std::mem::take(&mut self.is_failing) {
            self.handle.set_stopped(false);
            self.lifecycle.raise(Alarm::Charges, None);
            let members = [("charges", Value::Number(committed.charges))];
            self.handle.log().event_of(Level::Info, "charges can be saved again", &members);
        }
        let unprotected = committed.unprotected.saturating_sub(self.unprotected);
        if unprotected > 0 {
            self.unprotected = committed.unprotected;
            let reason = "the disk did not keep up; a kill -9 would have forgotten them";
            let members = [("count", Value::Number(unprotected)), ("reason", Value::Text(reason))];
            self.handle.log().event_of(Level::Warn, "charges were not protected for a while", &members);
        }
        for news in &committed.compaction {
            match news {
                Compacting::Begun => {}
                Compacting::Done(bytes) => {
                    let members = [("bytes", Value::Number(*bytes))];
                    self.handle.log().event_of(Level::Info, "counters compacted", &members);
                }
                Compacting::Found(finding) => {
                    self.event(Level::Error, "counters are damaged", &[("finding", finding.to_string())]);
                }
                Compacting::Failed(error) => self.event(
                    Level::Error,
                    "counters cannot be compacted",
                    &[
                        ("error", error.clone()),
                        ("effect", "the journal grows; it is tried again".to_owned()),
                    ],
                ),
            }
        }
    }

    fn event<const N: usize>(&self, level: Level, event: &str, members: &[(&str, String); N]) {
        let log: &LogSink = self.handle.log();
        log.event(level, event, &members.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
}
