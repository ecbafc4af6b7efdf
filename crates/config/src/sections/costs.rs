//! Limits and endpoints together: costs that fit, groups that exist, addresses that are counted.

use super::{endpoints::EndpointRead, plans::PlanRead};
use crate::{
    fault::Fault,
    nearest,
    raw::{At, Section},
};
use contract::{Kind, Limit};
use gateway::settings::Endpoint;
use std::collections::BTreeSet;

/// More plans than this are not named in one fault: a file may have hundreds.
const MAX_NAMED: usize = 10;

/// A limit that never grants at once what a request costs.
struct TooSmall<'a> {
    /// What it grants at most at once.
    most: u32,
    /// None: it is one of addresses.
    plan: Option<&'a PlanRead>,
    limit: &'a At<Limit>,
}

/// A request that costs more than a limit ever grants at once could never be admitted. One fault an endpoint names all
/// plans whose keys could never use it, so that one run reports them all.
pub(super) fn check(
    top: &Section<'_>,
    plans: &[PlanRead],
    address: &[At<Limit>],
    endpoints: &[EndpointRead],
) {
    for endpoint in endpoints {
        let Some(cost) = &endpoint.cost else { continue };
        let group = endpoint.group.as_ref().map(|group| &*group.value);
        let of_plans =
            plans.iter().filter(|_| !endpoint.is_public()).map(|plan| (Some(plan), plan.limits.as_slice()));
        let of_address = endpoint.is_public().then_some((None, address));
        let tightest = of_plans.chain(of_address).filter_map(|(plan, limits)| tightest(plan, limits, group));
        let too_small: Vec<_> = tightest.filter(|one| one.most < cost.value).collect();
        note(top, cost, &too_small);
    }
}

/// The limit that grants least at once to a request of this group.
fn tightest<'a>(
    plan: Option<&'a PlanRead>,
    limits: &'a [At<Limit>],
    group: Option<&str>,
) -> Option<TooSmall<'a>> {
    let applying = limits.iter().filter(|limit| limit.value.applies_to(group));
    let bounded =
        applying.filter_map(|limit| Some(TooSmall { most: limit.value.at_most_at_once()?, plan, limit }));
    bounded.min_by_key(|one| one.most)
}

fn note(top: &Section<'_>, cost: &At<u32>, too_small: &[TooSmall<'_>]) {
    let Some(least) = too_small.iter().map(|one| one.most).min() else { return };
    let names: Vec<&str> = too_small.iter().filter_map(|one| Some(one.plan?.plan.name.as_str())).collect();
    let title = match names.as_slice() {
        [] => "no client could ever use this endpoint".to_owned(),
        [name] => format!("keys of the plan `{name}` could never use this endpoint"),
        names => {
            let named: Vec<String> = names.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
            let more = match names.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("keys of {} plans could never use this endpoint: {}{more}", names.len(), named.join(", "))
        }
    };
    let mut fault = Fault::at(cost.span.clone(), title).label(format!("one request costs {}", cost.value));
    for TooSmall { plan, limit, .. } in too_small.iter().take(MAX_NAMED) {
        let whose = match plan {
            Some(_) => "the plan allows",
            None => "an address is allowed",
        };
        fault = fault.also(limit.span.clone(), format!("{whose} {}", limit.value));
    }
    let raised = match too_small {
        [TooSmall { limit, .. }] => match limit.value.kind {
            Kind::Rate { .. } => "the burst",
            Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Concurrent | Kind::Lifetime => "the limit",
        },
        _ => "these limits",
    };
    top.reader.fault(fault.help(format!("lower the cost to at most {least}, or raise {raised}")));
}

/// A limit of a group without endpoints counts nothing.
pub(super) fn warn_of_groups(
    top: &Section<'_>,
    plans: &[PlanRead],
    address: &[At<Limit>],
    endpoints: &[EndpointRead],
) {
    let of_plans = plans.iter().flat_map(|plan| plan.limits.iter().map(|limit| (limit, false)));
    for (limit, is_public) in of_plans.chain(address.iter().map(|limit| (limit, true))) {
        let Some(group) = &limit.value.group else { continue };
        let known = || {
            let counted = endpoints.iter().filter(|endpoint| endpoint.is_public() == is_public);
            counted.filter_map(|endpoint| endpoint.group.as_ref().map(|group| &*group.value))
        };
        if known().any(|known| known == &**group) {
            continue;
        }
        let kind = if is_public { "public endpoint" } else { "endpoint that needs a key" };
        let meant =
            nearest(group, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        top.reader.warn(format!(
            "line {}: the limit \"{}\" has no effect, because no {kind} is in the group `{group}`{meant}",
            top.reader.line(&limit.span),
            limit.value
        ));
    }
}

/// A group that no limit names changes nothing: probably one of the two is spelled otherwise.
pub(super) fn warn_of_unlimited_groups(
    top: &Section<'_>,
    plans: &[PlanRead],
    address: &[At<Limit>],
    endpoints: &[EndpointRead],
) {
    let limits = || plans.iter().flat_map(|plan| &plan.limits).chain(address);
    let named: BTreeSet<&str> = limits().filter_map(|limit| limit.value.group.as_deref()).collect();
    let mut seen = BTreeSet::new();
    for group in endpoints.iter().filter_map(|endpoint| endpoint.group.as_ref()) {
        if named.contains(&*group.value) || !seen.insert(&*group.value) {
            continue;
        }
        let meant = nearest(&group.value, named.iter().copied());
        let meant = meant.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        top.reader.warn(format!(
            "line {}: the group `{}` has no effect, because no limit ends in ` for {}`{meant}",
            top.reader.line(&group.span),
            group.value,
            group.value
        ));
    }
}

/// Limits by address count public endpoints alone.
pub(super) fn warn_of_address(top: &Section<'_>, address: &[At<Limit>], endpoints: &[Endpoint]) {
    if let Some(first) = address.first()
        && !endpoints.iter().any(|endpoint| endpoint.public)
    {
        let line = top.reader.line(&first.span);
        top.reader
            .warn(format!("line {line}: limits by address have no effect, because no endpoint is public"));
    }
}
