//! Enriched documents, from the files of a document to what a client reads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is how a fault is told, also outside of the test functions themselves"
)]

mod bundling;
mod clients;
mod contract;
mod documents;
mod hostile;
mod snapshots;
mod yaml;
