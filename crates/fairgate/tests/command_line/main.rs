//! Every command as a process of its own, with a gateway that serves the admin socket and without.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod docs;
mod fixture;
mod import;
mod incidents;
mod keys;
mod maintenance;
mod moving;
mod socket;
mod usage;
mod usage_report;
