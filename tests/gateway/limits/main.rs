//! Every kind of limit on the wire: what a client sees, step by step.
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

mod addresses;
mod concurrency;
mod countdown;
mod groups;
mod limit_headers;
mod reported_costs;
mod restarts;
mod several;
mod windows;
