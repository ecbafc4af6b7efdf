//! HTTP/2 (RFC 9113) and HPACK (RFC 7541) on the wire, for both sides of a connection.
//!
//! Pure: bytes come in and go out, time is an argument. A [`Connection`] takes what was read, tells what
//! happened as [`Event`]s, and holds what is to be written. It knows no policy and no HTTP semantics beyond
//! what RFC 9113 makes the protocol's business: what it calls malformed (`message`).
//!
//! What a peer can make it hold is bounded: header blocks and lists by [`Config::largest_list`], bodies
//! by the windows, streams by [`Config::most_streams`], answers to control frames by who stops reading
//! while they are not taken. What a peer can make it do for nothing is bounded by `guard`.

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
