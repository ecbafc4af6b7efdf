//! The records of a cluster as one node has them: those in PostgreSQL, and a copy in a folder of its own for the time when
//! they are out of reach.
//!
//! The copy follows on its own, behind the gateway: a full disk keeps no revocation from it. It is read when the node starts
//! without the server, and never written to by anybody but the records.

use crate::Shared;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};
use store::{
    Change, Embedded, IncidentGroup, IncidentRecord, KeyBatch, KeyRecord, KeyVisitor, MaintenanceWindow,
    Pending, Portion, Position, Records, Since, StoreError, UsageCell, UsageEntry, UsagePage, UsagePlace,
    UsageQuery, UsageStore,
};
use usage::Retention;

/// So many keys are handed to the copy at once.
const BATCH: usize = 5000;
/// So many batches wait for it.
const WAITING: usize = 4;
/// The copy writes down that nothing has changed no more often than this, in seconds.
const STAMP_EVERY: u64 = 30;

/// The records of a cluster as one node has them.
pub struct Clustered {
    shared: Arc<Shared>,
    copy: Arc<Embedded>,
    /// What the records are called, once the server has said it.
    id: OnceLock<String>,
    /// The gateway was loaded from the copy.
    is_from_copy: AtomicBool,
    /// When the copy was the same as the records, in seconds since the Unix epoch; 0: it never was.
    same_at: AtomicU64,
}

