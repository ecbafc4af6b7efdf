//! The data plane of Fairgate: listen, admit, route, check, forward, respond, record.
//!
//! The way of a request reads from top to bottom in `handle`; the order of checks in `admit`; the
//! only place where an error becomes HTTP is `respond`.

mod admit;
mod buffer;
mod checks;
mod client;
pub mod clock;
mod compression;
mod config;
mod connection;
mod deadline;
mod descriptors;
mod door;
mod doorkeeper;
mod forward;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handle;
mod held;
mod http1;
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
mod request_id;
mod respond;
mod routes;
mod server;
pub mod settings;
mod shared;
mod sockets;
mod text;
mod thread;
pub mod tls;
mod transport;
mod turn;
mod upstream;
pub mod usage;
mod visit;

pub use load::ThreadLoad;
pub use pages::{live, reference_of};
pub use server::{Compiled, Gateway, Handle, NotOpen, StartError, Unused};
pub use sockets::Handed;
pub use upstream::{UpstreamState, UpstreamView};
