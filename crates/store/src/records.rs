//! The records that a store keeps. Times are seconds since the Unix epoch unless the name says else.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An API key as it is kept: never the key itself, only its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `key_` and 16 base62 characters. Not secret.
    pub id: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Name of the plan that it belongs to.
    pub plan: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Limits of its own, as texts: each stands in place of the plan's limit of the same kind, or
    /// beside the plan's limits.
    pub limits: Vec<String>,
    /// When it was made or imported.
    pub created_at: u64,
    /// From this second on it is expired.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// It was made elsewhere.
    pub imported: bool,
    /// Its beginning, for lists.
    pub preview: String,
    /// HMAC-SHA-256 of the key under the store's secret.
    pub digest: [u8; 32],
}

/// An answer 500, kept so that a letter with a request id can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// The id that the client was told.
    pub request_id: String,
    /// Milliseconds since the Unix epoch.
    pub at_millis: u64,
    /// Method of the request.
    pub method: String,
    /// Path of the request, without the query, which may hold secrets.
    pub path: String,
    /// Template of the endpoint, such as `/items/{id}`.
    pub endpoint: Option<String>,
    /// Id of the key that was used.
    pub key_id: Option<String>,
    /// The client's address, or its network, if there was no key.
    #[serde(default)]
    pub address: Option<String>,
    /// In short: incidents of one cause are one group.
    pub cause: String,
    /// In full.
    pub detail: String,
    /// If not 0: it is not kept itself, but stands for so many that are only counted.
    #[serde(default, skip_serializing)]
    pub more: u64,
}

/// All incidents of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentGroup {
    /// The cause.
    pub cause: String,
    /// How many there were.
    pub count: u64,
    /// So many of them are kept.
    pub kept: u64,
    /// Milliseconds since the Unix epoch.
    pub first_millis: u64,
    /// Milliseconds since the Unix epoch.
    pub last_millis: u64,
    /// The newest that is kept.
    pub latest: Option<IncidentRecord>,
}

/// A time in which the API answers 503 because somebody works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// `mnt_` and 8 base62 characters.
    pub id: String,
    /// What clients are told.
    pub message: String,
    /// The first second of it.
    pub from: u64,
    /// The first second after it. None: until it is turned off.
    pub until: Option<u64>,
    /// Ids of the keys that are let through.
    pub pass: Vec<String>,
    /// The endpoints that it is for, such as `GET /items/{id}`. Empty: all.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// When it was planned.
    pub created_at: u64,
}

// The digest is left out: it stands for the key, and what is printed ends up in logs.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("plan", &self.plan)
            .field("permissions", &self.permissions)
            .field("limits", &self.limits)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("revoked_at", &self.revoked_at)
            .field("imported", &self.imported)
            .field("preview", &self.preview)
            .finish_non_exhaustive()
    }
}

impl MaintenanceWindow {
    /// Whether the API is under maintenance at this time.
    pub fn holds_at(&self, now: u64) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_from_its_first_second_up_to_but_not_at_its_end() {
        let window = MaintenanceWindow {
            id: "mnt_a".into(),
            message: "Back soon".into(),
            from: 100,
            until: Some(160),
            pass: vec![],
            endpoints: vec![],
            created_at: 1,
        };
        assert_eq!([99, 100, 159, 160].map(|now| window.holds_at(now)), [false, true, true, false]);
    }
}
