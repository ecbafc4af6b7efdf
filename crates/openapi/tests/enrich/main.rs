//! Enriched documents, from the files of a document to what a client reads.

mod bundling;
mod contract;
mod documents;
mod hostile;
mod snapshots;
mod yaml;
