//! The life cycle of the process: start, refusal to start, drain, restart, kill, the command line.
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

mod commands;
mod draining;
mod emergencies;
mod harness;
mod log_events;
mod readiness;
mod refusing_to_start;
mod succession;
mod surviving;
mod usage;
