//! From the raw file to the valid configuration, table by table, in the order of the registry.

mod endpoints;
mod moved;
mod parameters;
mod paths;
mod pattern;
mod plans;
mod server;
mod syntax;
mod top;
mod upstream;

use super::{StoreSettings, raw::Section, registry::Table};
use gateway::settings::Settings;
use std::path::Path;

/// Reads everything. None: a fault was noted without which no settings can be made.
pub(super) fn read(
    top: &Section<'_>,
    folder: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<(Settings, StoreSettings)> {
    let redirects = top::redirects(top);
    let statuses = top::statuses(top);
    let extra_codes = top::extra_codes(top);
    let trusted_proxies = top::trusted_proxies(top);
    let (api, prefix) = server::api(&top.once(Table::Api));
    let (listen, address) = server::listen(&top.once(Table::Listen), environment);
    let upstream = upstream::upstream(&top.once(Table::Upstream), address.as_ref());
    let timeouts = server::timeouts(&top.once(Table::Timeouts));
    let sizes = server::sizes(&top.once(Table::Sizes));
    let store = server::store(&top.once(Table::Store), folder);
    let keys = server::keys(&top.once(Table::Keys));
    let plans = plans::plans(top);
    let endpoints = endpoints::endpoints(top);
    let moved = moved::moved(top);
    let abuse = server::abuse(&top.once(Table::Abuse));
    let log = server::log(&top.once(Table::Log));

    plans::check_costs(top, &plans, &endpoints);
    paths::check(top, prefix.as_ref(), &endpoints, &moved, redirects.as_ref());
    let settings = Settings {
        api: api?,
        listen: listen?,
        upstream: upstream?,
        timeouts: timeouts?,
        sizes: sizes?,
        keys: keys?,
        plans: plans.into_iter().map(|plan| plan.plan).collect(),
        endpoints: endpoints.into_iter().filter_map(|endpoint| endpoint.valid).collect(),
        moved: moved.into_iter().map(|moved| moved.moved).collect(),
        redirects: redirects?,
        statuses: statuses?,
        extra_codes,
        trusted_proxies,
        abuse: abuse?,
        log: log?,
    };
    Some((settings, store?))
}
