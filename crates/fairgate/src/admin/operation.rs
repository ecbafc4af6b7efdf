//! What can be asked of the control plane, what it answers, and why it refuses.
//!
//! No type here that may hold a key derives `Debug`: what can be printed ends up in logs.

use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};
use store::{IncidentGroup, IncidentRecord, KeyRecord, MaintenanceWindow, StoreError, UsagePage, UsageQuery};

/// Something to be done. Times are seconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Make a key.
    CreateKey(NewKey),
    /// The next keys behind the id `after`, in the order of their ids.
    ListKeys {
        /// The last id of the page before.
        after: Option<String>,
        /// Most keys of this page.
        limit: usize,
    },
    /// Revoke keys, named by their ids or by themselves.
    RevokeKeys {
        /// Ids.
        ids: Vec<String>,
        /// Keys.
        keys: Vec<String>,
    },
    /// Change a key. What is None stays as it is.
    ChangeKey {
        /// Its id.
        id: String,
        /// What it shall be.
        change: KeyChange,
    },
    /// Read the configuration again, as far as a running gateway can.
    Reload,
    /// Begin to import keys that were made elsewhere. What was begun before is given up.
    ImportBegin(NewKey),
    /// Check some keys and lay them ready.
    ImportAdd {
        /// What [`Outcome::ImportBegun`] told.
        import: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// Save all keys that lie ready, at once.
    ImportCommit {
        /// What [`Outcome::ImportBegun`] told.
        import: String,
    },
    /// Begin maintenance, now or later.
    BeginMaintenance(NewMaintenance),
    /// End one window of maintenance, or all.
    EndMaintenance {
        /// None: all.
        id: Option<String>,
    },
    /// All windows of maintenance.
    ListMaintenance,
    /// The newest incidents.
    ListIncidents {
        /// Most of them.
        limit: usize,
        /// Only those of this cause.
        cause: Option<String>,
    },
    /// The causes of all incidents.
    GroupIncidents,
    /// The incidents with one request id.
    ShowIncident {
        /// The request id that the client was told.
        request_id: String,
    },
    /// How the gateway stands.
    Status,
    /// Hand the listening sockets over, drain and end. What is sent behind the answer is no JSON.
    HandOver,
    /// The addresses of all upstreams.
    ListUpstreams,
    /// What was used. The answer may be a part; the next begins where it says.
    ShowUsage(UsageQuery),
}

/// What is wanted of a window of maintenance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewMaintenance {
    /// What clients are told. Empty: a general sentence.
    pub(crate) message: String,
    /// None: now.
    pub(crate) from: Option<u64>,
    /// None: until it is ended, or as `length` says.
    pub(crate) until: Option<u64>,
    /// Seconds from its beginning. Counted here, not by whoever asks: a slow way must not make it shorter.
    #[serde(default)]
    pub(crate) length: Option<u64>,
    /// Ids of keys that are let through.
    pub(crate) pass: Vec<String>,
    /// The endpoints that it is for. Empty: all.
    #[serde(default)]
    pub(crate) endpoints: Vec<String>,
}

/// What is wanted of a new key, or of every key of an import.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NewKey {
    /// What its owner calls it.
    pub(crate) name: Option<String>,
    /// Name of its plan.
    pub(crate) plan: String,
    /// What it may do.
    pub(crate) permissions: Vec<String>,
    /// Limits of its own, as texts.
    #[serde(default)]
    pub(crate) limits: Vec<String>,
    /// When it expires.
    pub(crate) expires_at: Option<u64>,
}

/// What is wanted of a key that there is. None: it stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct KeyChange {
    /// What its owner calls it.
    pub(crate) name: Option<String>,
    /// Name of its plan.
    pub(crate) plan: Option<String>,
    /// All that it may do from now on.
    pub(crate) permissions: Option<Vec<String>>,
    /// All limits of its own from now on.
    pub(crate) limits: Option<Vec<String>>,
    /// When it expires.
    pub(crate) expires: Option<Expiry>,
}

/// When a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expiry {
    /// It does not.
    Never,
    /// At this second since the Unix epoch.
    At(u64),
}

/// What reading the configuration again has done: all of it holds from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// Names of plans that are new.
    pub(crate) added: Vec<String>,
    /// Names of plans whose limits are others.
    pub(crate) changed: Vec<String>,
    /// Names of plans that are gone.
    pub(crate) removed: Vec<String>,
    /// What else was different in the files and holds from now on, as it stands there: `[sizes]`.
    pub(crate) others: Vec<String>,
    /// What is allowed and yet probably not meant, one sentence each.
    pub(crate) warnings: Vec<String>,
}

/// What was done or found.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A key was made. The only time that it is told.
    KeyCreated {
        /// The key.
        key: String,
        /// What is kept of it.
        view: KeyView,
    },
    /// A page of keys. Empty: there are no more.
    Keys(Vec<KeyView>),
    /// A key was changed.
    KeyChanged(KeyView),
    /// The configuration was read again.
    Reloaded(Reloaded),
    /// Keys were revoked.
    KeysRevoked {
        /// Those that are revoked from now on.
        revoked: Vec<KeyView>,
        /// Those that were revoked before.
        already: Vec<KeyView>,
        /// Ids, or beginnings of keys, that nobody knows.
        unknown: Vec<String>,
    },
    /// An import was begun and has this id.
    ImportBegun(String),
    /// Keys lie ready, but for these.
    ImportAdded(Vec<ImportFault>),
    /// So many keys were saved.
    Imported(u64),
    /// Maintenance was begun.
    MaintenanceBegun(MaintenanceWindow),
    /// These windows of maintenance were ended.
    MaintenanceEnded(Vec<MaintenanceWindow>),
    /// All windows of maintenance.
    Maintenance(Vec<MaintenanceWindow>),
    /// The newest incidents, the newest first.
    Incidents(Vec<IncidentRecord>),
    /// The causes of incidents.
    IncidentGroups(Vec<IncidentGroup>),
    /// The addresses of all upstreams, in the order of the configuration.
    Upstreams(Vec<AddressView>),
    /// What was used, or the beginning of it.
    Usage(UsagePage),
    /// How the gateway stands.
    Status(Status),
    /// So many sockets follow.
    HandedOver {
        /// How many.
        sockets: usize,
        /// The address of the one among them that `[admin] address` is served on.
        #[serde(default)]
        admin: Option<SocketAddr>,
    },
}

