//! The limit of open files and sockets.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than any gateway needs.
const ENOUGH: u64 = 1 << 20;
/// Reserved for everything but clients and their upstream connections: the store, the journal, the
/// log, idle connections.
const RESERVED: u64 = 256;

/// Raises the soft limit as far as possible: it is low for programs that cannot handle many.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(ENOUGH);
        if soft < wanted {
            // If it cannot be raised, the gateway works with the current limit.
            let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}

/// How many clients can connect, each with one connection to an upstream.
pub fn max_connections() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(ENOUGH, |(soft, _)| soft.min(ENOUGH));
    usize::try_from((soft.saturating_sub(RESERVED) / 2).max(soft / 4)).unwrap_or(usize::MAX)
}
