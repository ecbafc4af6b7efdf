//! When a window ends.

/// Until when a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// This Unix millisecond.
    At(u64),
    /// As long as something is counted: units for ever, requests until they have ended.
    WhenEmpty,
}
