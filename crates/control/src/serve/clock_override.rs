//! `--trust-clock`: counters that were kept under a clock that was ahead are written anew, without windows that
//! begin later than now.
//!
//! Left in the journal, such a window would hide every charge of an earlier one until its time comes. The old
//! counters stay beside the new ones, under a name that nothing reads.

use super::accounts::Accounts;
use crate::failure::Failure;
use config::StoreSettings;
use gateway::Handle;
use journal::{Charge, JournalError, Options, Row};
use std::{fs, io, path::Path};

const COUNTERS: &str = "counters";
/// Where the new counters are made, in the store's folder.
const MAKING: &str = "counters-being-made";

/// Ends what a crash broke off in [`leave_behind`]: the old counters were moved away, the new are complete.
pub(super) fn finish(store: &Path) -> Result<(), Failure> {
    let (made, place) = (store.join(MAKING).join(COUNTERS), store.join(COUNTERS));
    if made.exists() && !place.exists() {
        fs::rename(&made, &place).and_then(|()| sync(store)).map_err(|error| failed(store, &error))?;
    }
    match fs::remove_dir_all(store.join(MAKING)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(store, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes the counters anew if they are ahead of `now` (Unix seconds).
pub(super) fn leave_behind(settings: &StoreSettings, handle: &Handle, now: u64) -> Result<(), Failure> {
    let of_journal = |error: JournalError| Failure::new(error.to_string());
    let mut kept: Vec<Row> = Vec::new();
    let mut accounts = Accounts::new(|who, used| {
        let begun = handle.begun(who, used, now.saturating_mul(1000)).into_iter();
        kept.extend(begun.map(|used| Row {
            who: *who,
            tag: used.tag.0,
            window: used.window,
            units: used.units,
        }));
    });
    let (journal, writers, report) =
        journal::open(&options(settings, &settings.path), now, &mut |row, second| accounts.add(row, second))
            .map_err(of_journal)?;
    drop(writers);
    journal.close(report.newest.max(now)).map_err(of_journal)?;
    if report.newest <= now {
        return Ok(());
    }
    accounts.finish();
    let making = settings.path.join(MAKING);
    fs::create_dir_all(&making).map_err(|error| failed(&settings.path, &error))?;
    let opened = journal::open(&options(settings, &making), now, &mut |_, _| ());
    let (mut journal, mut writers, _) = opened.map_err(of_journal)?;
    for row in &kept {
        let Some(writer) = writers.first_mut() else { break };
        let mut charge = Charge::new(row.who, row.units);
        let _ = charge.push(row.tag, row.window); // an empty charge has room for one
        writer.append(&charge, now);
        if writer.is_full() {
            journal.commit(now).map_err(of_journal)?;
        }
    }
    drop(writers);
    journal.close(now).map_err(of_journal)?;
    let aside = settings.path.join(format!("{COUNTERS}-ahead-until-{}", report.newest));
    fs::rename(settings.path.join(COUNTERS), aside)
        .and_then(|()| sync(&settings.path))
        .map_err(|error| failed(&settings.path, &error))?;
    finish(&settings.path)
}

fn options(settings: &StoreSettings, folder: &Path) -> Options {
    let mut options = Options::new(folder.to_owned(), 1);
    options.memory.clone_from(&settings.shared_memory);
    options
}

fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn failed(store: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the counters anew in {}: {error}", store.display()))
}
