//! What a ledger is kept in.

use lease::{Millis, NodeId};
use std::fmt;

/// A server's product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Valkey.
    Valkey,
    /// Redis.
    Redis,
    /// PostgreSQL.
    Postgresql,
}

impl fmt::Display for Product {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Valkey => "Valkey",
            Self::Redis => "Redis",
            Self::Postgresql => "PostgreSQL",
        })
    }
}

/// What a ledger is kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Which product.
    pub product: Product,
    /// Its version.
    pub version: String,
    /// The address of the server that is used at present.
    pub server: String,
    /// What it is to others: `primary`, with the number of replicas.
    pub role: String,
    /// The ledger's epoch.
    pub epoch: u64,
    /// When the ledger lost what it knew. 0: never.
    pub lost_at: Millis,
    /// Its clock.
    pub now: Millis,
    /// Members that have not said their totals in this epoch.
    pub awaited: Vec<NodeId>,
    /// How what is granted gets to the disk, in a few words.
    pub durability: String,
    /// What a failure of the server may forget, or what else should be changed. Each is a sentence or two.
    pub warnings: Vec<String>,
}
