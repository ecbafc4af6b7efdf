//! Clocks that change under a running gateway: calendar windows at their very ends, and a wall clock that is set.
//!
//! The wall clock is libfaketime's; the monotonic clock stays the machine's own.
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

mod begins;
mod fake_time;
mod set_clocks;
mod windows;
