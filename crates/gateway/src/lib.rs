//! The data plane of Fairgate: listen, admit, route, check, forward, respond, record.
//!
//! The way of a request reads from top to bottom in `handle`; the order of checks in `admit`; the
//! only place where an error becomes HTTP is `respond`.

mod accept;
mod access_log;
mod admit;
mod buffered;
mod checks;
mod client;
pub mod clock;
mod compression;
mod config;
mod connection;
mod context;
mod described;
mod endpoint_ids;
mod forward;
mod handle;
mod handshakes;
mod http2;
mod incidents;
mod io;
pub mod keyring;
mod load;
pub mod maintenance;
mod origin;
mod pace;
mod pages;
mod payment;
mod peer;
mod policies;
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
mod start_error;
mod text;
mod thread;
pub mod usage;

pub use described::{live, of as reference_of};
pub use load::ThreadLoad;
pub use server::{Compiled, Gateway, Handle, NotOpen, Unused};
pub use start_error::StartError;
pub use transport::listen::Handed;
pub use transport::tls;
pub use upstream::{UpstreamState, UpstreamView};
