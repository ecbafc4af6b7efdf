//! Permissions that are given to keys and that no endpoint needs: mostly a mistake, and never an error.

use crate::output;
use config::{Config, nearest};
use gateway::settings::Endpoints;
use std::collections::BTreeSet;

/// What is held by a key that may do everything.
const ALL: &str = "*";

/// A warning for each of these permissions that no endpoint needs.
pub(super) fn warnings(config: Option<&Config>, given: &[String]) -> Vec<String> {
    // Permissions in a file with faults are uncertain.
    let Some(config) = config else { return Vec::new() };
    if given.iter().all(|permission| permission == ALL) {
        return Vec::new();
    }
    let Some(endpoints) = endpoints(config) else { return Vec::new() };
    let sets = endpoints.declared().iter().flat_map(|endpoint| &endpoint.permissions);
    let known: BTreeSet<&str> = sets.flatten().map(String::as_str).collect();
    if known.is_empty() {
        // Nothing to compare with: permissions may be given before there are endpoints that need them.
        return Vec::new();
    }
    let unknown = given.iter().filter(|given| *given != ALL && !known.contains(given.as_str()));
    unknown
        .map(|permission| {
            let shown = output::plain(permission);
            match nearest(permission, known.iter().copied()) {
                Some(near) => format!("no endpoint needs the permission `{shown}`; did you mean `{near}`?"),
                None => format!("no endpoint needs the permission `{shown}`, so it has no effect"),
            }
        })
        .collect()
}

/// Prints warnings where they do not get between a program and the JSON that it reads.
pub(super) fn print(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// The endpoints, those of the document included, which commands about keys do not read otherwise. None: the document
/// cannot be read, so nothing is known about its permissions; `config check` reports why.
fn endpoints(config: &Config) -> Option<Endpoints> {
    if !config.names_document() {
        return Some(config.data_plane.endpoints.clone());
    }
    config::load(&config.node.sources.path, config::Extent::Everything)
        .ok()
        .map(|config| config.data_plane.endpoints)
}
