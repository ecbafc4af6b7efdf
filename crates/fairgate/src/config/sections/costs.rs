//! Limits and endpoints together: costs that fit, groups that are there, addresses that are counted.

use super::{endpoints::EndpointRead, plans::PlanRead};
use crate::config::{
    fault::Fault,
    raw::{At, Section},
    unknown::nearest,
};
use contract::{Kind, Limit};
use gateway::settings::Endpoint;

/// A request that costs more than a limit ever grants at once could never be admitted.
pub(super) fn check(
    top: &Section<'_>,
    plans: &[PlanRead],
    address: &[At<Limit>],
    endpoints: &[EndpointRead],
) {
    for endpoint in endpoints {
        let Some(cost) = &endpoint.cost else { continue };
        let group = endpoint.group.as_ref().map(|group| &*group.value);
        let of_plans = plans.iter().flat_map(|plan| plan.limits.iter().map(move |limit| (Some(plan), limit)));
        let of_address = address.iter().map(|limit| (None, limit));
        let too_small = of_plans
            .chain(of_address)
            .filter(|(plan, limit)| plan.is_none() == endpoint.is_public() && limit.value.applies_to(group))
            .filter_map(|(plan, limit)| Some((limit.value.at_most_at_once()?, plan, limit)))
            .filter(|(most, _, _)| *most < cost.value)
            .min_by_key(|(most, _, _)| *most);
        let Some((most, plan, limit)) = too_small else { continue };
        let (title, whose) = match plan {
            Some(plan) => (
                format!("keys of the plan `{}` could never use this endpoint", plan.plan.name),
                "the plan grants",
            ),
            None => ("nobody could ever use this endpoint".to_owned(), "an address is granted"),
        };
        let raised = match limit.value.kind {
            Kind::Rate { .. } => "burst",
            Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Concurrent | Kind::Lifetime => "limit",
        };
        top.reader.fault(
            Fault::at(cost.span.clone(), title)
                .label(format!("one request costs {}", cost.value))
                .also(limit.span.clone(), format!("{whose} {}", limit.value))
                .help(format!("lower the cost to at most {most}, or raise the {raised}")),
        );
    }
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
        let meant = nearest(group, known()).map(|near| format!("; was `{near}` meant?")).unwrap_or_default();
        top.reader.warn(format!(
            "line {}: the limit \"{}\" counts nothing, because no {kind} has the group `{group}`{meant}",
            top.reader.line(&limit.span),
            limit.value
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
            .warn(format!("line {line}: limits by address count nothing, because no endpoint is public"));
    }
}
