//! The data plane of Fairgate: listen, admit, route, check, forward, respond, record.
//!
//! The request path reads from top to bottom in `handle`; the order of checks is in `admit`; errors
//! become HTTP only in `respond`.

mod admit;
mod client;
pub mod clock;
mod cluster;
mod config;
mod connection;
mod context;
mod forward;
mod handle;
mod io;
pub mod keyring;
mod pages;
mod policies;
pub mod record;
mod respond;
mod server;
pub mod settings;
mod settle;
mod state;

pub use cluster::{Cluster, ClusterView, Step, ledger_rule};
pub use config::{
    described::{live, of as reference_of},
    maintenance,
};
pub use record::usage;
pub use server::{Compiled, Gateway, Handle, NotOpen, StartError, Unused};
pub use state::load::ThreadLoad;
pub use transport::listen::Handed;
pub use transport::tls;
pub use upstream::{UpstreamState, UpstreamView};
