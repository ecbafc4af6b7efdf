//! Counters in the journal: read while no gateway runs, and put there so that the next start finds them.

use super::{
    BATCH,
    totals::{Totals, Wanted},
};
use crate::{
    export::{Counter, Line},
    failure::Failure,
    serve::{charges, clock_override},
    system_clock,
};
use config::StoreSettings;
use journal::{Charge, Journal, JournalError, Row, Weight, Writer};
use limits::Who;
use std::collections::HashMap;

/// Hands over all counters of a store that no gateway runs on. Gives what was found damaged or missing, in sentences.
///
/// # Errors
/// They cannot be read: what was handed over is not to be used.
pub fn of_stopped(settings: &StoreSettings, each: &mut dyn FnMut(Counter)) -> Result<Vec<String>, Failure> {
    if !settings.durable || !settings.path.exists() {
        return Ok(Vec::new());
    }
    clock_override::finish(&settings.path)?;
    let options = charges::options(settings, 1);
    let read = journal::read(&options, &mut |row, second| each(Counter::of_row(row, second)));
    let report = read.map_err(|error| failure(&error))?;
    let lost = report.findings.iter().filter(|finding| finding.weight == Weight::Lost);
    Ok(lost.map(ToString::to_string).collect())
}

/// The counters that this store has, and the way to raise them.
struct Kept {
    journal: Journal,
    writer: Writer,
    units: HashMap<(Who, u32, u32), u32>,
    now: u64,
}

/// Raises each counter of the file to what the file says. In a cluster what other nodes hold counts as well, and the ledger
/// learns of it.
pub(super) fn put(
    settings: &StoreSettings,
    lines: impl Iterator<Item = Result<Line, Failure>>,
    mut totals: Option<&mut Totals>,
) -> Result<(), Failure> {
    let mut kept = Kept::open(settings)?;
    let mut batch = Vec::new();
    for line in lines {
        match line? {
            Line::Counter(counter) => batch.push(counter),
            Line::Key(_)
            | Line::Maintenance(_)
            | Line::Cause(_)
            | Line::Incident(_)
            | Line::Usage(_)
            | Line::End(_) => break, // counters come first
        }
        if batch.len() >= BATCH {
            kept.raise(&batch, totals.as_deref_mut())?;
            batch.clear();
        }
    }
    kept.raise(&batch, totals)?;
    kept.close()
}

impl Kept {
    fn open(settings: &StoreSettings) -> Result<Self, Failure> {
        clock_override::finish(&settings.path)?;
        let (now, mut units) = (system_clock(), HashMap::new());
        let opened = journal::open(&charges::options(settings, 1), now, &mut |row: Row, _| {
            units.insert((row.who, row.tag, row.window), row.units);
        });
        let (journal, writers, _) = opened.map_err(|error| failure(&error))?;
        let writer = writers.into_iter().next().ok_or_else(|| Failure::new("the journal has no writer"))?;
        Ok(Self { journal, writer, units, now })
    }

    fn raise(&mut self, counters: &[Counter], totals: Option<&mut Totals>) -> Result<(), Failure> {
        let wanted = |counter: &Counter| {
            let own = self.units.get(&(counter.who.0, counter.tag, counter.window));
            Wanted { counter: *counter, own: own.copied().unwrap_or(0), total: counter.units }
        };
        let mut wanted: Vec<Wanted> = counters.iter().map(wanted).collect();
        // The ledger first: what it does not take is nowhere.
        if let Some(totals) = totals {
            totals.raise(&mut wanted)?;
        }
        for one in &wanted {
            let Counter { who, tag, window, .. } = one.counter;
            let more = one.total.saturating_sub(one.own);
            if more > 0 {
                let mut charge = Charge::new(who.0, more);
                let _ = charge.push(tag, window); // an empty charge has room for one
                self.writer.append(&charge, self.now);
                if self.writer.is_full() {
                    self.commit()?;
                }
            }
        }
        self.commit()
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.journal.commit(self.now).map(|_| ()).map_err(|error| failure(&error))
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.writer);
        self.journal.close(self.now).map_err(|error| failure(&error))
    }
}

fn failure(error: &JournalError) -> Failure {
    let JournalError::DiskFull { path, source } = error else { return Failure::new(error.to_string()) };
    Failure::new(format!(
        "there is no room to write {} ({source}): make room, and run the same command once more",
        path.display()
    ))
}
