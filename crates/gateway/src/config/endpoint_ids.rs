//! The IDs of endpoints in usage tallies: numbers with the same meaning in every configuration.
//!
//! A tally outlives the configuration of its requests, so it cannot identify an endpoint by its
//! position there. Data threads only copy numbers; the control plane looks up names.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Every endpoint of any configuration in the lifetime of this process. It grows with what
/// operators configure, never with what clients send.
#[derive(Debug, Default)]
pub(crate) struct EndpointIds(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl EndpointIds {
    /// The number of an endpoint.
    pub(crate) fn number(&self, method: &str, path: &str) -> u32 {
        let name = format!("{method} {path}");
        let mut known = self.known();
        if let Some(number) = known.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(known.names.len()).unwrap_or(u32::MAX);
        known.names.push(name.clone());
        known.numbers.insert(name, number);
        number
    }

    /// The name of the endpoint with this number.
    pub(crate) fn name(&self, number: u32) -> Option<String> {
        self.known().names.get(usize::try_from(number).ok()?).cloned()
    }

    // State left by a panic is intact, except for a name without a number, which is never used.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_one_number_whatever_comes_before_it() {
        let endpoint_ids = EndpointIds::default();
        let first = endpoint_ids.number("GET", "/items");
        let second = endpoint_ids.number("POST", "/items");
        assert_ne!(first, second);
        assert_eq!(endpoint_ids.number("GET", "/items"), first);
        assert_eq!(endpoint_ids.name(second).as_deref(), Some("POST /items"));
        assert_eq!(endpoint_ids.name(9), None);
    }
}
