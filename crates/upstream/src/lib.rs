//! Upstreams: service selection, load balancing, and connections.
//!
//! The state of an address that data threads share (its health, requests in flight) is atomics in
//! [`Backend`]; each thread has its own connections: for HTTP/1.1 idle ones (`pool`), for HTTP/2
//! shared ones (`http2`). Callers of [`names`], [`check`] and [`first_look`] resolve names and
//! check addresses outside of the data path. This crate knows nothing of clients and their
//! permissions.

mod backend;
mod budget;
pub mod check;
mod choice;
mod connection;
mod cookie;
mod dial;
mod dns;
pub mod first_look;
mod health;
mod http2;
mod io;
pub mod location;
pub mod names;
mod pool;
mod resolved;
mod service;
pub mod settings;
mod view;

pub use backend::{Backend, Flight, Waiting, millis};
pub use choice::Chosen;
pub use connection::{Home, Upstream, connect};
pub use cookie::public as public_cookie;
pub use health::{Health, Now, Share};
pub use http2::{NoStream, StreamTimeouts, Unprocessed};
pub use io::Io;
pub use pool::Pool;
pub use resolved::Resolved;
pub use service::{Service, Services};
pub use view::{UpstreamState, UpstreamView, of as view};
