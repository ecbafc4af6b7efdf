//! What the control plane needs to know about keys, from the configuration.

use crate::admin::Rules;
use config::{Config, limit};

/// The plans, the pattern of keys, and how a limit is read.
pub(crate) fn rules(config: &Config) -> Rules {
    Rules {
        plans: config.settings.plans.clone(),
        read_limit: |text| limit::read(text).map_err(|wrong| format!("{}; {}", wrong.why, wrong.help)),
        pattern: config.settings.keys.pattern.clone(),
    }
}
