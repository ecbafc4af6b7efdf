//! An OpenAPI document in, rules for requests out; and back: the document enriched with the contract.
//!
//! The path of a document: [`documents`] reads its files and follows references, [`reading`] makes an
//! [`api::Api`] of them whatever their version, [`rules`] compiles the rules for requests, and
//! [`enrich`] writes the document that clients get. Pure: no disk, no socket, no clock.

pub mod api;
pub mod documents;
pub mod enrich;
pub mod fault;
mod media;
pub mod reading;
pub mod rules;
mod schema;
mod strictness;
mod text;

pub use schema::patterns::literal;
