//! What the control plane needs to know about keys, from the configuration.

use crate::{Cost, Rules};
use config::limit;
use gateway::settings::{Endpoint, Settings};
use std::cmp::Reverse;

/// The plans, the pattern of keys, and how a limit is read.
pub fn rules(data_plane: &Settings) -> Rules {
    Rules {
        plans: data_plane.plans.clone(),
        read_limit: |text| limit::read(text).map_err(|wrong| format!("{}; {}", wrong.why, wrong.help)),
        pattern: data_plane.keys.pattern.clone(),
        costs: costs(data_plane.endpoints.declared()),
    }
}

/// Of each group the dearest endpoint that needs a key.
fn costs(endpoints: &[Endpoint]) -> Vec<Cost> {
    let with_key = endpoints.iter().filter(|endpoint| !endpoint.public);
    let mut costs: Vec<Cost> = with_key
        .map(|endpoint| Cost {
            endpoint: format!("{} {}", endpoint.method, endpoint.path),
            group: endpoint.group.clone(),
            units: endpoint.cost,
        })
        .collect();
    costs.sort_by(|a, b| (&a.group, Reverse(a.units)).cmp(&(&b.group, Reverse(b.units))));
    costs.dedup_by(|next, first| next.group == first.group);
    costs
}