/// How a gateway stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// `ready`, or why it is not.
    pub(crate) state: String,
    /// Where it listens.
    pub(crate) address: String,
    /// Its version.
    pub(crate) version: String,
    /// The number of its process.
    pub(crate) process: u32,
    /// When it began.
    pub(crate) since: u64,
    /// When the configuration was read that holds.
    pub(crate) configured: u64,
    /// Why the files were not taken over that were read since.
    pub(crate) not_taken: Option<String>,
    /// The store's folder.
    #[serde(default)]
    pub(crate) store: PathBuf,
    /// Where `/ready` is answered.
    #[serde(default)]
    pub(crate) admin: Option<SocketAddr>,
    /// What is wrong at present and needs somebody.
    #[serde(default)]
    pub(crate) alarms: Vec<String>,
    /// Keys that it knows.
    pub(crate) keys: u64,
    /// What each data thread has to do.
    pub(crate) threads: Vec<ThreadStatus>,
}

/// What a data thread has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreadStatus {
    /// Connections of clients that are open.
    pub(crate) connections: u64,
    /// Requests that are not answered yet.
    pub(crate) requests: u64,
    /// How far it is behind.
    pub(crate) lag_millis: u64,
}

/// A key as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyView {
    /// Its id.
    pub(crate) id: String,
    /// What its owner calls it.
    pub(crate) name: Option<String>,
    /// Name of its plan.
    pub(crate) plan: String,
    /// What it may do.
    pub(crate) permissions: Vec<String>,
    /// Limits of its own, as texts.
    #[serde(default)]
    pub(crate) limits: Vec<String>,
    /// Its beginning.
    pub(crate) preview: String,
    /// When it was made or imported.
    pub(crate) created_at: u64,
    /// When it expires.
    pub(crate) expires_at: Option<u64>,
    /// When it was revoked.
    pub(crate) revoked_at: Option<u64>,
    /// It was made elsewhere.
    pub(crate) imported: bool,
}

/// An address of an upstream as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AddressView {
    /// The service that it belongs to.
    pub(crate) service: String,
    /// Host and port.
    pub(crate) address: String,
    /// Its weight.
    pub(crate) weight: u32,
    /// What becomes of requests for it, in words.
    pub(crate) state: String,
    /// While it comes back: how many percent of its share it gets.
    pub(crate) percent: Option<u32>,
    /// Unix milliseconds of the last change of its health.
    pub(crate) since_millis: Option<u64>,
    /// Requests that it works on.
    pub(crate) in_flight: u32,
    /// Requests that it was sent.
    pub(crate) sent: u32,
    /// Requests that failed there.
    pub(crate) failures: u64,
    /// Where its name leads to.
    pub(crate) places: Vec<std::net::SocketAddr>,
    /// Why its name could not be resolved the last time.
    pub(crate) error: Option<String>,
}

/// A key of an import that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportFault {
    /// Which key: the first of the import is 0.
    pub(crate) at: u64,
    /// Why.
    pub(crate) kind: ImportFaultKind,
}

/// Why a key cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportFaultKind {
    /// Nothing but an empty text.
    #[error("an empty key")]
    Empty,
    /// It is longer than any key may be.
    #[error("longer than {} bytes", contract::key::LONGEST)]
    TooLong,
    /// It has characters that no header can carry safely.
    #[error("only visible ASCII characters without spaces can be sent as a key")]
    Characters,
    /// It does not fit `[keys] pattern`.
    #[error("does not fit `[keys] pattern`")]
    Pattern,
    /// The same key stands in the import already.
    #[error("the same key again")]
    Repeated {
        /// Where it stands.
        first: u64,
    },
    /// The store has it already.
    #[error("exists already as {id}")]
    Exists {
        /// Its id.
        id: String,
    },
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OperationError {
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
    #[error("no key has the id {}: `fairgate keys list` shows all", listing(ids))]
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
        "no incident has the request id `{request_id}`: of all incidents the newest {} of each cause and client are kept, and {} in all; `fairgate incidents list` counts the others",
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
    /// No gateway runs that could do it.
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
    /// The request is none that this gateway knows.
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
    /// The store refused.
    #[error("{0}")]
    Store(String),
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

// === impl KeyView ===

impl From<KeyRecord> for KeyView {
    fn from(record: KeyRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            plan: record.plan,
            permissions: record.permissions,
            limits: record.limits,
            preview: record.preview,
            created_at: record.created_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            imported: record.imported,
        }
    }
}

// === impl OperationError ===

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl OperationError {
    /// A value that cannot be taken.
    pub(crate) fn not_valid(what: &str, why: impl Into<String>) -> Self {
        Self::NotValid { what: what.into(), why: why.into() }
    }
}
