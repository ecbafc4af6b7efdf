//! A denial: the limit without enough units, and when it has them again.

use crate::compiled::Limits;
use contract::Limit;
use std::sync::Arc;

/// Why nothing was reserved.
#[derive(Debug, Clone)]
pub struct Denial {
    pub(crate) limits: Arc<Limits>,
    /// The position in the plan of the limit that denied: of several, the one that resets last.
    pub position: usize,
    /// Whole seconds until a retry may succeed, at least 1. None: never.
    pub reset: Option<u64>,
    /// The Unix second from which a retry may succeed.
    pub resets_at: Option<u64>,
}

impl Denial {
    /// The limit that denied.
    pub fn limit(&self) -> Option<&Limit> {
        self.limits.get(self.position)
    }

    /// Whether it could never be admitted, because it costs more than the limit grants at all.
    pub fn quota(&self) -> u32 {
        let one = self.limits.each(self.limits.all()).find(|(position, _)| *position == self.position);
        one.map_or(0, |(_, one)| one.quota())
    }
}
