//! Why a gateway cannot start.

use crate::config::routes::BadTemplate;
use std::io;
use transport::listen::ListenError;

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Listening on an address failed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A path template cannot be routed.
    #[error(transparent)]
    Template(#[from] BadTemplate),
    /// A thread or its runtime could not be started.
    #[error("cannot start a data thread: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// Whether another program listens there.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Listen(error) => error.is_taken(),
            Self::Template(_) | Self::Thread(_) => false,
        }
    }
}
