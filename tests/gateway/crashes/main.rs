//! What is charged after kills, power cuts, full disks and damaged files: the counters against a
//! ledger of what clients saw.
//!
//! The long form: `FAIRGATE_CRASH_ROUNDS=100 cargo test --release -p fairgate --test crashes -- --nocapture`.
//! `FAIRGATE_CRASH_SEED` repeats a run's choices (not its timing); the seed is printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod damaged_counters;
mod deeds;
mod full_disk;
mod kills;
mod ledger;
#[path = "../http2/peer.rs"]
#[allow(dead_code, reason = "the tests of HTTP/2 need more of it")]
mod peer;
mod power_cuts;
mod rounds;
mod streams;
mod totals;
