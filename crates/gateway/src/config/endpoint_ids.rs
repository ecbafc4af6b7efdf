//! What endpoints are called in tallies of usage: by numbers that mean the same in every configuration.
//!
//! A tally outlives the configuration that its requests were judged by, so it cannot name an endpoint by its
//! place there. Data threads only ever copy numbers; names are looked up by the control plane.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Every endpoint that any configuration of this process has had. It grows by what operators write, never by
/// what clients send.
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

    /// What the endpoint with this number is called.
    pub(crate) fn name(&self, number: u32) -> Option<String> {
        self.known().names.get(usize::try_from(number).ok()?).cloned()
    }

    // What a panic left behind is whole, but for a name without a number, which nobody uses.
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
