//! The journal: recovers charges, and commits the content of the rings to disk.

use crate::{
    append::{Appender, Stamp},
    base::Base,
    compaction::{Compacted, Compaction},
    counters::{Counters, Wanted},
    error::{At, JournalError},
    finding::{Finding, Report, Weight},
    folder::Folder,
    format::Kind,
    memory::Mapping,
    options::Options,
    pending::Pending,
    recovery::Recovered,
    replay::Epoch,
    ring::{Overflow, Ring, Writer},
    row::Row,
    shared::{self, Identity, MemoryFile, Places},
};
use std::{
    fs::{self, File},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// The result of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Charges newly on disk.
    pub charges: u64,
    /// The rows they were aggregated to.
    pub rows: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Charges since the start that for a while would not have survived a kill -9, because their
    /// ring was full.
    pub unprotected: u64,
    /// Events of compactions since the last commit.
    pub compaction: Vec<Compacting>,
}

/// An event of a compaction, which runs in parallel with commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compacting {
    /// It has begun.
    Begun,
    /// It is complete: the length of the new checkpoint in bytes.
    Done(u64),
    /// Damage was found during the compaction. The damaged file is kept.
    Found(Finding),
    /// It failed, and is retried later; the journal grows until then.
    Failed(String),
}

/// A compaction starts when the journal exceeds this size, and half of its checkpoint.
const SMALLEST_COMPACTION: u64 = 16 << 20;
const RETRY_COMPACTION: Duration = Duration::from_secs(30);

/// The reading end of all rings, and the files. Owned by one thread.
///
/// Dropping it without [`close`](Journal::close) is like a crash: the next start recovers from shared memory.
#[derive(Debug)]
pub struct Journal {
    folder: Folder,
    _lock: File,
    memory_path: PathBuf,
    mapping: Arc<Mapping>,
    rings: Vec<Ring>,
    overflow: Arc<Overflow>,
    store: [u8; 16],
    epoch: Epoch,
    appender: Appender,
    pending: Pending,
    /// For each ring: all charges before this are in `pending` or on disk.
    taken: Vec<u64>,
    /// Charges in `pending`.
    charges: u64,
    unprotected: u64,
    /// The length of the newest checkpoint.
    checkpoint: u64,
    /// Journals before the current one are not in a checkpoint yet.
    behind: bool,
    compaction: Option<Compaction>,
    retry_at: Option<Instant>,
    compact_at: u64,
    news: Vec<Compacting>,
    /// Whether somebody wants to read all counters.
    wanted: Wanted,
}

/// Whether no process uses the journal: one that was just killed may still be exiting. Nothing is
/// created, read or left locked.
///
/// # Errors
/// `InUse`, or the folder of the store does not exist.
pub fn is_free(options: &Options) -> Result<(), JournalError> {
    let folder = Folder::free(&options.folder)?;
    Places::of(options, &folder).are_free()
}

