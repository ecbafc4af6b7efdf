//! Connections below HTTP: listening, who may come in, the proxy's header, TLS, reading and writing, deadlines.
//!
//! Knows bytes, sockets and time, and nothing of what is said on a connection.

pub mod accept;
pub mod connection_limit;
pub mod connection_state;
pub mod deadline;
pub mod descriptors;
pub mod fill;
pub mod listen;
pub mod peers;
mod proxy_protocol;
pub mod socket;
pub mod tls;
pub mod turn;

pub use deadline::Deadline;
pub use fill::Fill;
pub use socket::{Readable, Socket};
