//! Upstreams: which service a request is for, which of its addresses is asked, and the connections there.
//!
//! What data threads share of an address (its health, what is in flight) is atomics in [`Backend`]; connections are
//! each thread's own: for HTTP/1.1 those that wait to be
//! used again (`pool`), for HTTP/2 those that many requests share (`http2`). Names are resolved and addresses are checked by a thread beside the data path (`server/upstreams`).

mod backend;
mod budget;
pub(crate) mod check;
mod choice;
mod connect;
mod connection;
mod cookie;
mod dns;
pub(crate) mod first_look;
mod health;
mod http2;
pub(crate) mod names;
mod pool;
mod resolved;
mod service;
mod view;

pub(crate) use backend::{Backend, Flight, millis};

pub(crate) use choice::Chosen;
pub(crate) use connect::connect;
pub(crate) use connection::Upstream;
pub(crate) use cookie::public as public_cookie;
pub(crate) use health::Now;
pub(crate) use http2::{NoCall, Patience};
pub(crate) use pool::Pool;
pub(crate) use service::{Service, Services};
pub(crate) use view::of as view;
pub use view::{UpstreamState, UpstreamView};