/// Opens the journal: recovers charges from disk and from shared memory, passes every live row to
/// `each` (one for each window of each counter, with the Unix second of its last charge), and
/// starts a new epoch, which is on disk when this returns. `now_seconds` is the Unix second.
///
/// # Errors
/// See [`JournalError`]. Errors other than `DiskFull` and `InUse` require inspection of the files;
/// rows already passed to `each` must not be used. To start with empty counters, move the folder
/// `counters` away.
pub fn open(
    options: &Options,
    now_seconds: u64,
    each: &mut dyn FnMut(Row, u32),
) -> Result<(Journal, Vec<Writer>, Report), JournalError> {
    let layout = options.layout()?;
    let (folder, lock) = Folder::open(&options.folder)?;
    folder.remove_unfinished()?;
    let places = Places::of(options, &folder);
    let files = places.left()?;
    let (boot, id) = (shared::boot_id()?, shared::random_id()?);
    let mut report = Report::default();
    let state = State::recover(&folder, &files, boot, now_seconds, &mut report, each)?;
    let State { store, epoch, mut appender, behind, checkpoint } = state;

    let epoch = Epoch {
        number: epoch.number.saturating_add(1),
        boot: Some(boot),
        id: Some(id),
        positions: vec![0; layout.rings],
        ended: false,
    };
    let identity = Identity { epoch: epoch.number, boot, store, id };
    let (mapping, memory_path) = places.begin(files, &identity, layout, &mut report.findings)?;
    appender.epoch(&epoch, store, now_seconds)?;

    let rings: Option<Vec<Ring>> = (0..layout.rings).map(|ring| Ring::new(&mapping, layout, ring)).collect();
    let rings = rings.ok_or_else(|| std::io::Error::other("it is too short")).at("map", &memory_path)?;
    let overflow = Arc::new(Overflow::new());
    let writers = rings.iter().map(|ring| Writer::new(ring.clone(), Arc::clone(&overflow))).collect();
    let journal = Journal {
        folder,
        _lock: lock,
        memory_path,
        mapping,
        taken: vec![0; rings.len()],
        rings,
        overflow,
        store,
        epoch,
        appender,
        pending: Pending::default(),
        charges: 0,
        unprotected: 0,
        checkpoint,
        behind,
        compaction: None,
        retry_at: None,
        compact_at: SMALLEST_COMPACTION,
        news: Vec::new(),
        wanted: Wanted::Nothing,
    };
    Ok((journal, writers, report))
}

/// The state recovered from disk.
struct State {
    store: [u8; 16],
    epoch: Epoch,
    appender: Appender,
    behind: bool,
    checkpoint: u64,
}

impl State {
    fn recover(
        folder: &Folder,
        files: &[MemoryFile],
        boot: [u8; 16],
        now: u64,
        report: &mut Report,
        each: &mut dyn FnMut(Row, u32),
    ) -> Result<Self, JournalError> {
        let new_store = shared::random_id()?;
        let Some(mut base) = Base::find(folder)? else {
            let epoch = Epoch { ended: true, ..Epoch::default() };
            let appender = Appender::create(folder, 1, new_store, &epoch, 0, now)?;
            return Ok(Self { store: new_store, epoch, appender, behind: false, checkpoint: 0 });
        };
        report.findings.append(&mut base.findings);
        let found = Recovered::read(folder, &base, files, boot, new_store, &mut report.findings, each)?;
        (report.newest, report.rows, report.from_memory) = (found.newest, found.rows, found.from_memory);
        let is_reported = report.findings.iter().any(|finding| finding.weight == Weight::Lost);
        if base.checkpoint.is_none() && found.epoch.number == 0 && !is_reported {
            // Most likely a first start that was killed. But a file truncated this far looks the
            // same, and possible losses are never silently treated as zero.
            report.findings.push(Finding::lost(format!(
                "{} holds no start at all. If this is not the first one, what was counted is missing.",
                folder.path().display()
            )));
        }
        let damaged = keep_damaged(folder, &base, &found, report)?;
        let mut appender = go_on(folder, &base, &found, damaged, now)?;
        if !found.epoch.ended {
            let stamp = Stamp { epoch: found.epoch.number, second: now, positions: &found.epoch.positions };
            appender.rows(Kind::End, &stamp, found.unwritten.iter().map(|dated| dated.row))?;
        }
        let checkpoint = match base.checkpoint {
            Some(verified) => {
                fs::metadata(folder.checkpoint(verified.generation)).map_or(0, |meta| meta.len())
            }
            None => 0,
        };
        let behind = appender.generation() > base.first;
        Ok(Self { store: found.store, epoch: found.epoch, appender, behind, checkpoint })
    }
}

