//! How many files and sockets the process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than any gateway needs.
const ENOUGH: u64 = 1 << 20;
/// For all that is neither a client nor an upstream: the store, the journal, the log, idle upstream connections.
const RESERVED: u64 = 256;

/// Raises the soft limit as far as may be: it is there for programs that cannot deal with many.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(ENOUGH);
        if soft < wanted {
            // If it cannot be raised, the gateway has as many as it has.
            let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}

/// Connections of clients for which there is room, each with one to an upstream.
pub fn most_connections() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(ENOUGH, |(soft, _)| soft.min(ENOUGH));
    usize::try_from((soft.saturating_sub(RESERVED) / 2).max(soft / 4)).unwrap_or(usize::MAX)
}
