//! HTTP/2 connections whose streams are read and written as connections of HTTP/1.1 are.
//!
//! What comes on a stream is read as the bytes of an HTTP/1.1 message (`incoming`, `text`), and goes through the same
//! parsing, checks and forwarding as any other; what is written is taken apart into frames again (`outgoing`). So there
//! is one contract and one place for each rule. The protocol itself is the crate `http2`.
//!
//! One task drives a connection: it alone touches the socket ([`Wire`]). One task works on a stream. They meet in a
//! [`Connection`], which belongs to one thread. What clients' connections and those to upstreams keep beyond that is
//! theirs ([`Side`]).

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