/// Keeps damaged files under another name, before anything is written. True: there are some.
fn keep_damaged(
    folder: &Folder,
    base: &Base,
    found: &Recovered,
    report: &mut Report,
) -> Result<bool, JournalError> {
    let last = found.last.as_ref().map(|last| last.generation);
    let checkpoints = base.damaged.iter().map(|damaged| (folder.checkpoint(*damaged), false));
    let journals = found.damaged_journals.iter().map(|damaged| {
        let is_cut = found.cut.is_some() && Some(*damaged) == last;
        (folder.journal(*damaged), is_cut)
    });
    for (path, is_cut) in checkpoints.chain(journals).filter(|(path, _)| path.exists()) {
        let kept = folder.keep_damaged(&path, is_cut)?;
        let text = format!("{} is kept as {kept}; it is never removed.", path.display());
        report.findings.push(Finding::harmless(text));
    }
    Ok(!base.damaged.is_empty() || !found.damaged_journals.is_empty())
}

/// Continues the last journal, or starts a new one if anything is damaged.
fn go_on(
    folder: &Folder,
    base: &Base,
    found: &Recovered,
    damaged: bool,
    now: u64,
) -> Result<Appender, JournalError> {
    let last = found.last.as_ref().filter(|last| last.generation + 1 == base.end);
    match last {
        Some(last) if !damaged => {
            Appender::open(folder, last.generation, found.cut.unwrap_or(last.at), found.sequence)
        }
        Some(_) | None => {
            if let (Some(last), Some(cut)) = (last, found.cut) {
                Appender::open(folder, last.generation, cut, found.sequence)?;
            }
            Appender::create(folder, base.end, found.store, &found.epoch, found.sequence, now)
        }
    }
}

impl Journal {
    /// One group commit: takes the content of the rings, writes and syncs it, and only then frees
    /// the places in the rings. `now_seconds` is the Unix second. Without new charges it writes
    /// nothing.
    ///
    /// # Errors
    /// After an error nothing was freed and nothing lost: call again later.
    pub fn commit(&mut self, now_seconds: u64) -> Result<Committed, JournalError> {
        self.take();
        let mut committed = Committed { unprotected: self.unprotected, ..Committed::default() };
        if self.charges > 0 {
            committed.bytes = self.write(Kind::Charges, now_seconds)?;
            committed.rows = self.pending.len() as u64;
            committed.charges = self.charges;
            self.written();
        }
        self.look_after_compaction(now_seconds);
        committed.compaction = std::mem::take(&mut self.news);
        Ok(committed)
    }

    /// Frees places in the rings without the disk, so that requests can continue while it is full.
    /// The charges are then in ordinary memory: the next commit writes them, but a kill -9 until
    /// then loses them.
    pub fn relieve(&mut self) {
        self.take();
        for (ring, taken) in self.rings.iter().zip(&self.taken) {
            ring.free(*taken);
        }
    }

    /// The last commit. After a clean shutdown the next start has no findings. Drop the writers
    /// before: while there are any, the end is not marked, and the next start reads shared memory.
    ///
    /// # Errors
    /// See [`commit`](Journal::commit); what could not be written remains in shared memory.
    pub fn close(mut self, now_seconds: u64) -> Result<(), JournalError> {
        self.take();
        // One owner is the journal, and one is each of its rings.
        if Arc::strong_count(&self.mapping) > 1 + self.rings.len() {
            if self.charges > 0 {
                self.write(Kind::Charges, now_seconds)?;
                self.written();
            }
            return Ok(());
        }
        self.write(Kind::End, now_seconds)?;
        // The memory is useless now; if it cannot be removed, the next start detects that.
        let _ = fs::remove_file(&self.memory_path);
        Ok(())
    }

    /// Adds the content of the rings to `pending`, without freeing it.
    fn take(&mut self) {
        for (ring, taken) in self.rings.iter().zip(&mut self.taken) {
            let tail = ring.tail();
            for entry in (*taken..tail).filter_map(|position| ring.read(position)) {
                self.pending.add(&entry);
            }
            self.charges += tail - *taken;
            *taken = tail;
        }
        // Not more than there are now: writers may continue to add.
        for _ in 0..self.overflow.len() {
            let Some(entry) = self.overflow.pop() else { break };
            self.pending.add(&entry);
            self.charges += 1;
            self.unprotected += 1;
        }
    }

    fn write(&mut self, kind: Kind, now: u64) -> Result<u64, JournalError> {
        let stamp = Stamp { epoch: self.epoch.number, second: now, positions: &self.taken };
        self.appender.rows(kind, &stamp, self.pending.rows())
    }

