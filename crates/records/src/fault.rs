//! Why a question came to nothing, and how that is told.

use postgres::{Fault, Kind, Row, types::FromSql};
use store::StoreError;

/// Why a question came to nothing.
pub(crate) enum Failed {
    /// Nothing was done.
    Nothing(Fault),
    /// It was to be committed, and whether it was nobody knows.
    Unsure(Fault),
    /// A refusal of ours.
    Store(StoreError),
}

impl Failed {
    /// A record that no Fairgate wrote, in this table.
    pub(crate) fn damaged(table: &str) -> Self {
        Self::Store(StoreError::Shared {
            why: format!(
                "a record of `fairgate.{table}` in PostgreSQL cannot be read: put back a copy of the database"
            ),
        })
    }

    pub(crate) fn told(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Unsure(fault) => StoreError::Unsure { why: fault.to_string() },
            Self::Nothing(fault) => match fault.kind() {
                Kind::Unreachable
                | Kind::NotReady
                | Kind::ReadOnly
                | Kind::Broken
                | Kind::TimedOut
                | Kind::Conflict
                | Kind::Full => StoreError::Away { why: fault.to_string() },
                Kind::Denied | Kind::Refused => StoreError::Shared { why: fault.to_string() },
            },
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Nothing(fault)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A value of a row of this table.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize, table: &str) -> Result<T, Failed> {
    row.try_get(at).map_err(|_| Failed::damaged(table))
}

/// A number that is never negative.
pub(crate) fn count(row: &Row, at: usize, table: &str) -> Result<u64, Failed> {
    u64::try_from(get::<i64>(row, at, table)?).map_err(|_| Failed::damaged(table))
}

/// As PostgreSQL keeps it, which has no unsigned numbers.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
