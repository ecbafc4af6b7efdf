//! Why an operation was not carried out: a code for programs, and a sentence for people.

use serde::{Deserialize, Serialize};
use store::StoreError;

/// Ids have 20 characters.
const LONGEST_KEY_ID: usize = 24;

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// No plan has this name.
    #[error("there is no plan `{plan}`{}; the configuration has {}", suggestion(nearest), listing(known))]
    UnknownPlan {
        /// What was asked for.
        plan: String,
        /// The plans that there are.
        known: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// No key has these ids.
    #[error("{}: `fairgate keys list` shows all", unknown_keys(ids))]
    UnknownKeys {
        /// The ids.
        ids: Vec<String>,
    },
    /// No window of maintenance has this id.
    #[error("no maintenance has the id `{id}`: `fairgate maintenance list` shows all")]
    UnknownMaintenance {
        /// The id.
        id: String,
    },
    /// No incident has this request id.
    #[error(
        "no incident has the request id `{request_id}`: Fairgate keeps the newest {} of each cause and client, and {} in total; `fairgate incidents list` counts the others",
        store::INCIDENTS_OF_CLIENT,
        store::INCIDENTS_KEPT
    )]
    UnknownIncident {
        /// The id.
        request_id: String,
    },
    /// A value cannot be taken.
    #[error("{what}: {why}")]
    NotValid {
        /// Which value.
        what: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// The configuration cannot be taken over.
    #[error("{0}")]
    NotReloaded(String),
    /// The listening sockets cannot be handed over.
    #[error("{0}")]
    NotHandedOver(String),
    /// No gateway runs that could read the configuration again.
    #[error("no gateway runs on this store: the configuration is read when it starts")]
    NoGateway,
    /// No gateway runs that something could be shown of.
    #[error("no gateway runs on this store, so that there is nothing to show")]
    NothingRuns,
    /// Another import was begun, or this one was left alone for too long.
    #[error(
        "this import was given up because another one began or it was left alone: nothing was imported, begin again"
    )]
    ImportGone,
    /// Another export was begun, or this one was left alone for too long.
    #[error("this export was given up because another one began or it was left alone: begin again")]
    ExportGone,
    /// The counters cannot be written down to be exported.
    #[error("the counters cannot be exported: {0}")]
    NotWritten(String),
    /// This gateway does not know the request.
    #[error(
        "the gateway does not understand the request ({why}): use the command of the same version as the gateway"
    )]
    NotUnderstood {
        /// What it stumbled over.
        why: String,
    },
    /// Whoever asks is not the gateway's user.
    #[error(
        "this gateway runs as the user {ours} and takes commands only from that user and from root, not from {theirs}: run the command as that user"
    )]
    OtherUser {
        /// The gateway's user.
        ours: String,
        /// Who asks.
        theirs: String,
    },
    /// The system does not say who asks.
    #[error("the system does not tell who asks: {0}")]
    UserNotKnown(String),
    /// The store refused.
    #[error("{0}")]
    Store(String),
}

/// Why a running gateway did not do what was asked, as it comes over the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// One of a closed list of words.
    pub code: String,
    /// The same in a sentence.
    pub message: String,
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |nearest| format!(" (did you mean `{nearest}`?)"))
}

fn listing(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Whoever gives a key in place of its id shall not find it in a log.
fn unknown_keys(ids: &[String]) -> String {
    let is_id = |id: &String| id.len() <= LONGEST_KEY_ID && id.starts_with("key_");
    if ids.iter().all(is_id) {
        format!("no key has the id {}", listing(ids))
    } else {
        "not the id of a key: an id begins with `key_`".into()
    }
}

// === impl OperationError ===

impl OperationError {
    /// A value that cannot be taken.
    pub fn not_valid(what: &str, why: impl Into<String>) -> Self {
        Self::NotValid { what: what.into(), why: why.into() }
    }

    /// The word for programs. It does not change when the sentence does.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownPlan { .. } => "unknown_plan",
            Self::UnknownKeys { .. } => "unknown_key",
            Self::UnknownMaintenance { .. } => "unknown_maintenance",
            Self::UnknownIncident { .. } => "unknown_incident",
            Self::NotValid { .. } => "invalid_value",
            Self::NotReloaded(_) => "not_reloaded",
            Self::NotHandedOver(_) => "not_handed_over",
            Self::NoGateway | Self::NothingRuns => "no_gateway",
            Self::ImportGone => "import_gone",
            Self::ExportGone => "export_gone",
            Self::NotWritten(_) => "not_written",
            Self::NotUnderstood { .. } => "not_understood",
            Self::OtherUser { .. } => "other_user",
            Self::UserNotKnown(_) => "user_not_known",
            Self::Store(_) => "store",
        }
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

// === impl Refused ===

impl From<OperationError> for Refused {
    fn from(error: OperationError) -> Self {
        Self { code: error.code().to_owned(), message: error.to_string() }
    }
}
