//! How the control plane is reached: by its own commands on a Unix socket, by others over HTTP.

pub(crate) mod http;
mod metrics;
pub(crate) mod unix;
