//! What can be asked of the control plane, and what each question is answered with.
//!
//! No type here that may hold a key derives `Debug`: what can be printed ends up in logs.

use crate::export::Hex;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};
use store::{KeyRecord, UsagePlace, UsageQuery};

// Each operation. Times are seconds since the Unix epoch. How it is carried out stands in `control`.

/// Make a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateKey(pub NewKey);

/// The next keys behind the id `after`, in the order of their ids. No keys: there are no more.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListKeys {
    /// The last id of the page before.
    pub after: Option<String>,
    /// Most keys of this page.
    pub limit: usize,
}

/// Revoke keys, named by their ids or by themselves.
#[derive(Clone, Serialize, Deserialize)]
pub struct RevokeKeys {
    /// Ids.
    pub ids: Vec<String>,
    /// Keys.
    pub keys: Vec<String>,
}

/// Change a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeKey {
    /// Its id.
    pub id: String,
    /// What it shall be.
    pub change: KeyChange,
}

/// Read the configuration again, as far as a running gateway can.
#[derive(Clone, Serialize, Deserialize)]
pub struct Reload {}

/// Begin to import keys that were made elsewhere. What was begun before is given up. The answer is the import's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginImport(pub NewKey);

/// Check some keys and lay those ready that have no fault.
#[derive(Clone, Serialize, Deserialize)]
pub struct AddToImport {
    /// The import's id.
    pub import: String,
    /// The keys.
    pub keys: Vec<String>,
}

/// Save all keys that lie ready, at once. The answer is how many.
#[derive(Clone, Serialize, Deserialize)]
pub struct CommitImport {
    /// The import's id.
    pub import: String,
}

/// Begin maintenance, now or later.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginMaintenance(pub NewMaintenance);

/// End one window of maintenance, or all. The answer is those that were ended.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndMaintenance {
    /// None: all.
    pub id: Option<String>,
}

/// All windows of maintenance.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListMaintenance {}

/// The newest incidents, the newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListIncidents {
    /// Most of them.
    pub limit: usize,
    /// Only those of this cause.
    pub cause: Option<String>,
}

/// The causes of all incidents.
#[derive(Clone, Serialize, Deserialize)]
pub struct GroupIncidents {}

/// The incidents with one request id.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShowIncident {
    /// The request id that the client got.
    pub request_id: String,
}

/// How the gateway stands.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShowStatus {}

/// The addresses of all upstreams, in the order of the configuration.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListUpstreams {}

/// What was used. The answer may be a part; the next begins where it says.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShowUsage(pub UsageQuery);

/// Begin to export all that is stored. What was begun before is given up.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginExport {
    /// Whether the counters of a gateway that runs are wanted.
    pub counters: bool,
}

/// The next counters of an export. No counters: there are no more.
#[derive(Clone, Serialize, Deserialize)]
pub struct ExportCounters {
    /// The export's id.
    pub export: String,
    /// Most counters of this page.
    pub limit: usize,
}

/// The next keys behind the digest `after`, whole, in the order of their digests. No keys: there are no more.
#[derive(Clone, Serialize, Deserialize)]
pub struct ExportKeys {
    /// The last digest of the page before.
    pub after: Option<Hex<32>>,
    /// Most keys of this page.
    pub limit: usize,
}

/// The next tallies of usage behind a place. No tallies: there are no more.
#[derive(Clone, Serialize, Deserialize)]
pub struct ExportUsage {
    /// The last place of the page before.
    pub after: Option<UsagePlace>,
    /// Most tallies of this page.
    pub limit: usize,
}

/// An export that was begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportBegun {
    /// Its id.
    pub export: String,
    /// What tells the secret of the keys' digests from others.
    pub secret_fingerprint: Hex<32>,
}

/// What is wanted of a window of maintenance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewMaintenance {
    /// What clients are told. Empty: a general sentence.
    pub message: String,
    /// None: now.
    pub from: Option<u64>,
    /// None: until it is ended, or as `length` says.
    pub until: Option<u64>,
    /// Seconds from its beginning. Counted here, not by whoever asks: a slow way must not make it shorter.
    #[serde(default)]
    pub length: Option<u64>,
    /// Ids of keys that are let through.
    pub pass: Vec<String>,
    /// The endpoints that it is for. Empty: all.
    #[serde(default)]
    pub endpoints: Vec<String>,
}

/// What is wanted of a new key, or of every key of an import.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Name of its plan.
    pub plan: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Limits of its own, as texts.
    #[serde(default)]
    pub limits: Vec<String>,
    /// When it expires.
    pub expires_at: Option<u64>,
}

/// What is wanted of a key that there is. None: it stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeyChange {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Name of its plan.
    pub plan: Option<String>,
    /// All that it may do from now on.
    pub permissions: Option<Vec<String>>,
    /// All limits of its own from now on.
    pub limits: Option<Vec<String>>,
    /// When it expires.
    pub expires: Option<Expiry>,
}

/// When a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// It does not.
    Never,
    /// At this second since the Unix epoch.
    At(u64),
}

/// What reading the configuration again has done: all of it holds from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Names of plans that are new.
    pub added: Vec<String>,
    /// Names of plans whose limits are others.
    pub changed: Vec<String>,
    /// Names of plans that are gone.
    pub removed: Vec<String>,
    /// What else was different in the files and holds from now on, as it stands there: `[sizes]`.
    pub others: Vec<String>,
    /// What is allowed and yet probably not meant, one sentence each.
    pub warnings: Vec<String>,
}

