//! Findings when opening the charges.

use std::fmt;

/// Whether a finding means that charges may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// No charges are missing.
    Harmless,
    /// Charges are missing, or may be.
    Lost,
}

/// A finding: a plain sentence with file and offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether charges may be missing.
    pub weight: Weight,
    sentence: String,
}

impl Finding {
    pub(crate) fn harmless(sentence: String) -> Self {
        Self { weight: Weight::Harmless, sentence }
    }

    pub(crate) fn lost(sentence: String) -> Self {
        Self { weight: Weight::Lost, sentence }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

/// The result of opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was damaged, lost or restored; empty after a clean shutdown.
    pub findings: Vec<Finding>,
    /// Unix second of the last write found, or 0.
    pub newest: u64,
    /// The number of rows handed over.
    pub rows: u64,
    /// The number of charges restored from shared memory.
    pub from_memory: u64,
}
