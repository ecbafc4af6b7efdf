//! What a key may be granted: its plan, name, permissions, limits of its own and expiry.

use crate::{error::OperationError, live::Rules, nearest::nearest, operations::NewKey, own_limits};

const LONGEST_NAME: usize = 200;
const LONGEST_PERMISSION: usize = 128;
const MAX_PERMISSIONS: usize = 256;

/// Whether a key like this can be. Gives its own limits in the form in which they are kept. `has_new_limits`: they were not there
/// before.
pub(super) fn check(
    rules: &Rules,
    wanted: &NewKey,
    has_new_limits: bool,
    now: u64,
) -> Result<Vec<String>, OperationError> {
    let plan = rules.plans.iter().find(|plan| plan.name == wanted.plan);
    let plan = plan.ok_or_else(|| unknown_plan(rules, &wanted.plan))?;
    let costs = has_new_limits.then_some(rules.costs.as_slice());
    let limits = own_limits::check(&wanted.limits, &plan.limits, rules.read_limit, costs)?;
    if let Some(name) = &wanted.name
        && (name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control))
    {
        let why = format!("it must be 1 to {LONGEST_NAME} bytes without control characters");
        return Err(OperationError::not_valid("the key's name", why));
    }
    if wanted.permissions.len() > MAX_PERMISSIONS {
        let why = format!("a key has at most {MAX_PERMISSIONS}");
        return Err(OperationError::not_valid("permissions", why));
    }
    for permission in &wanted.permissions {
        let is_plain = permission.bytes().all(|byte| byte.is_ascii_graphic());
        if permission.is_empty() || permission.len() > LONGEST_PERMISSION || !is_plain {
            let what = format!("the permission `{}`", permission.escape_debug());
            let why = format!(
                "it must be 1 to {LONGEST_PERMISSION} visible ASCII characters without spaces, such as items:read"
            );
            return Err(OperationError::not_valid(&what, why));
        }
    }
    match wanted.expires_at {
        Some(expires) if expires <= now => Err(OperationError::not_valid("the expiry", "it is in the past")),
        Some(_) | None => Ok(limits),
    }
}

fn unknown_plan(rules: &Rules, plan: &str) -> OperationError {
    let known: Vec<String> = rules.plans.iter().map(|plan| plan.name.clone()).collect();
    let nearest = nearest(plan, known.iter().map(String::as_str)).map(str::to_owned);
    OperationError::UnknownPlan { plan: plan.into(), known, nearest }
}
