//! How the table of keys hashes.

/// Hashes for the table. Digests are random already, but a table that finds too many of them in one place grows
/// for ever, so every bit of them counts.
pub(super) type Seeded = foldhash::fast::RandomState;
