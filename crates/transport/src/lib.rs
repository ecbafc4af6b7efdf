//! Connections below HTTP: listening, connection limits, the PROXY protocol, TLS, I/O, deadlines.
//!
//! Handles bytes, sockets and time; knows nothing of the protocols above.

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
