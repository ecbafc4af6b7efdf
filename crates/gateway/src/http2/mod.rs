//! HTTP/2: each stream of a client's becomes a connection of HTTP/1.1 with one request on it.
//!
//! What comes on a stream is read as the bytes of an HTTP/1.1 request (`incoming`, `text`), goes through the same
//! parsing, checks and forwarding as any other, and the answer's bytes are taken apart into frames again
//! (`outgoing`). So there is one contract and one place for each rule. The protocol itself is the crate `http2`.
//!
//! One task drives a connection (`driver`): it alone touches the socket. One task works on a stream (`serve`). They
//! meet in a [`Link`], which belongs to one data thread.
//!
//! Connections to upstreams are made of the same pieces, the other way round: `upstream/http2/`.

mod driver;
mod incoming;
mod link;
mod outgoing;
mod serve;
mod stream;
mod text;

pub(crate) use driver::{serve, turn_away};
pub(crate) use link::{Expected, Link, Links, MAX_WAITING_TO_READ, Seat, State, Unseen, wake};
pub(crate) use outgoing::{Opened, Outgoing};
pub(crate) use stream::{Stream, gone, poll_write};
pub(crate) use text::write_answer;

/// What the first bytes of a client are that speaks HTTP/2 without being asked: a head to HTTP/1.1.
pub(crate) const PREFACE_HEAD: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
