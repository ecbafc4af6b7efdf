//! Enriched documents, from the files of a document to what a client reads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod bundling;
mod clients;
mod contract;
mod documents;
mod hostile;
mod snapshots;
mod yaml;
