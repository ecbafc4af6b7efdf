//! The data plane of Fairgate: listen, admit, route, check, forward, respond, record.
//!
//! The way of a request reads from top to bottom in `handle`; the order of checks in `admit`; the
//! only place where an error becomes HTTP is `respond`.

mod access_log;
mod admit;
mod checks;
mod client;
pub mod clock;
mod compression;
mod config;
mod connection;
mod connection_limit;
mod context;
mod deadline;
mod described;
mod descriptors;
mod door;
mod fill;
mod forward;
mod handle;
mod handshakes;
mod held;
mod http2;
mod incidents;
pub mod keyring;
mod load;
pub mod maintenance;
mod origin;
mod pace;
mod pages;
mod payment;
mod peer;
mod peers;
mod places;
mod policies;
mod presence;
mod proxy_protocol;
mod rate_headers;
pub mod record;
mod refusal;
mod refusals;
mod request_id;
mod respond;
mod routes;
mod server;
pub mod settings;
mod shared;
mod sockets;
mod start_error;
mod text;
mod thread;
pub mod tls;
mod transport;
mod turn;
mod upstream;
pub mod usage;

pub use described::{live, of as reference_of};
pub use load::ThreadLoad;
pub use server::{Compiled, Gateway, Handle, NotOpen, Unused};
pub use sockets::Handed;
pub use start_error::StartError;
pub use upstream::{UpstreamState, UpstreamView};
