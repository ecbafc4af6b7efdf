//! Why a gateway does not start, or fails.

use gateway::StartError;
use std::fmt;
use store::StoreError;

/// Why a gateway does not start, or fails.
#[derive(Debug)]
pub struct Failure {
    message: String,
    is_of_listening: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_of_listening: false }
    }

    pub(crate) fn of_start(error: &StartError) -> Self {
        let is_of_listening = match error {
            StartError::Listen { .. } => true,
            StartError::Template(_) | StartError::Thread(_) => false,
        };
        Self { message: error.to_string(), is_of_listening }
    }

    /// Whether another address could help.
    pub const fn is_of_listening(&self) -> bool {
        self.is_of_listening
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}
