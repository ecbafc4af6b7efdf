//! What a fault of PostgreSQL means for the ledger.

use crate::LedgerError;
use postgres::{Fault, Kind};

/// A table or a function is not there.
const NOT_THERE: [&str; 3] = ["42883", "42P01", "3F000"];

/// Whether the server has to get tables and functions.
pub(crate) fn is_bare(fault: &Fault) -> bool {
    fault.state().is_some_and(|state| NOT_THERE.contains(&state))
}

pub(crate) fn error(place: &str, fault: &Fault) -> LedgerError {
    let (server, why) = (place.to_owned(), fault.detail().to_owned());
    match fault.kind() {
        Kind::Unreachable | Kind::NotReady | Kind::Broken | Kind::TimedOut => {
            LedgerError::Unreachable { server, why }
        }
        Kind::Denied => LedgerError::Refused { server, why },
        Kind::ReadOnly => LedgerError::NotPrimary { server, why },
        Kind::Full => LedgerError::Full { server, why },
        Kind::Conflict => LedgerError::Busy { server, why },
        // Rights are missing.
        Kind::Refused if fault.state() == Some("42501") => LedgerError::Refused { server, why },
        Kind::Refused => LedgerError::Unexpected { server, why },
    }
}
