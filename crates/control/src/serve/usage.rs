//! Gathers what data threads tallied and writes it now and then, many tallies in one transaction.

use config::UsageSettings;
use gateway::{
    Handle,
    record::{Level, Value},
    usage::{Entry, Sheet},
};
use std::{cell::Cell, rc::Rc, time::Instant};
use store::{StoreError, UsageEntry, UsageStore};
use tokio::sync::Mutex;

/// Tallies that wait to be written. What would be one more is counted as lost, and logged.
const MAX_WAITING: usize = 200_000;
/// Tallies that are written in one transaction, so that whoever reads usage does not wait for all of them.
const BATCH: usize = 10_000;

/// What was used and is not written yet.
pub(super) struct Ledger {
    handle: Handle,
    store: Rc<dyn UsageStore>,
    settings: Cell<UsageSettings>,
    unwritten: Mutex<Unwritten>,
}

struct Unwritten {
    gathered: Sheet,
    /// What is being written, batch by batch from its end. Bounded together with `gathered`.
    writing: Vec<Entry>,
    written_at: Instant,
    is_failing: bool,
}

impl Ledger {
    pub(super) fn new(handle: Handle, store: Rc<dyn UsageStore>, settings: UsageSettings) -> Self {
        let unwritten = Mutex::new(Unwritten {
            gathered: Sheet::default(),
            writing: Vec::new(),
            written_at: Instant::now(),
            is_failing: false,
        });
        Self { handle, store, settings: Cell::new(settings), unwritten }
    }

    /// Goes by other settings from now on.
    pub(super) fn set(&self, settings: UsageSettings) {
        self.settings.set(settings);
    }

    /// Gathers, and writes a batch if it is time.
    pub(super) async fn save_if_due(&self) {
        let mut unwritten = self.unwritten.lock().await;
        self.gather(&mut unwritten);
        let is_due = unwritten.written_at.elapsed() >= self.settings.get().flush_interval;
        if is_due || !unwritten.writing.is_empty() && !unwritten.is_failing {
            // A failure stands in the log, and is tried again after the next interval.
            let _ = self.write_batch(&mut unwritten).await;
        }
    }

    /// Gathers, and writes all of it.
    pub(super) async fn save(&self) -> Result<(), StoreError> {
        let mut unwritten = self.unwritten.lock().await;
        self.gather(&mut unwritten);
        while !unwritten.writing.is_empty() || !unwritten.gathered.is_empty() {
            self.write_batch(&mut unwritten).await?;
        }
        Ok(())
    }

    fn gather(&self, unwritten: &mut Unwritten) {
        let mut lost = self.handle.take_lost_usage();
        let room = MAX_WAITING.saturating_sub(unwritten.writing.len());
        for entry in self.handle.take_usage() {
            lost = lost.saturating_add(unwritten.gathered.merge(entry, room));
        }
        if lost > 0 {
            self.handle.log().event_of(
                Level::Warn,
                "requests are missing in usage",
                &[
                    ("count", Value::Number(lost)),
                    ("reason", Value::Text("the store did not keep up; limits are not touched")),
                ],
            );
        }
    }

    async fn write_batch(&self, unwritten: &mut Unwritten) -> Result<(), StoreError> {
        unwritten.written_at = Instant::now();
        if unwritten.writing.is_empty() {
            unwritten.writing = unwritten.gathered.take();
        }
        let begin = unwritten.writing.len().saturating_sub(BATCH);
        let batch = unwritten.writing.iter().skip(begin).map(|entry| stored(&self.handle, entry)).collect();
        let written = self.store.add_usage(batch, self.settings.get().keep).await;
        if written.is_ok() {
            unwritten.writing.truncate(begin);
        }
        self.report(unwritten, &written);
        written
    }

    /// Reports that usage cannot be written, once, and that it can again, once.
    fn report(&self, unwritten: &mut Unwritten, written: &Result<(), StoreError>) {
        let was_failing = std::mem::replace(&mut unwritten.is_failing, written.is_err());
        match written {
            Err(error) if !was_failing => self.handle.log().event(
                Level::Error,
                "usage cannot be written",
                &[
                    ("error", &error.to_string()),
                    ("effect", "requests and limits go on; usage waits in memory"),
                ],
            ),
            Ok(()) if was_failing => {
                self.handle.log().event(Level::Info, "usage can be written again", &[]);
            }
            Ok(()) | Err(_) => {}
        }
    }
}

fn stored(handle: &Handle, entry: &Entry) -> UsageEntry {
    UsageEntry {
        key_id: entry.key.as_ref().map(|key| key.id().to_string()),
        endpoint: handle.place_name(entry.place),
        minute: entry.minute,
        tally: entry.tally.clone(),
    }
}