/// A new key. The only time that it is shown.
#[derive(Serialize, Deserialize)]
pub struct KeyCreated {
    /// The key.
    pub key: String,
    /// What is kept of it.
    pub view: KeyView,
}

/// What became of keys that were to be revoked.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeysRevoked {
    /// Those that are revoked from now on.
    pub revoked: Vec<KeyView>,
    /// Those that were revoked before.
    pub already: Vec<KeyView>,
    /// Ids, or beginnings of keys, that nobody knows.
    pub unknown: Vec<String>,
}

/// How a gateway stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `ready`, or why it is not.
    pub state: String,
    /// Where it listens.
    pub address: String,
    /// Its version.
    pub version: String,
    /// The number of its process.
    pub process: u32,
    /// When it began.
    pub since: u64,
    /// When the configuration was read that holds.
    pub configured: u64,
    /// Why the files were not taken over that were read since.
    pub not_taken: Option<String>,
    /// The store's folder.
    #[serde(default)]
    pub store: PathBuf,
    /// Where `/ready` is answered.
    #[serde(default)]
    pub admin: Option<SocketAddr>,
    /// What is wrong at present and needs somebody.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Keys that it knows.
    pub keys: u64,
    /// How it stands among others that share its records. None: it is alone.
    #[serde(default)]
    pub cluster: Option<ClusterStatus>,
    /// What each data thread has to do.
    pub threads: Vec<ThreadStatus>,
}

/// How a gateway stands among others that share its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Its name.
    pub node: String,
    /// Its number. None: it has not joined yet.
    pub number: Option<i64>,
    /// Where the records are.
    pub records: String,
    /// Whether they answer.
    pub is_reached: bool,
    /// Why they do not.
    pub why: Option<String>,
    /// When its copy was the same as they.
    pub copied: Option<u64>,
    /// The number of the last change that it has.
    pub applied: Option<u64>,
    /// How far its clock is ahead of theirs.
    pub clock_offset_millis: i64,
    /// Since when the records answer, or do not. None: that is not known yet.
    #[serde(default)]
    pub since: Option<u64>,
    /// How it stands with the ledger of shared limits. None: nothing is known of it yet.
    #[serde(default)]
    pub ledger: Option<LedgerStatus>,
}

/// How a gateway stands with the ledger that shares out limits, and what it has of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerStatus {
    /// Whether it replies.
    pub is_reached: bool,
    /// Since when it replies, or does not.
    pub since: Option<u64>,
    /// Why it does not.
    pub why: Option<String>,
    /// What it is kept in, as it was seen last.
    pub server: Option<LedgerServer>,
    /// Members that it has, by its last reply.
    pub members: u32,
    /// How far this machine's clock is ahead of the ledger's. None: nothing was heard of it.
    pub clock_offset_millis: Option<i64>,
    /// Leases of this gateway.
    pub leases: u64,
    /// Units in them that are not used.
    pub units: u64,
    /// Messages that were sent to the ledger.
    pub messages: u64,
    /// Questions in them.
    pub questions: u64,
    /// Units that were granted beyond the leases while the ledger could not be reached.
    pub beyond: u64,
    /// How often the ledger was replaced or lost what it knew, since this gateway runs.
    pub replaced: u32,
}

/// What a ledger is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerServer {
    /// `Valkey`, `Redis` or `PostgreSQL`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// The address of the server that is used at present.
    pub server: String,
    /// What it is to others: `primary`, with the number of replicas.
    pub role: String,
    /// Changes whenever the ledger may have lost what it knew.
    pub epoch: u64,
    /// When that was the last time. None: never.
    pub lost_at: Option<u64>,
    /// Numbers of members that have not said their totals since.
    pub awaited: Vec<u32>,
    /// How what is granted gets to the disk.
    pub durability: String,
    /// What a failure of the server may forget, or what else should be changed.
    pub warnings: Vec<String>,
}

/// What a data thread has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadStatus {
    /// Connections of clients that are open.
    pub connections: u64,
    /// Requests that are not answered yet.
    pub requests: u64,
    /// How far it is behind.
    pub lag_millis: u64,
}

/// A key as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Name of its plan.
    pub plan: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Limits of its own, as texts.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Its beginning.
    pub preview: String,
    /// When it was made or imported.
    pub created_at: u64,
    /// When it expires.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// It was made elsewhere.
    pub imported: bool,
}

/// An address of an upstream as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// The service that it belongs to.
    pub service: String,
    /// Host and port.
    pub address: String,
    /// Its weight.
    pub weight: u32,
    /// What becomes of requests for it, in words.
    pub state: String,
    /// While it comes back: how many percent of its share it gets.
    pub percent: Option<u32>,
    /// Unix milliseconds of the last change of its health.
    pub since_millis: Option<u64>,
    /// Requests that it works on.
    pub in_flight: u32,
    /// Requests that it was sent.
    pub sent: u32,
    /// Requests that failed there.
    pub failures: u64,
    /// Where its name leads to.
    pub places: Vec<std::net::SocketAddr>,
    /// Why its name could not be resolved the last time.
    pub error: Option<String>,
}

/// A key of an import that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFault {
    /// Which key: the first of the import is 0.
    pub at: u64,
    /// Why.
    pub kind: ImportFaultKind,
}

/// Why a key cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ImportFaultKind {
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
