//! Gathers what data threads tallied and writes it now and then, many tallies in one transaction.

use config::UsageSettings;
use gateway::{
    Handle,
    record::{Level, Value},
    usage::{Entry, Sheet},
};
use std::time::Instant;
use store::{Store, StoreError, UsageEntry};

/// Tallies that wait to be written. What would be one more is counted as lost, and told.
const MAX_WAITING: usize = 200_000;
/// Tallies that are written in one transaction, so that this thread has time for others in between.
const BATCH: usize = 10_000;

/// What was used and is not written yet.
pub(super) struct Ledger {
    handle: Handle,
    settings: UsageSettings,
    gathered: Sheet,
    /// What is being written, batch by batch from its end. Bounded together with `gathered`.
    writing: Vec<Entry>,
    written_at: Instant,
    is_failing: bool,
}

impl Ledger {
    pub(super) fn new(handle: Handle, settings: UsageSettings) -> Self {
        Self {
            handle,
            settings,
            gathered: Sheet::default(),
            writing: Vec::new(),
            written_at: Instant::now(),
            is_failing: false,
        }
    }

    /// Goes by other settings from now on.
    pub(super) const fn set(&mut self, settings: UsageSettings) {
        self.settings = settings;
    }

    /// Gathers, and writes a batch if it is time.
    pub(super) fn keep(&mut self, store: &dyn Store) {
        self.gather();
        let is_due = self.written_at.elapsed() >= self.settings.flush_interval;
        if is_due || !self.writing.is_empty() && !self.is_failing {
            // What failed was told, and is tried again after the next interval.
            let _ = self.write_batch(store);
        }
    }

    /// Gathers, and writes all of it.
    pub(super) fn keep_all(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.gather();
        while !self.writing.is_empty() || !self.gathered.is_empty() {
            self.write_batch(store)?;
        }
        Ok(())
    }

    fn gather(&mut self) {
        let mut lost = self.handle.take_lost_usage();
        let room = MAX_WAITING.saturating_sub(self.writing.len());
        for entry in self.handle.take_usage() {
            lost = lost.saturating_add(self.gathered.merge(entry, room));
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

    fn write_batch(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.written_at = Instant::now();
        if self.writing.is_empty() {
            self.writing = self.gathered.take();
        }
        let begin = self.writing.len().saturating_sub(BATCH);
        let batch: Vec<UsageEntry> =
            self.writing.iter().skip(begin).map(|entry| stored(&self.handle, entry)).collect();
        let written = store.add_usage(&batch, self.settings.keep);
        if written.is_ok() {
            self.writing.truncate(begin);
        }
        self.tell(&written);
        written
    }

    /// Tells that usage cannot be written, once, and that it can again, once.
    fn tell(&mut self, written: &Result<(), StoreError>) {
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
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
