//! What was found when the memory of charges was opened.

use std::fmt;

/// Whether a finding means that charges may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// All charges are there.
    Harmless,
    /// Charges are missing, or may be.
    Lost,
}

/// One thing that was found: a plain sentence with file and offset.
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

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was damaged, lost or brought back; empty after a clean end.
    pub findings: Vec<Finding>,
    /// Unix second of the last write that was found, 0 if there was none.
    pub newest: u64,
    /// How many rows were handed over.
    pub rows: u64,
    /// How many charges came back from shared memory.
    pub from_memory: u64,
}
