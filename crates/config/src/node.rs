//! What the process around the data plane needs to know: store, usage, TLS files, how it behaves, where it all came
//! from.

use crate::{document::DocumentSource, tls::TlsSettings};
use postgres::Target;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use usage::Retention;

/// What the process around the data plane needs to know.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where keys and counters are kept.
    pub store: StoreSettings,
    /// The gateways that share their records. None: it is alone.
    pub cluster: Option<ClusterSettings>,
    /// What clients are offered by TLS, as files. None: TLS is off.
    pub tls: Option<TlsSettings>,
    /// How the process behaves beside requests.
    pub process: Process,
    /// The files that were read.
    pub sources: Sources,
}

/// How the process behaves beside requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The configuration is read again when its files have changed.
    pub is_watched: bool,
    /// Where the state of the gateway is served by HTTP. None: nowhere.
    pub admin: Option<SocketAddr>,
    /// The API has no endpoints on purpose, so that a reload may remove the last one.
    pub allows_no_endpoints: bool,
}

/// The files that a configuration was read from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The configuration file. Empty: it was read from a text.
    pub path: PathBuf,
    /// The content of the file, to compare a later one with.
    pub tables: Arc<toml::Table>,
    /// The files of the OpenAPI document, if one was read.
    pub document: Option<DocumentSource>,
}

/// Where keys and counters are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The store's folder, found from the folder of the configuration file.
    pub path: PathBuf,
    /// How often charges are written to the disk.
    pub flush_interval: Duration,
    /// The folder of the shared memory in which charges survive the process, relative to the folder of the file.
    pub shared_memory: PathBuf,
    /// What happens to requests while charges cannot be saved.
    pub on_disk_full: OnDiskFull,
    /// Charges are saved. If not, they are kept in memory only.
    pub durable: bool,
    /// What is kept of requests, for reports.
    pub usage: UsageSettings,
}

/// The gateways that share their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The database of the records.
    pub records: Target,
    /// Where limits are shared out.
    pub ledger: LedgerAt,
    /// What the ledger's keys begin with in Valkey or Redis.
    pub ledger_prefix: String,
    /// The file with the secret of the keys' digests, found from the folder of the configuration file.
    pub secret_file: PathBuf,
    /// The name of this gateway. None: the one in its store's folder, else the host name.
    pub node: Option<String>,
    /// What happens to requests while the ledger cannot be reached.
    pub unreachable: Unreachable,
    /// What happens when the ledger has lost what it granted.
    pub ledger_lost: LedgerLost,
}

/// Where limits are shared out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerAt {
    /// In the database of the records, with this URL.
    Records(Hidden),
    /// At a Valkey or Redis server with this URL.
    Redis(Hidden),
}

/// A text with a password in it, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

/// What happens to requests while the ledger cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// They are answered 503.
    Deny,
    /// Each gateway grants its share.
    GoOn,
}

/// What happens when the ledger has lost what it granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerLost {
    /// What cannot be decided is answered 503.
    Wait,
    /// Limits are granted again after some time, with an alarm.
    GoOn,
}

/// What happens to requests while charges cannot be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDiskFull {
    /// They are served, and an alarm is raised: a power cut would lose what could not be saved.
    Continue,
    /// They are rejected, so that nothing is granted that could be lost.
    Reject,
}

/// What is kept of requests, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSettings {
    /// Whether it is counted.
    pub enabled: bool,
    /// How often it is written.
    pub flush_interval: Duration,
    /// How long it is kept.
    pub keep: Retention,
}

impl LedgerAt {
    /// The URL, for the connection.
    pub fn url(&self) -> &str {
        match self {
            Self::Records(url) | Self::Redis(url) => url.expose(),
        }
    }
}

impl Hidden {
    /// The text itself, for the connection.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hidden(…)")
    }
}

impl Default for UsageSettings {
    /// For commands that cannot read the file.
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let keep = Retention { minutes: 2 * DAY, hours: 60 * DAY, days: 800 * DAY };
        Self { enabled: true, flush_interval: Duration::from_secs(10), keep }
    }
}
