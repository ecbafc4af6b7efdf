//! Windows of maintenance, as the data plane sees them.

/// A window of maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What clients are told. Empty: a sentence of our own.
    pub message: String,
    /// Unix second of its beginning.
    pub from: u64,
    /// Unix second of its end, if it is known.
    pub until: Option<u64>,
    /// Ids of keys that are let through, so that operators can test.
    pub pass: Vec<String>,
}

impl Window {
    /// Whether it is in force.
    pub fn holds(&self, now: u64) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    pub(crate) fn lets_through(&self, key_id: &str) -> bool {
        self.pass.iter().any(|id| id == key_id)
    }
}
