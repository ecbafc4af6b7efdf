//! Every kind of limit on the wire: what a client sees of it, step by step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test says what it found by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod concurrency;
mod countdown;
mod groups;
mod restarts;
mod several;
mod telling;
mod told_costs;
mod windows;
