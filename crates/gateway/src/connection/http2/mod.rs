//! HTTP/2 with clients: one task drives the connection (`driver`), and one task serves each stream (`serve`).

mod driver;
mod serve;
mod settling;

pub(crate) use driver::{serve, turn_away};

/// The beginning of the preface of a client with prior knowledge of HTTP/2: it looks like an HTTP/1.1 head.
pub(crate) const PREFACE_HEAD: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
