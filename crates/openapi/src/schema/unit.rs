//! Units: each schema that a reference names is one, compiled once, and is known by its number.

/// The number of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UnitId(pub(crate) u32);
