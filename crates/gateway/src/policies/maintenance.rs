//! Maintenance: every request gets a 503, except with the keys that operators test with.

use crate::{
    clock::text,
    config::maintenance::{Pattern, Window},
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    policies::{key, route::Purpose},
};
use contract::ErrorCode;
use std::sync::atomic::Ordering;

/// `Retry-After` in seconds while no end is known.
const WITHOUT_AN_END: u64 = 120;

/// Refuses while a window for all endpoints is in force.
pub(crate) fn check(context: &mut RequestContext<'_>) -> Result<(), Refused> {
    let windows = context.shared.maintenance.load();
    let now = context.now.seconds();
    let of_all = |window: &&Window| window.endpoints.is_empty() && window.holds(now);
    if !windows.iter().any(|window| of_all(&window)) {
        return Ok(());
    }
    refuse(context, &windows.iter().filter(of_all).collect::<Vec<_>>())
}

/// Refuses while a window for this endpoint is in force.
pub(crate) fn check_endpoint(context: &mut RequestContext<'_>, purpose: Purpose<'_>) -> Result<(), Refused> {
    if !context.shared.has_partial_maintenance.load(Ordering::Relaxed) || matches!(purpose, Purpose::Limits) {
        return Ok(());
    }
    let windows = context.shared.maintenance.load();
    let now = context.now.seconds();
    let applies =
        |window: &&Window| window.holds(now) && window.endpoints.iter().any(|one| is_for(one, context));
    let in_force: Vec<&Window> = windows.iter().filter(applies).collect();
    if in_force.is_empty() { Ok(()) } else { refuse(context, &in_force) }
}

/// A pattern that equals the endpoint's template applies to that endpoint; any other applies to all
/// paths that match it.
fn is_for(pattern: &Pattern, context: &RequestContext<'_>) -> bool {
    if !pattern.takes(context.head.method()) {
        return false;
    }
    let is_template = |template: &str| pattern.is(template);
    let is_declared = || context.config.routes.template_of(pattern.path()).is_some_and(is_template);
    context.template.is_some_and(is_template) || (!is_declared() && pattern.fits(context.head.path()))
}

/// Refuses requests that are not let through by all windows in force.
fn refuse(context: &mut RequestContext<'_>, in_force: &[&Window]) -> Result<(), Refused> {
    // Only now does the key matter: otherwise keys are checked later.
    if key::recognise(context).is_some_and(|key| in_force.iter().all(|window| window.lets_through(&key.id())))
    {
        return Ok(());
    }
    let now = context.now.seconds();
    let until = in_force.iter().map(|window| window.until).max_by_key(|until| until.unwrap_or(u64::MAX));
    let until = until.flatten();
    let message = in_force.first().map_or("", |window| window.message.as_str());
    let reason = if message.is_empty() { "The API is under maintenance." } else { message };
    let end = until.map_or_else(
        || "It has no known end yet".to_owned(),
        |until| format!("It ends at {}", text::time(until)),
    );
    let of = if in_force.iter().any(|window| window.endpoints.is_empty()) {
        ""
    } else {
        " Other endpoints are not affected."
    };
    let message = format!(
        "{reason} {end}.{of} You can keep making requests until the API is available; nothing is charged."
    );
    let mut refused = Refusal::new(ErrorCode::Maintenance, message);
    refused.retry_after = Some(until.map_or(WITHOUT_AN_END, |until| until.saturating_sub(now).max(1)));
    Err(refused)
}
