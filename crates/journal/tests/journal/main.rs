//! The memory of charges, held against what was charged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is how a fault is told, also outside of the test functions themselves"
)]

mod crash;
mod damage;
mod sending;
mod world;
