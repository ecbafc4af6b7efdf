//! Moving a store: what a command needs beside the operations to export one, and all that it takes to import one.
//!
//! An import does what an export says once and no more, however often it is begun: keys are put under their digests, counters and
//! usage are totals. So one that was broken off is simply begun again. Counters come first, in the journal and at the ledger: no
//! key is ever there without what it used.

mod content;
mod counters;
mod rates;
mod secrets;
mod totals;
mod unfinished;

pub use counters::of_stopped;
pub use rates::LimitsOf;
pub use totals::{Used, of_ledger};
pub(super) use unfinished::refuse;

use super::cluster as members;
use crate::{
    Stores, cluster,
    export::{Counts, End, Header, Line, ReadError, Reader},
    failure::Failure,
    system_clock,
};
use config::{ClusterSettings, Node};
use records::Shared;
use secrets::Secrets;
use std::{
    fs::File,
    io::{BufReader, Seek},
    path::PathBuf,
    sync::Arc,
};
use store::{Embedded, KeyBatch};
use totals::Totals;
use unfinished::Unfinished;

/// Lines that are worked on at a time.
const BATCH: usize = 5_000;

/// What is imported, and how.
pub struct Import {
    /// The file, open.
    pub file: File,
    /// What it is called, for messages.
    pub name: String,
    /// The file of the secret that its keys' digests were made with, if it was named.
    pub secret: Option<PathBuf>,
    /// Keys that are there already are no reason to refuse.
    pub may_merge: bool,
}

/// What came of an import.
pub struct Imported {
    /// How much there was of each.
    pub counts: Counts,
    /// What else there is to know, in sentences.
    pub notes: Vec<String>,
}

/// A file that was read to its end, and is whole.
struct Checked {
    header: Header,
    counts: Counts,
    end: End,
}

impl Import {
    /// Imports it into the store, or the records of the cluster, that the configuration names. No gateway may run in the store's
    /// folder.
    ///
    /// # Errors
    /// The file is damaged or of another format, the secret is another, there are keys already, or something cannot be written.
    /// What was imported up to then stays, and the import can be begun again.
    pub fn carry_out(mut self, node: &Node, mut limits: LimitsOf, by: &str) -> Result<Imported, Failure> {
        let checked = self.check()?;
        let mut secrets = Secrets::new(node, &checked.header, &self);
        let secret = secrets.find()?;
        let (stores, shared) = match &node.cluster {
            None => {
                secrets.put_in_place(&secret)?;
                let (store, _) = Embedded::open(&node.store.path)?;
                (Stores::from(store), None)
            }
            Some(settings) => {
                let shared = Arc::new(Shared::new(settings.records.clone())?);
                secrets.agree(&secret, &shared)?;
                secrets.put_in_place(&secret)?;
                (cluster::stores(settings)?.0, Some((settings, shared)))
            }
        };
        let unfinished = Unfinished::of(&node.store.path);
        if !self.may_merge && !unfinished.is_of(&checked.end) {
            refuse_keys(&stores, &self.name)?;
        }
        unfinished.begin(&self.name, &checked.end)?;
        let mut notes = std::mem::take(&mut secrets.notes);
        let mut visit = None;
        match &shared {
            _ if !node.store.durable => notes.push(
                "Counters were not imported: with `[store] durable = false` they are kept in memory only."
                    .to_owned(),
            ),
            None => counters::put(&node.store, self.lines()?, None)?,
            Some((settings, shared)) => {
                let mut known = Known::at(node, settings, shared)?;
                counters::put(&node.store, self.lines()?, Some(&mut known.totals))?;
                visit = Some(known);
            }
        }
        content::put(&stores, self.lines()?)?;
        if let Some(known) = &mut visit {
            // Whose they are is known by the keys, which nobody reads anew before the last step.
            let taken = rates::of_file(self.lines()?, &mut limits, now_millis())?;
            known.totals.take(&taken)?;
        }
        // Everybody who follows the changes reads all keys anew.
        store::wait(stores.records.import_keys(KeyBatch::from(Vec::new()), by))?;
        drop((stores, visit));
        unfinished.end()?;
        Ok(Imported { counts: checked.counts, notes })
    }

    fn check(&mut self) -> Result<Checked, Failure> {
        let (mut reader, header) = Reader::begin(self.input()?).map_err(|error| self.failure(&error))?;
        loop {
            match reader.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Err(self.failure(&error)),
            }
        }
        let (counts, end) = reader.counts();
        Ok(Checked { header, counts: counts.clone(), end })
    }

    /// The lines once more, now that they are known to be whole.
    fn lines(&mut self) -> Result<impl Iterator<Item = Result<Line, Failure>>, Failure> {
        let (mut reader, _) = Reader::begin(self.input()?).map_err(|error| self.failure(&error))?;
        let name = self.name.clone();
        Ok(std::iter::from_fn(move || match reader.next_line() {
            Ok(line) => line.map(Ok),
            Err(error) => Some(Err(failure(&name, &error))),
        }))
    }

    fn input(&mut self) -> Result<BufReader<File>, Failure> {
        let again = self.file.rewind().and_then(|()| self.file.try_clone());
        let file = again.map_err(|error| failure(&self.name, &error.into()))?;
        Ok(BufReader::with_capacity(1 << 18, file))
    }

    fn failure(&self, error: &ReadError) -> Failure {
        failure(&self.name, error)
    }
}

fn failure(name: &str, error: &ReadError) -> Failure {
    Failure::new(format!("{name} cannot be imported: {error}"))
}

/// This node, known to the cluster for as long as the import takes.
struct Known {
    totals: Totals,
    shared: Arc<Shared>,
    visit: members::Visit,
}

impl Known {
    fn at(node: &Node, settings: &ClusterSettings, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let visit = members::visit(&node.store.path, settings, shared)?;
        let totals = Totals::new(settings, Arc::clone(shared), &visit)?;
        Ok(Self { totals, shared: Arc::clone(shared), visit })
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        // Whoever does not hear it waits for some seconds.
        let _ = store::wait(self.shared.leave(self.visit.number.into(), &self.visit.run));
    }
}

/// A store with keys is left alone, unless it was asked for.
fn refuse_keys(stores: &Stores, name: &str) -> Result<(), Failure> {
    let keys = store::wait(stores.records.count_keys())?;
    let windows = store::wait(stores.records.maintenance())?.len();
    if keys == 0 && windows == 0 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{name} was not imported: there are {keys} keys and {windows} maintenance windows already. Import it into an empty store; or \
         use --merge: keys of the file then replace those with the same id, and what is revoked stays revoked"
    )))
}

fn now_millis() -> u64 {
    system_clock().saturating_mul(1000)
}
