//! Upstreams: which service a request is for, which of its addresses is asked, and the connections there.
//!
//! What data threads share of an address (its health, what is in flight) is atomics in [`Backend`]; connections are
//! each thread's own: for HTTP/1.1 those that wait to be
//! used again (`pool`), for HTTP/2 those that many requests share (`http2`). Names are resolved and addresses are checked by a thread beside the data path (`keeper`).

mod backend;
mod budget;
mod check;
mod choice;
mod connect;
mod cookie;
mod dns;
mod first_look;
mod health;
mod http2;
mod keeper;
mod names;
mod pool;
mod service;
mod view;

pub(crate) use backend::{Backend, Flight};
pub(crate) use choice::{Chosen, MOST_ADDRESSES};
pub(crate) use connect::connect;
pub(crate) use cookie::public as public_cookie;
pub(crate) use http2::{Call, NoCall, Patience};
pub(crate) use keeper::run as keep;
pub(crate) use pool::{Pool, Upstream};
pub(crate) use service::{Service, Services};
pub(crate) use view::of as view;
pub use view::{UpstreamState, UpstreamView};
