//! Why a gateway does not start.

use crate::routes::BadTemplate;
use std::{io, net::SocketAddr};

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}{advice}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        error: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A path template cannot be routed.
    #[error(transparent)]
    Template(#[from] BadTemplate),
    /// A thread or its runtime cannot be started.
    #[error("cannot start a data thread: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// Whether another program listens there.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Listen { error, .. } => error.kind() == io::ErrorKind::AddrInUse,
            Self::Template(_) | Self::Thread(_) => false,
        }
    }
}
