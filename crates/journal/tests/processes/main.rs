//! Processes that are killed or run out of room. Apart from the other tests: a process that is being
//! started holds all locks of this one for a moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod disk_full;
mod every_call;
mod killed;
mod power_cut;
#[path = "../journal/world.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod world;
