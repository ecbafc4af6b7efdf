//! Usage as a store keeps it: whose it is, of which endpoint, in which bucket of time.

use ::usage::{Grain, Tally};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Whose requests are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// All requests, with a key and without.
    Everyone,
    /// Those without a key that is known.
    Nobody,
    /// Those of the key with this id.
    Key(String),
}

/// Requests of one key and endpoint that arrived within one minute, to be added to what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEntry {
    /// Id of the key. None: no key that is known.
    pub key_id: Option<String>,
    /// The endpoint, such as `GET /items/{id}`. None: no endpoint.
    pub endpoint: Option<String>,
    /// Minutes since the Unix epoch.
    pub minute: u32,
    /// What was counted.
    pub tally: Tally,
}

/// Which usage is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageQuery {
    /// Whose.
    pub whose: Whose,
    /// In buckets of this length.
    pub grain: Grain,
    /// Those from the first to before the last.
    pub buckets: Range<u32>,
}

/// What one endpoint was used in one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRow {
    /// The bucket.
    pub bucket: u32,
    /// The endpoint. None: no endpoint.
    pub endpoint: Option<String>,
    /// What was counted.
    pub tally: Tally,
}

/// A part of the answer to a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePage {
    /// By bucket, then by endpoint. Buckets without requests have none.
    pub rows: Vec<UsageRow>,
    /// The bucket that the next page begins with. None: this is all.
    pub next: Option<u32>,
}
