//! What changes while the gateway runs: plans, keys, and both while requests are in flight.
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

mod in_flight;
mod keys;
mod plans;
mod reload;
mod windows;
