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

/// Where a tally is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePlace {
    /// How long its bucket is.
    pub grain: Grain,
    /// The bucket.
    pub bucket: u32,
    /// Whose requests.
    pub whose: Whose,
    /// The endpoint. None: no endpoint.
    pub endpoint: Option<String>,
}

/// A tally and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageCell {
    /// Where it is kept.
    pub place: UsagePlace,
    /// What was counted.
    pub tally: Tally,
}

/// What stands for everyone and for nobody where usage is kept. Ids of keys are neither empty nor a star.
const EVERYONE: &str = "*";
const NOBODY: &str = "";
const NO_ENDPOINT: &str = "";

impl Whose {
    /// Whose it is, as it is kept.
    pub fn as_kept(&self) -> &str {
        match self {
            Self::Everyone => EVERYONE,
            Self::Nobody => NOBODY,
            Self::Key(id) => id,
        }
    }

    /// Whose it is that is kept so.
    pub fn of_kept(text: &str) -> Self {
        match text {
            EVERYONE => Self::Everyone,
            NOBODY => Self::Nobody,
            id => Self::Key(id.to_owned()),
        }
    }
}

impl UsagePlace {
    /// The endpoint, as it is kept.
    pub fn endpoint_as_kept(&self) -> &str {
        self.endpoint.as_deref().unwrap_or(NO_ENDPOINT)
    }

    /// The endpoint that is kept so.
    pub fn endpoint_of_kept(text: &str) -> Option<String> {
        (text != NO_ENDPOINT).then(|| text.to_owned())
    }
}
