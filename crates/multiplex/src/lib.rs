//! HTTP/2 connections whose streams are read and written like HTTP/1.1 connections.
//!
//! An incoming message is read as HTTP/1.1 bytes (`incoming`, `text`), and goes through the same
//! parsing, checks and forwarding as any other; what is written is converted to frames
//! (`outgoing`). So there is one contract, and each rule is implemented once. The crate `http2`
//! implements the protocol itself.
//!
//! One task drives a connection, and only this task uses the socket ([`Wire`]). Another task serves
//! each stream. They share a
//! [`Connection`], which belongs to one thread. Connections of clients and connections to upstreams
//! have additional state ([`Side`]).

mod connection;
mod incoming;
mod outgoing;
mod stream;
mod text;
mod wire;

pub use connection::{Connection, Side, State, StreamState, wake};
pub use incoming::{Body, Incoming};
pub use outgoing::{Opened, Outgoing};
pub use stream::{gone, poll_write};
pub use text::{write_answer, write_request};
pub use wire::{Wire, poll_write_output};
