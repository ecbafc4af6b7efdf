//! HTTP/2: each stream of a client's becomes a connection of HTTP/1.1 with one request on it.
//!
//! What comes on a stream is read as the bytes of an HTTP/1.1 request (`incoming`, `text`), goes through the same
//! parsing, checks and forwarding as any other, and the answer's bytes are taken apart into frames again
//! (`outgoing`). So there is one contract and one place for each rule. The protocol itself is the crate `http2`.
//!
//! One task drives a connection: it alone touches the socket. One task works on a stream. They meet in a [`Link`],
//! which belongs to one data thread. Those of clients are in `connection/http2/`, those to upstreams, which are made of
//! the same pieces ([`Call`], [`Line`]), in `upstream/http2/`.

mod call;
mod incoming;
mod line;
mod link;
mod outgoing;
mod stream;
mod text;

pub(crate) use call::Call;
pub(crate) use incoming::Body;
pub(crate) use line::Line;
pub(crate) use link::{
    Due, Expected, LastBytes, Link, Links, MAX_WAITING_TO_READ, Seat, State, Unprocessed, wake,
};
pub(crate) use outgoing::{Opened, Outgoing};
pub(crate) use stream::{Stream, gone, poll_write};
pub(crate) use text::{write_answer, write_request};
