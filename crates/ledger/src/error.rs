//! Why the ledger did not answer.

use thiserror::Error;

/// Why the ledger did not answer. Each text is for operators: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// The URL is invalid.
    #[error("invalid ledger URL: {0}")]
    Url(String),
    /// TLS cannot be set up.
    #[error("TLS to the ledger cannot be set up: {0}")]
    Tls(String),
    /// No connection, or it was lost.
    #[error("ledger at {server} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        server: String,
        /// Why.
        why: String,
    },
    /// No answer in time.
    #[error("ledger did not answer within {0} ms")]
    TimedOut(u128),
    /// Wrong password, unknown user or missing permission.
    #[error(
        "ledger at {server} refuses this user: {why}. Check user, password and permissions of the ledger URL"
    )]
    Refused {
        /// Where.
        server: String,
        /// What the server says.
        why: String,
    },
    /// The server is too old.
    #[error("ledger at {server} is {found}, which is too old: {needed} or later is required")]
    TooOld {
        /// Where.
        server: String,
        /// What it is.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// The server is set up in a way that loses grants unnoticed.
    #[error("ledger at {server} is not safe to use: {why}")]
    Unsafe {
        /// Where.
        server: String,
        /// Why, and what to do.
        why: String,
    },
    /// No memory or no disk left.
    #[error("ledger at {server} is full: {why}. Give it more memory or disk")]
    Full {
        /// Where.
        server: String,
        /// What the server says.
        why: String,
    },
    /// The server is loading, blocked by a script, or fails over.
    #[error("ledger at {server} is busy: {why}")]
    Busy {
        /// Where.
        server: String,
        /// What the server says.
        why: String,
    },
    /// The server is not the primary any more, or nobody confirms that it is.
    #[error("ledger at {server} is not known to be the primary: {why}")]
    NotPrimary {
        /// Where.
        server: String,
        /// Why.
        why: String,
    },
    /// The list of members cannot be had, so no epoch can begin.
    #[error("the ledger is new or was replaced, and the list of members is not available: {0}")]
    Members(String),
    /// A message that no engine can carry.
    #[error("the message cannot be carried: {0}")]
    Message(&'static str),
    /// The server said what is not understood.
    #[error("unexpected reply of the ledger at {server}: {why}")]
    Unexpected {
        /// Where.
        server: String,
        /// What it said.
        why: String,
    },
}

impl LedgerError {
    /// Whether waiting may help. False: an operator has to do something.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut(_)
            | Self::Busy { .. }
            | Self::NotPrimary { .. }
            | Self::Members(_) => true,
            Self::Url(_)
            | Self::Tls(_)
            | Self::Refused { .. }
            | Self::TooOld { .. }
            | Self::Unsafe { .. }
            | Self::Full { .. }
            | Self::Message(_)
            | Self::Unexpected { .. } => false,
        }
    }
}
