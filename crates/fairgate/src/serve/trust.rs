//! Until when the journal is not believed: what `--trust-clock` leaves behind for the starts after it.
//!
//! Charges that were recorded under a clock that was ahead stay in the journal for weeks. Without a note, the
//! next start would refuse again, or bring their windows back.

use crate::failure::Failure;
use std::{fs, io, path::Path};

/// The note in the store's folder: the Unix second up to which the journal was ahead.
const NOTE: &str = "clock-trusted";

/// Up to which Unix second the journal is not believed. None: it is.
pub(super) fn read(folder: &Path) -> Result<Option<u64>, Failure> {
    let path = folder.join(NOTE);
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| {
            Failure::new(format!("{} holds no number; remove it to believe the journal", path.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    }
}

/// Notes that the journal is not believed up to this Unix second.
pub(super) fn write(folder: &Path, second: u64) -> Result<(), Failure> {
    let path = folder.join(NOTE);
    let written = fs::write(&path, format!("{second}\n")).and_then(|()| fs::File::open(&path)?.sync_all());
    written.map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

/// Believes the journal again. A note that stays only keeps what it says.
pub(super) fn remove(folder: &Path) {
    let _ = fs::remove_file(folder.join(NOTE));
}
