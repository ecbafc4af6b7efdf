//! Reads the counters of a store that nobody counts in, and changes nothing.

use crate::{
    base::Base,
    error::JournalError,
    finding::Report,
    folder::Folder,
    options::Options,
    recovery::Recovered,
    row::Row,
    shared::{self, Places},
};

/// Hands every row that counts to `each`, as [`open`](crate::open) does, what only shared memory has included. Nothing is
/// written; others are kept from counting there meanwhile. A store without counters has no rows.
///
/// # Errors
/// As those of [`open`](crate::open): `each` may have been given rows, which are not to be used.
pub fn read(options: &Options, each: &mut dyn FnMut(Row, u32)) -> Result<Report, JournalError> {
    if !Folder::exists(&options.folder) {
        return Ok(Report::default());
    }
    let (folder, _lock) = Folder::open(&options.folder)?;
    let files = Places::of(options, &folder).left()?;
    let Some(mut base) = Base::find(&folder)? else { return Ok(Report::default()) };
    let mut findings = std::mem::take(&mut base.findings);
    let (boot, store) = (shared::boot_id()?, shared::random_id()?);
    let found = Recovered::read(&folder, &base, &files, boot, store, &mut findings, each)?;
    Ok(Report { findings, newest: found.newest, rows: found.rows, from_memory: found.from_memory })
}
