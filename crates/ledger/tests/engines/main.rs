//! The engines against real servers, which the tests start themselves: Valkey, Redis, Sentinels, a cluster, PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]
#![allow(unreachable_pub, dead_code, reason = "the modules of a test")]

mod differential;
mod failover;
mod faults;
mod fleet;
#[path = "../../../../tests/servers/postgres.rs"]
mod postgres_server;
mod postgresql;
mod servers;
#[path = "../../../../tests/servers/valkey.rs"]
mod valkey_server;
