//! A store is moved into a cluster and back: the same keys, and each limit goes on where it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test says what it found by panicking"
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

mod broken_off;
mod there_and_back;
