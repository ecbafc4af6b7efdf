//! What the control plane needs to know about keys, from the configuration.

use crate::Rules;
use config::limit;
use gateway::settings::Settings;

/// The plans, the pattern of keys, and how a limit is read.
pub fn rules(data_plane: &Settings) -> Rules {
    Rules {
        plans: data_plane.plans.clone(),
        read_limit: |text| limit::read(text).map_err(|wrong| format!("{}; {}", wrong.why, wrong.help)),
        pattern: data_plane.keys.pattern.clone(),
    }
}