    /// What was pending is on disk.
    fn written(&mut self) {
        self.epoch.positions.clone_from(&self.taken);
        self.relieve_written();
        self.pending.clear();
        self.charges = 0;
    }

    fn relieve_written(&self) {
        for (ring, written) in self.rings.iter().zip(&self.epoch.positions) {
            ring.free(*written);
        }
    }

    /// Commits, creates a checkpoint of everything, and waits for it. The journal does this itself
    /// when it has grown, in parallel with commits; this is for callers that need small files now.
    ///
    /// # Errors
    /// See [`commit`](Journal::commit). The journals are unchanged then.
    pub fn compact_now(&mut self, now_seconds: u64) -> Result<(), JournalError> {
        self.commit(now_seconds)?;
        if self.compaction.is_none() {
            self.begin_compaction(now_seconds)?;
        }
        let done = match self.compaction.take() {
            Some(compaction) => compaction.end()?,
            None => None,
        };
        self.compacted(done);
        Ok(())
    }

    /// Begins to write down all counters in one file, for [`take_counters`](Journal::take_counters). Requests go on meanwhile;
    /// what is charged from the next commit on is not among them.
    pub fn want_counters(&mut self) {
        self.wanted = Wanted::Asked;
        self.retry_at = None;
    }

    /// All counters, once a commit has seen them written. None: not yet.
    ///
    /// # Errors
    /// They cannot be written or read. Nothing is lost by that.
    pub fn take_counters(&mut self) -> Option<Result<Counters, JournalError>> {
        self.wanted.take()
    }

    fn look_after_compaction(&mut self, now: u64) {
        if let Some(compaction) = self.compaction.take_if(|compaction| compaction.is_over()) {
            match compaction.end() {
                Ok(done) => self.compacted(done),
                Err(error) => self.compaction_failed(&error.to_string()),
            }
        }
        let waits = self.retry_at.is_some_and(|at| Instant::now() < at);
        let large = self.appender.length() > self.compact_at.max(self.checkpoint / 2);
        let is_wanted = matches!(self.wanted, Wanted::Asked);
        if self.compaction.is_some() || waits || !(self.behind || large || is_wanted) {
            return;
        }
        // One that makes up for an earlier one does not have what was charged since: another follows.
        let has_all = !self.behind;
        match self.begin_compaction(now) {
            Ok(()) if is_wanted && has_all => self.wanted = Wanted::Begun,
            Ok(()) => {}
            Err(error) => self.compaction_failed(&error.to_string()),
        }
    }

    fn compacted(&mut self, done: Option<Compacted>) {
        let Some(done) = done else {
            self.retry_at = Some(Instant::now() + RETRY_COMPACTION);
            self.wanted.fail("it was broken off");
            return;
        };
        self.wanted.written(&self.folder, done.generation);
        self.behind = done.generation < self.appender.generation();
        self.checkpoint = done.length;
        self.news.extend(done.findings.into_iter().map(Compacting::Found));
        self.news.push(Compacting::Done(done.length));
    }

    fn compaction_failed(&mut self, error: &str) {
        self.retry_at = Some(Instant::now() + RETRY_COMPACTION);
        self.wanted.fail(error);
        self.news.push(Compacting::Failed(error.to_owned()));
    }

    fn begin_compaction(&mut self, now: u64) -> Result<(), JournalError> {
        self.retry_at = None;
        if !self.behind {
            let next = self.appender.generation() + 1;
            let sequence = self.appender.sequence();
            self.appender = Appender::create(&self.folder, next, self.store, &self.epoch, sequence, now)?;
            self.behind = true;
        }
        let generation = self.appender.generation();
        let begun = Compaction::begin(self.folder.clone(), generation, self.store);
        self.compaction =
            Some(begun.map_err(|error| JournalError::file("begin a thread for", self.folder.path(), error))?);
        self.news.push(Compacting::Begun);
        Ok(())
    }
}
