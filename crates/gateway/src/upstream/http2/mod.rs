//! HTTP/2 to upstreams: many requests on one connection of a data thread to an address.
//!
//! A [`Call`] is one request on a stream. It is written and read as a connection of HTTP/1.1 is, so that forwarding,
//! time-outs, retries and charges are the same for both; what HTTP/2 calls its parts is made of the pieces that streams of
//! clients are made of (`crate::http2`). A [`Line`] is a connection: one task drives it (`driver`) and alone touches the
//! socket. [`Lines`] are those of one thread: which of them a request goes to, and when another one is opened.

mod call;
mod driver;
mod line;
mod lines;

pub(crate) use call::Call;
use line::Line;
pub(crate) use lines::{Lines, NoCall, Patience, call_alone};
