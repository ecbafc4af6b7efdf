//! Bad days of a cluster: each fault of the ledger, of PostgreSQL, of the network and of a node, on real servers and three
//! real gateways, each in a network namespace of its own.
//!
//! Each test says what clients are answered meanwhile, what the log and `fairgate cluster status` name as the cause, that
//! nothing was over-admitted and no error charged, and that demand is admitted exactly to the limit once the fault is over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test says what it found by panicking"
)]

#[path = "../clocks/fake_time.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of it")]
mod fake_time;
#[path = "../../servers/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod server;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../servers/valkey.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod valkey_server;

mod ledger;
mod network;
mod nodes;
mod partitions;
mod records;
mod relay;
mod scene;
mod successors;
