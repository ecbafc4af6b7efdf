//! When a window ends.

/// The end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At this Unix millisecond.
    At(u64),
    /// When nothing is counted any more: units never end, requests end on their own.
    WhenEmpty,
}