impl Clustered {
    /// Of these records and this copy.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub fn new(shared: Arc<Shared>, copy: Embedded) -> Result<Self, StoreError> {
        let position = store::wait(copy.position())?;
        let same_at = AtomicU64::new(position.map_or(0, |position| position.at));
        let (copy, id, is_from_copy) = (Arc::new(copy), OnceLock::new(), AtomicBool::new(false));
        Ok(Self { shared, copy, id, is_from_copy, same_at })
    }

    /// The records in PostgreSQL.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// When the copy was the same as the records, in seconds since the Unix epoch. None: there is no copy.
    pub fn same_at(&self) -> Option<u64> {
        Some(self.same_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Brings the copy up to what the records are now.
    ///
    /// # Errors
    /// The server is out of reach, or the copy cannot be written.
    pub async fn follow(&self, now: u64) -> Result<(), StoreError> {
        let id = self.id().await?;
        let before = self.copy.position().await?.filter(|position| position.of == id);
        match self.shared.changes_since(before.as_ref().map(|position| position.number)).await? {
            Since::Changes(changes) => {
                let is_stamped = before.as_ref().is_some_and(|before| before.at + STAMP_EVERY > now);
                if !changes.is_empty() || !is_stamped {
                    let last = changes.last().map(|change| change.number);
                    let number = last.or(before.map(|before| before.number)).unwrap_or_default();
                    self.copy.follow(changes, Position { of: id, number, at: now }).await?;
                }
            }
            Since::Everything(number) => self.copy_all(Position { of: id, number, at: now }).await?,
        }
        self.same_at.store(now, Ordering::Relaxed);
        Ok(())
    }

    async fn id(&self) -> Result<String, StoreError> {
        if let Some(id) = self.id.get() {
            return Ok(id.clone());
        }
        let id = self.shared.id().await?;
        Ok(self.id.get_or_init(|| id).clone())
    }

    /// Copies all, on a thread of its own.
    async fn copy_all(&self, position: Position) -> Result<(), StoreError> {
        let (shared, copy) = (Arc::clone(&self.shared), Arc::clone(&self.copy));
        let (done, on_done) = tokio::sync::oneshot::channel();
        let thread = thread::Builder::new().name("copy".to_owned()).spawn(move || {
            let _ = done.send(copy_all(&shared, &copy, position));
        });
        let place = || self.shared.place().into();
        thread.map_err(|source| StoreError::Io { doing: "start a thread for", path: place(), source })?;
        on_done.await.unwrap_or_else(|_| Err(StoreError::Stopped { path: place() }))
    }
}

fn copy_all(shared: &Shared, copy: &Embedded, position: Position) -> Result<(), StoreError> {
    let (way, portions) = sync_channel(WAITING);
    let replaced = copy.replace(portions);
    let mut batch = Batch { keys: Vec::new(), way: way.clone() };
    let visitor: KeyVisitor = Box::new(move |row| batch.add(row.to_record()));
    let read = store::wait(async {
        shared.visit_keys(vec![visitor]).await?;
        shared.maintenance().await
    });
    if let Ok(windows) = read.as_ref() {
        let _ = way.send(Portion::End(windows.clone(), position));
    }
    drop(way);
    let replaced = store::wait(replaced);
    read.and(replaced)
}

/// Keys on their way to the copy.
struct Batch {
    keys: Vec<KeyRecord>,
    way: SyncSender<Portion>,
}

impl Batch {
    fn add(&mut self, key: KeyRecord) {
        self.keys.push(key);
        if self.keys.len() >= BATCH {
            self.send();
        }
    }

    fn send(&mut self) {
        // A copy that takes no more has failed, and says so itself.
        let _ = self.way.send(Portion::Keys(std::mem::take(&mut self.keys)));
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.send();
    }
}

const fn is_away(error: &StoreError) -> bool {
    matches!(error, StoreError::Away { .. })
}

// === impl Records ===

/// What is written, and what is to be shown as it is now, goes to the server. What the gateway cannot do without comes from the
/// copy while the server is out of reach.
impl Records for Clustered {
    fn check_place(&self) -> Pending<'_, ()> {
        self.copy.check_place()
    }

    fn changes_since(&self, after: Option<u64>) -> Pending<'_, Since> {
        let asked = self.shared.changes_since(after);
        Box::pin(async move {
            match asked.await {
                Err(error) if is_away(&error) && after.is_none() => {
                    let position = self.copy.position().await?.ok_or(error)?;
                    self.is_from_copy.store(true, Ordering::Relaxed);
                    Ok(Since::Everything(position.number))
                }
                Ok(since) => {
                    if matches!(since, Since::Everything(_)) {
                        self.is_from_copy.store(false, Ordering::Relaxed);
                    }
                    Ok(since)
                }
                Err(error) => Err(error),
            }
        })
    }

    fn visit_keys(&self, visitors: Vec<KeyVisitor>) -> Pending<'_, u64> {
        if !self.is_from_copy.load(Ordering::Relaxed) {
            return self.shared.visit_keys(visitors);
        }
        Box::pin(async move {
            // What is newer than the copy does no harm, but only what is asked now can be had whole.
            match self.shared.check_place().await {
                Err(error) if is_away(&error) => self.copy.visit_keys(visitors).await,
                Ok(()) | Err(_) => self.shared.visit_keys(visitors).await,
            }
        })
    }

    fn page_of_keys(&self, after: Option<String>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        let asked = self.shared.page_of_keys(after.clone(), limit);
        Box::pin(async move {
            match asked.await {
                Err(error) if is_away(&error) => self.copy.page_of_keys(after, limit).await,
                other => other,
            }
        })
    }

    fn keys_after(&self, after: Option<[u8; 32]>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        self.shared.keys_after(after, limit)
    }

    fn count_keys(&self) -> Pending<'_, u64> {
        let asked = self.shared.count_keys();
        Box::pin(async move {
            match asked.await {
                Err(error) if is_away(&error) => self.copy.count_keys().await,
                other => other,
            }
        })
    }

    fn key_by_id(&self, id: &str) -> Pending<'_, Option<KeyRecord>> {
        let (asked, id) = (self.shared.key_by_id(id), id.to_owned());
        Box::pin(async move {
            match asked.await {
                Err(error) if is_away(&error) => self.copy.key_by_id(&id).await,
                other => other,
            }
        })
    }

    fn keys_by_digests(&self, digests: Vec<[u8; 32]>) -> Pending<'_, Vec<Option<KeyRecord>>> {
        self.shared.keys_by_digests(digests)
    }

    fn add_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Change> {
        self.shared.add_key(key, by)
    }

    fn import_keys(&self, keys: KeyBatch, by: &str) -> Pending<'_, Change> {
        self.shared.import_keys(keys, by)
    }

    fn put_keys(&self, keys: Vec<KeyRecord>) -> Pending<'_, ()> {
        self.shared.put_keys(keys)
    }

    fn replace_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Option<Change>> {
        self.shared.replace_key(key, by)
    }

    fn revoke_key(&self, id: &str, at: u64, by: &str) -> Pending<'_, Option<Change>> {
        self.shared.revoke_key(id, at, by)
    }

    fn add_incidents(&self, incidents: Arc<[IncidentRecord]>) -> Pending<'_, ()> {
        self.shared.add_incidents(incidents)
    }

    fn incidents(&self, limit: usize, cause: Option<String>) -> Pending<'_, Vec<IncidentRecord>> {
        self.shared.incidents(limit, cause)
    }

    fn incident_groups(&self) -> Pending<'_, Vec<IncidentGroup>> {
        self.shared.incident_groups()
    }

    fn incidents_of(&self, request_id: &str) -> Pending<'_, Vec<IncidentRecord>> {
        self.shared.incidents_of(request_id)
    }

    fn put_maintenance(&self, window: MaintenanceWindow, by: &str) -> Pending<'_, Change> {
        self.shared.put_maintenance(window, by)
    }

    fn remove_maintenance(&self, id: &str, by: &str) -> Pending<'_, Option<Change>> {
        self.shared.remove_maintenance(id, by)
    }

    fn maintenance(&self) -> Pending<'_, Vec<MaintenanceWindow>> {
        let asked = self.shared.maintenance();
        Box::pin(async move {
            match asked.await {
                // Only beside keys of the copy: with newer ones a window would be missing.
                Err(error) if is_away(&error) && self.is_from_copy.load(Ordering::Relaxed) => {
                    self.copy.maintenance().await
                }
                other => other,
            }
        })
    }
}

impl UsageStore for Clustered {
    fn add_usage(&self, entries: Arc<[UsageEntry]>, keep: Retention) -> Pending<'_, ()> {
        self.shared.add_usage(entries, keep)
    }

    fn usage(&self, query: &UsageQuery, limit: usize) -> Pending<'_, UsagePage> {
        self.shared.usage(query, limit)
    }

    fn usage_after(&self, after: Option<UsagePlace>, limit: usize) -> Pending<'_, Vec<UsageCell>> {
        self.shared.usage_after(after, limit)
    }

    fn put_usage(&self, cells: Vec<UsageCell>) -> Pending<'_, ()> {
        self.shared.put_usage(cells)
    }
}
