//! The hash function of the key table.

/// The hash function of the table. Digests are random already, but an attacker who fills one bucket
/// could make the table grow forever, so every bit counts.
pub(super) type Seeded = foldhash::fast::RandomState;
