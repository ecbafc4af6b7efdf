//! The memory of charges, compared with what was charged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod crash;
mod damage;
mod reading;
mod sending;
mod world;
