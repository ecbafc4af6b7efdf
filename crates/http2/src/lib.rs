//! HTTP/2 (RFC 9113) and HPACK (RFC 7541), for both sides of a connection.
//!
//! No I/O: bytes go in and come out, and time is a parameter. A [`Connection`] takes received
//! bytes, reports [`Event`]s, and holds the output. It contains no policy, and of HTTP semantics
//! only what RFC 9113 requires of the protocol: which messages are malformed (`message`).
//!
//! The memory that a peer can occupy is bounded: header blocks and field sections by
//! [`Config::max_header_list_size`], bodies by the windows, streams by
//! [`Config::max_concurrent_streams`]. Replies to control frames are bounded by the caller, who
//! stops reading while the peer does not read them. `guard` bounds useless work.

mod closed;
mod code;
mod connection;
mod flow;
mod frame;
mod guard;
pub mod hpack;
mod message;
mod output;
mod settings;
mod stream;

pub use code::ErrorCode;
pub use connection::{Config, Connection, Event, Role};
pub use frame::PREFACE;
pub use hpack::Fields;
pub use message::{Malformed, Request, Response, check_trailers};
