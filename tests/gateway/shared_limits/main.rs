//! Several gateways that share each limit through one ledger: real processes, a real Valkey, real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

#[path = "../limits/limit_headers.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of it")]
mod limit_headers;
#[path = "../../servers/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod server;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../servers/valkey.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod valkey_server;

mod dying;
mod losing;
mod node;
mod nodes;
mod serving;
mod sharing;
