//! The engines that keep the ledger of [`lease`]: Valkey, Redis and PostgreSQL behind one trait.
//!
//! [`connect`] makes an [`Engine`] of a URL. An engine keeps one connection, made anew in the background, and carries each
//! [`Message`] in one command. It knows no node and no limit: what a message means is decided by the ledger alone, in one
//! atomic step at the server.
//!
//! # Epochs
//!
//! Before a connection is used, the engine compares the server with the one that the ledger was begun at (of Valkey its run ID
//! and its replication ID, of PostgreSQL its system identifier and its timeline). If they differ, or there is no ledger, the
//! engine begins an epoch with the list of [`Members`], which belongs to the records. While that list cannot be had, nothing
//! is granted.
//!
//! # Time
//!
//! [`Engine::exchange`] takes at most [`Options::timeout`]. A message whose time is over may have been carried out all the
//! same, which is harmless: messages name totals. While there is no connection, messages fail at once.

mod encoding;
mod error;
mod inspection;
mod options;
mod postgresql;
mod target;
mod tls;
mod valkey;

pub use error::LedgerError;
pub use inspection::{Inspection, Product};
pub use options::{MemberList, Members, Options};

use lease::{CounterId, Kind, Message, Millis, NodeId, Recall, Reply, Rule};
use std::{fmt::Debug, pin::Pin};
use target::Target;
use tokio::sync::mpsc;

/// What an engine will have done.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send + 'a>>;

/// Where the ledger is kept.
pub trait Engine: Send + Sync + Debug {
    /// Carries a message to the ledger, once. An error says nothing about whether it was carried out; the node asks again.
    fn exchange<'a>(&'a self, message: &'a Message) -> Pending<'a, Reply>;

    /// The recalls of a node, from now on, over every connection that is made. A receiver that is full misses some; a second
    /// call for the same node replaces the first.
    fn recalls(&self, node: NodeId) -> mpsc::Receiver<Recall>;

    /// Waits until the ledger can be used, or says why it cannot be. Returns at once if it can.
    fn ready(&self) -> Pending<'_, ()>;

    /// A node joins. The records have it already. Joining twice changes nothing.
    fn join(&self, node: NodeId) -> Pending<'_, ()>;

    /// A member is removed for good: all that it holds counts as used. The records have it as removed already.
    fn remove(&self, node: NodeId) -> Pending<'_, ()>;

    /// Members that have not said their totals in this epoch.
    fn awaited(&self) -> Pending<'_, Vec<NodeId>>;

    /// Nobody waits any longer for the totals of a member. What it holds may be granted twice.
    fn go_on_without(&self, node: NodeId) -> Pending<'_, ()>;

    /// What all nodes together hold, in no particular order.
    fn holdings(&self) -> Pending<'_, Holdings>;

    /// What the ledger is kept in, for `fairgate cluster status`.
    fn inspect(&self) -> Pending<'_, Inspection>;
}

/// What all nodes together hold of all counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Of each counter in each slice that still counts, but of rates: what flows in is in no slice.
    pub slices: Vec<Holding>,
    /// The buckets of rates.
    pub buckets: Vec<Bucket>,
}

/// The bucket of a rate, as it was at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The counter.
    pub counter: CounterId,
    /// Units that nobody holds, times the milliseconds of the rate's period.
    pub level: u64,
    /// When that was, in Unix milliseconds of the ledger's clock.
    pub at: Millis,
}

impl Bucket {
    /// Units that nobody holds at `now`.
    pub fn left(&self, rule: &Rule, now: Millis) -> u32 {
        let Kind::Rate { period, burst } = rule.kind else { return rule.quota() };
        let passed = now.saturating_sub(self.at).min(rule.fill_millis());
        let level = self.level.saturating_add(passed.saturating_mul(rule.amount.into()));
        u32::try_from(level / period.max(1)).unwrap_or(u32::MAX).min(burst)
    }
}

/// Whether a counter is that of a rate: those have numbers above those of all other limits.
pub(crate) const fn is_rate(counter: &CounterId) -> bool {
    counter.limit > u32::MAX as u64
}

/// What all nodes together hold of a counter in one slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The counter.
    pub counter: CounterId,
    /// The slice.
    pub slice: u64,
    /// Units that are granted, spent or not.
    pub granted: u32,
    /// When it is forgotten, in Unix milliseconds of the ledger's clock. None: never.
    pub expires: Option<Millis>,
}

/// Makes an engine. It connects in the background: [`Engine::ready`] tells when, or why not.
///
/// # Errors
/// [`LedgerError::Url`] and [`LedgerError::Tls`].
///
/// # Panics
/// Outside of a tokio runtime.
pub fn connect(url: &str, options: Options) -> Result<Box<dyn Engine>, LedgerError> {
    match Target::parse(url)? {
        Target::Valkey(target) => Ok(Box::new(valkey::Valkey::new(target, options)?)),
        Target::Postgresql(url) => Ok(Box::new(postgresql::Postgresql::new(&url, options)?)),
    }
}

/// Deletes everything that a cluster keeps at its ledger in Valkey or Redis, once nobody uses it any more. In PostgreSQL it is a
/// part of the database, and stays.
///
/// # Errors
/// As of [`connect`], or the server cannot be reached.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn clear(url: &str, options: Options) -> Result<(), LedgerError> {
    match Target::parse(url)? {
        Target::Valkey(target) => valkey::Valkey::new(target, options)?.clear().await,
        Target::Postgresql(_) => Ok(()),
    }
}
