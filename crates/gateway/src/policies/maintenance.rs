//! Maintenance: every request gets a 503, except with the keys that operators test with.

use crate::{
    clock::text,
    config::{
        maintenance::{Pattern, Window},
        routes::Route,
    },
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
    let of_all = |window: &Window| window.endpoints.is_empty() && window.holds(now);
    if !windows.iter().any(of_all) {
        return Ok(());
    }
    // Only now does the key matter: otherwise keys are checked later.
    let key_id = key::recognise(context).map(|key| key.id());
    if !windows.iter().any(|window| of_all(window) && !lets_through(window, key_id.as_deref())) {
        return Ok(());
    }
    // A window of its endpoint may end later.
    let (method, path) = (context.head.method(), context.head.path());
    let is_limits = context.config.limits_paths.iter().any(|own| own == path);
    let template = match context.config.routes.find(method, path) {
        Route::Endpoint(endpoint, _) => Some(endpoint.path.as_str()),
        Route::Open | Route::OtherMethods(_) | Route::Nothing => None,
    };
    let is_for = |one: &Pattern| !is_limits && is_for(one, context, template);
    let applies = |window: &&Window| window.endpoints.is_empty() || window.endpoints.iter().any(is_for);
    let blocking = windows.iter().filter(applies).filter(|window| !lets_through(window, key_id.as_deref()));
    Err(refuse(context, &blocking.collect::<Vec<_>>()))
}

/// Refuses while a window for this endpoint is in force.
pub(crate) fn check_endpoint(context: &mut RequestContext<'_>, purpose: Purpose<'_>) -> Result<(), Refused> {
    if !context.shared.has_partial_maintenance.load(Ordering::Relaxed) || matches!(purpose, Purpose::Limits) {
        return Ok(());
    }
    let windows = context.shared.maintenance.load();
    let now = context.now.seconds();
    let is_here =
        |window: &&Window| window.endpoints.iter().any(|one| is_for(one, context, context.template));
    if !windows.iter().filter(is_here).any(|window| window.holds(now)) {
        return Ok(());
    }
    let applies = |window: &&Window| window.endpoints.is_empty() || is_here(window);
    let applying: Vec<&Window> = windows.iter().filter(applies).collect();
    let key_id = key::recognise(context).map(|key| key.id());
    let blocking: Vec<&Window> =
        applying.into_iter().filter(|window| !lets_through(window, key_id.as_deref())).collect();
    if blocking.iter().any(|window| window.holds(now)) { Err(refuse(context, &blocking)) } else { Ok(()) }
}

fn lets_through(window: &Window, key_id: Option<&str>) -> bool {
    key_id.is_some_and(|id| window.lets_through(id))
}

/// A pattern that equals the endpoint's template applies to that endpoint; any other applies to all
/// paths that match it.
fn is_for(pattern: &Pattern, context: &RequestContext<'_>, template: Option<&str>) -> bool {
    if !pattern.takes(context.head.method()) {
        return false;
    }
    let is_template = |template: &str| pattern.is(template);
    let is_declared = || context.config.routes.template_of(pattern.path()).is_some_and(is_template);
    template.is_some_and(is_template) || (!is_declared() && pattern.fits(context.head.path()))
}

/// The refusal of a request that these windows stop, now or later: at least one of them is in force.
fn refuse(context: &RequestContext<'_>, blocking: &[&Window]) -> Refused {
    let now = context.now.seconds();
    let until = end(blocking, now);
    let in_force = || blocking.iter().filter(|window| window.holds(now));
    let message = in_force().next().map_or("", |window| window.message.as_str());
    let reason = if message.is_empty() { "The API is under maintenance." } else { message };
    let end = until.map_or_else(
        || "It has no known end yet".to_owned(),
        |until| format!("It ends at {}", text::time(until)),
    );
    let of = if in_force().any(|window| window.endpoints.is_empty()) {
        ""
    } else {
        " Other endpoints are not affected."
    };
    let message = format!(
        "{reason} {end}.{of} You can keep making requests until the API is available; nothing is charged."
    );
    let mut refused = Refusal::new(ErrorCode::Maintenance, message);
    refused.retry_after = Some(until.map_or(WITHOUT_AN_END, |until| until.saturating_sub(now).max(1)));
    refused
}

/// When requests are served again: the end of the last window of those that follow each other from now on without a gap.
/// None: no end is known.
fn end(windows: &[&Window], now: u64) -> Option<u64> {
    let mut end = now;
    loop {
        let ends = windows.iter().filter(|window| window.from <= end).map(|window| window.until);
        let latest = ends.max_by_key(|until| until.unwrap_or(u64::MAX));
        match latest {
            Some(None) => return None,
            Some(Some(until)) if until > end => end = until,
            Some(Some(_)) | None => return Some(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_without_a_gap_between_them_end_with_the_last() {
        let window = |(from, until): &(u64, Option<u64>)| Window {
            message: String::new(),
            from: *from,
            until: *until,
            pass: vec![],
            endpoints: vec![],
        };
        for (windows, expected) in [
            (&[(0, Some(20))][..], Some(20)),
            (&[(0, Some(20)), (15, Some(40))], Some(40)),
            (&[(15, Some(40)), (0, Some(20))], Some(40)),
            (&[(0, Some(20)), (20, Some(40))], Some(40)),
            (&[(0, Some(20)), (21, Some(40))], Some(20)),
            (&[(0, Some(20)), (20, None)], None),
            (&[(0, Some(20)), (5, Some(10))], Some(20)),
            (&[(0, Some(20)), (40, Some(60)), (19, Some(45))], Some(60)),
        ] {
            let all: Vec<Window> = windows.iter().map(window).collect();
            assert_eq!(end(&all.iter().collect::<Vec<_>>(), 10), expected, "{windows:?}");
        }
    }
}
