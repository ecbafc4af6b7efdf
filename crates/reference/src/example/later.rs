//! Examples of responses that depend on the time: limits, maintenance, our own faults.

use super::{Example, fine};
use crate::{
    facts::Facts,
    kinds,
    model::{Live, Plan},
    quantity,
};
use contract::{ErrorCode, Kind, Limit, Period, Zone, specification::MAX_RETRY_AFTER};

/// The moment that examples speak of: 2026-11-23T20:26:28Z.
const MOMENT: u64 = 1_795_465_588;
/// The value of `Retry-After` while no end of a maintenance is known.
const WITHOUT_AN_END: u64 = 120;
/// The value of `Retry-After` when the API itself sent none.
const UNAVAILABLE: u64 = 10;

/// A limit that is used up. A calendar window is the clearest, so it is preferred.
pub(crate) fn limit(facts: &Facts, code: ErrorCode) -> Example {
    let is_rate = code == ErrorCode::RateExceeded;
    let of_calendar = |limit: &Limit| matches!(limit.kind, Kind::Calendar { .. });
    let find = |fits: &dyn Fn(&Limit) -> bool| {
        facts.reference.plans.iter().find_map(|plan| {
            let position = plan.limits.iter().position(|limit| limit.error_code() == code && fits(limit))?;
            Some((plan, position))
        })
    };
    let found = find(&|limit| limit.group.is_none() && of_calendar(limit)).or_else(|| find(&|_| true));
    let endpoint = facts.first_that(|endpoint| !endpoint.public && endpoint.cost == 1);
    let request = fine(facts, endpoint.or_else(|| facts.typical()));
    let amount = if is_rate { 20 } else { 1000 };
    let period = if is_rate { Period::Second } else { Period::Day };
    let illustration = Plan {
        name: String::new(),
        limits: vec![Limit { amount, kind: Kind::Calendar { period, zone: Zone::Utc }, group: None }],
    };
    let (plan, position) = found.unwrap_or((&illustration, 0));
    let Some(limit) = plan.limits.get(position) else {
        return Example::new(facts, code, request, code.meaning());
    };
    let (message, reset) = exceeded(limit);
    let not_now = match found {
        Some(_) => "",
        None => "No plan has a limit of this kind.",
    };
    let policy = plan.limits.iter().map(|limit| {
        let window = kinds::window_seconds(limit, MOMENT).map(|seconds| format!(";w={seconds}"));
        format!("\"{}\";q={}{}", limit.policy_name(), quota(limit), window.unwrap_or_default())
    });
    let mut example = Example::new(facts, code, request, message);
    example.violated_policy = Some(limit.policy_name());
    if let Some(reset) = reset {
        example = example.header("Retry-After", reset.min(MAX_RETRY_AFTER).to_string());
    }
    example =
        example.header("X-Rate-Limit-Limit", quota(limit).to_string()).header("X-Rate-Limit-Remaining", "0");
    // Of a rate it is when all of it is back, and when to try again is another question.
    let whole = if let Kind::Rate { .. } = limit.kind { kinds::window_seconds(limit, MOMENT) } else { reset };
    if let Some(reset) = whole {
        example = example.header("X-Rate-Limit-Reset", reset.to_string());
    }
    example.header("RateLimit-Policy", policy.collect::<Vec<_>>().join(", ")).not_now(not_now)
}

/// The most units that can be left.
fn quota(limit: &Limit) -> u32 {
    limit.at_most_at_once().unwrap_or(limit.amount)
}

