//! The rows of the registry, in the order in which the reference page shows them.

use super::Key;

/// A day in milliseconds: no phase of a request takes longer.
const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;
const CENTURY: u64 = 36_525 * DAY;
const KIB: u64 = 1_024;
const MIB: u64 = KIB * KIB;
const TIB: u64 = KIB * KIB * KIB * KIB;

macro_rules! rows {
    ($($id:ident = $table:ident $name:literal, $shape:expr, $absent:expr, $example:literal $(, also $($also:literal),+)?;
       $meaning:literal)*) => {
        $(pub(crate) const $id: Key = Key {
            table: Table::$table,
            name: $name,
            shape: $shape,
            absent: $absent,
            example: $example,
            meaning: $meaning,
            also_called: &[$($($also),+)?],
        };)*

        /// All of them.
        pub(super) const ROWS: &[&Key] = &[$(&$id),*];
    };
}

mod api;
mod endpoints;
mod listen;
mod operations;
mod requests;
mod upstream;

pub(crate) use self::{api::*, endpoints::*, listen::*, operations::*, requests::*, upstream::*};

/// Every key.
pub(crate) fn rows() -> impl Iterator<Item = &'static Key> {
    [api::ROWS, listen::ROWS, upstream::ROWS, requests::ROWS, endpoints::ROWS, operations::ROWS]
        .into_iter()
        .flatten()
        .copied()
}
