//! Converts settings to the reference's model of the API. The only place that knows both.

mod refusals;

use crate::{
    config::maintenance,
    settings::{self, Settings},
};
use reference::{Ceilings, Deprecation, Endpoint, Live, Moved, Plan, Reference, Sizes, Times, Window};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Endpoints for which refusals of their rules are generated. Each example needs one that fits, not
/// all that do.
const MAX_TRIED: usize = 200;

/// The API of these settings, as the reference describes it. `address`: where it listens.
pub fn of(settings: &Settings, address: SocketAddr) -> Reference {
    let api = &settings.api;
    let mut tried = 0;
    let endpoints = settings.endpoints.declared().iter().map(|one| {
        tried += usize::from(one.rules.is_some());
        endpoint(one, tried <= MAX_TRIED)
    });
    Reference {
        name: api.name.clone(),
        support_email: api.support_email.clone(),
        public_url: api.public_url.clone().unwrap_or_default(),
        local_url: local_url(address),
        docs_path: api.docs_path(),
        limits_path: api.limits_path(),
        statuses: settings.statuses,
        extra_codes: settings.extra_codes.clone(),
        redirects_slashes: match settings.redirects.trailing_slash {
            settings::TrailingSlash::Redirect => true,
            settings::TrailingSlash::Keep => false,
        },
        redirects_to_https: settings.redirects_to_https(),
        redirect_status: settings.redirects.status,
        key_headers: settings.keys.headers_as_written(),
        key_pattern: settings.keys.pattern.as_ref().map(|pattern| pattern.as_str().to_owned()),
        plans: settings
            .plans
            .iter()
            .map(|plan| Plan { name: plan.name.clone(), limits: plan.limits.clone() })
            .collect(),
        address_limits: settings.address_limits.clone(),
        endpoints: endpoints.collect(),
        any_path: match settings.endpoints {
            settings::Endpoints::AnyPath => true,
            settings::Endpoints::Declared(_) => false,
        },
        moved: settings
            .moved
            .iter()
            .map(|moved| Moved { from: moved.from.clone(), to: moved.to.clone() })
            .collect(),
        ceilings: Ceilings {
            per_key: settings.abuse.errors_per_key,
            per_address: settings.abuse.errors_per_address,
        },
        sizes: Sizes { head: settings.sizes.head as u64, body: settings.sizes.body },
        times: Times {
            head: settings.timeouts.head,
            body: settings.timeouts.body,
            first_byte: settings.upstream_timeouts.first_byte,
        },
        has_openapi: settings.document.is_some(),
    }
}

/// The maintenance shown by the reference at this Unix second.
pub fn live(windows: &[maintenance::Window], now: u64) -> Live {
    let windows = windows.iter().map(|window| Window {
        message: window.message.clone(),
        from: window.from,
        until: window.until,
        endpoints: window.endpoints.iter().map(ToString::to_string).collect(),
    });
    Live { windows: windows.collect(), now }
}

fn endpoint(one: &settings::Endpoint, is_tried: bool) -> Endpoint {
    let mut endpoint = Endpoint {
        method: one.method.clone(),
        path: one.path.clone(),
        summary: one.summary.clone(),
        tag: one.tag.clone(),
        permissions: one.permissions.clone(),
        public: one.public,
        cost: one.cost,
        reports_cost: one.cost_header.is_some(),
        group: one.group.clone(),
        deprecated: one.deprecated.map(|deprecated| Deprecation { since: Some(deprecated.since) }),
        moved_to: one.moved_to.clone(),
        max_body: one.max_body,
        takes: one.takes.clone(),
        ..Endpoint::default()
    };
    if let Some(rules) = one.rules.as_deref().filter(|_| is_tried) {
        refusals::try_out(rules, &mut endpoint);
    }
    endpoint
}

/// The base URL of examples while no public one is configured. A wildcard address is not one that
/// clients can connect to.
fn local_url(address: SocketAddr) -> String {
    let ip = Some(address.ip()).filter(|ip| !ip.is_unspecified());
    let ip = ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
