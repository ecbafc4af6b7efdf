//! What somebody may have meant.

/// The known name that is most like one that is not known, if it is like it at all.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |known: &&str| (strsim::jaro_winkler(known, name) * 1000.0) as u32;
    known.max_by_key(likeness).filter(|known| likeness(known) > 700)
}
