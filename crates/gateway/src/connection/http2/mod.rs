//! HTTP/2 from clients: one task drives the connection (`driver`), one works on each stream (`serve`).

mod driver;
mod serve;
mod settling;

pub(crate) use driver::{serve, turn_away};

/// What the first bytes of a client are that speaks HTTP/2 without being asked: a head to HTTP/1.1.
pub(crate) const PREFACE_HEAD: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
