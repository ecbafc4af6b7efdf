//! Every command as a process of its own, with a gateway that serves the admin socket and without.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is how a fault is told, also outside of the test functions themselves"
)]

mod docs;
mod fixture;
mod import;
mod incidents;
mod keys;
mod maintenance;
mod socket;
mod usage;
mod usage_report;
