//! Upstreams: which service a request is for, which of its addresses is asked, and the connections there.
//!
//! What data threads share of an address (its health, what is in flight) is atomics in [`Backend`]; connections are
//! each thread's own: for HTTP/1.1 those that wait to be used again (`pool`), for HTTP/2 those that many requests share
//! (`http2`). Names are resolved and addresses are checked by whoever calls [`names`], [`check`] and [`first_look`], beside
//! the data path. What a client is, and what it may, is none of this crate's business.

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