/// The message of a refusal, as in `policies/limits.rs` of the gateway, and after how many seconds another request
/// makes sense. None: never.
fn exceeded(limit: &Limit) -> (String, Option<u64>) {
    let used = match limit.amount {
        1 => format!("You have used the only request of the limit \"{limit}\"."),
        amount => format!("You have used all {amount} requests of the limit \"{limit}\"."),
    };
    let when = |wait: u64| {
        let unit = if wait == 1 { "second" } else { "seconds" };
        format!("in {wait} {unit}, at {}", quantity::time(MOMENT + wait))
    };
    match &limit.kind {
        Kind::Calendar { period, zone } => {
            let wait = zone.end(*period, zone.index(*period, MOMENT)).saturating_sub(MOMENT).max(1);
            (format!("{used} It resets {}.", when(wait)), Some(wait))
        }
        Kind::Rolling { seconds } => {
            let wait = u64::from(seconds.div_ceil(16));
            (format!("{used} Enough units are available again {}.", when(wait)), Some(wait))
        }
        Kind::Rate { period, .. } => {
            let wait = period.seconds(0).div_ceil(u64::from(limit.amount)).max(1);
            let faster = format!("This API key sends requests faster than the limit \"{limit}\" allows.");
            (format!("{faster} Retry {}.", when(wait)), Some(wait))
        }
        Kind::Concurrent => {
            let (running, end) = match limit.amount {
                1 => ("A request from this API key is in flight".into(), "it completes"),
                amount => (format!("{amount} requests from this API key are in flight"), "one completes"),
            };
            let message =
                format!("{running}, which is all that the limit \"{limit}\" allows. Wait until {end}.");
            (message, Some(1))
        }
        Kind::Lifetime => (format!("{used} It does not reset; ask for a larger limit."), None),
    }
}

pub(crate) fn too_many_errors(facts: &Facts) -> Example {
    let ceilings = facts.reference.ceilings;
    let (whose, ceiling, not_now) = match (ceilings.per_key, ceilings.per_address) {
        (Some(ceiling), _) => ("API key", ceiling, ""),
        (None, Some(ceiling)) => ("address", ceiling, ""),
        (None, None) => ("API key", 6000, "This API has no ceiling on errors."),
    };
    let wait = 60 - MOMENT % 60;
    let message = format!(
        "{ceiling} requests from this {whose} failed within the current minute. Correct the failing requests, then retry in {wait} seconds. Nothing was charged."
    );
    Example::new(facts, ErrorCode::TooManyErrors, fine(facts, facts.typical()), message)
        .header("Retry-After", wait.min(MAX_RETRY_AFTER).to_string())
        .not_now(not_now)
}

pub(crate) fn unexpected(facts: &Facts) -> Example {
    let message = "An unexpected error occurred on our side. Nothing was charged. Please e-mail us the request id, and we will check as soon as possible.";
    let mut example = Example::new(facts, ErrorCode::UnexpectedError, fine(facts, facts.typical()), message);
    example.contact.clone_from(&facts.reference.support_email);
    example
}

/// In the window that is in force or comes next.
pub(crate) fn maintenance(facts: &Facts, live: &Live) -> Example {
    let next =
        live.windows.iter().filter(|window| !window.is_over(live.now)).min_by_key(|window| window.from);
    let reason = next.map(|window| window.message.as_str()).filter(|message| !message.is_empty());
    let reason = reason.unwrap_or("The API is under maintenance.");
    let (now, until) = match next {
        Some(window) => (window.from.max(live.now), window.until),
        None => (MOMENT, Some(MOMENT + 1800)),
    };
    let end = until.map_or_else(
        || "It has no known end yet".to_owned(),
        |until| format!("It ends at {}", quantity::time(until)),
    );
    let message = format!(
        "{reason} {end}. You can keep making requests until the API is available; nothing is charged."
    );
    let wait = until.map_or(WITHOUT_AN_END, |until| until.saturating_sub(now).max(1));
    let not_now = match next {
        None => "No maintenance is planned.",
        Some(window) if window.holds(live.now) => "",
        Some(_) => "This is the response during the next planned window.",
    };
    Example::new(facts, ErrorCode::Maintenance, fine(facts, facts.typical()), message)
        .header("Retry-After", wait.min(MAX_RETRY_AFTER).to_string())
        .not_now(not_now)
}

/// An error of the API behind the gateway. Its own message replaces this one.
pub(crate) fn of_the_api(facts: &Facts, code: ErrorCode) -> Example {
    let has_names = |endpoint: &crate::model::Endpoint| endpoint.path.contains('{') && !endpoint.public;
    let endpoint = if code == ErrorCode::ResourceNotFound {
        facts.first_that(has_names).or_else(|| facts.typical())
    } else if code == ErrorCode::Unprocessable {
        super::values::with_body(facts).or_else(|| facts.typical())
    } else {
        facts.typical()
    };
    let message = format!("{} {}", code.meaning(), code.what_to_do());
    let example = Example::new(facts, code, fine(facts, endpoint), message);
    if code == ErrorCode::Unavailable {
        return example.header("Retry-After", UNAVAILABLE.to_string());
    }
    example
}
