//! Fairness: what is charged, what is free, and that no limit is ever exceeded by a race.
//!
//! That every error code of the registry is free is in `errors_are_free`, which is compiled into
//! the contract tests because it walks their stages.
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

mod disconnects;
mod half_requests;
mod races;
mod windows;
