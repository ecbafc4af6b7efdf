//! What limits promise, kind by kind, through the crate's public API.
#![cfg(not(feature = "loom"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod accounts;
mod changes;
mod days;
mod late;
mod plans;
mod rate;
mod threads;
