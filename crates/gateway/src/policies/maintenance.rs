//! Maintenance: every request is answered 503, but for the keys that operators test with.

use crate::{
    policies::key,
    refusal::{Refusal, Refused},
    text,
    visit::Visit,
};
use contract::ErrorCode;

/// What `Retry-After` says while no end is known.
const WITHOUT_AN_END: u64 = 120;

/// Refuses while a window is in force.
pub(crate) fn check(visit: &mut Visit<'_>) -> Result<(), Refused> {
    let windows = visit.shared.maintenance.load();
    let now = visit.now.seconds();
    let Some(window) = windows.iter().find(|window| window.holds(now)) else { return Ok(()) };
    // Only now does it matter whose request it is: keys are otherwise looked at further down.
    let mut in_force = windows.iter().filter(|window| window.holds(now));
    if key::recognise(visit).is_some_and(|key| in_force.all(|window| window.lets_through(&key.id()))) {
        return Ok(());
    }
    let until = windows
        .iter()
        .filter(|window| window.holds(now))
        .map(|window| window.until)
        .max_by_key(|until| until.unwrap_or(u64::MAX));
    let until = until.flatten();
    let reason =
        if window.message.is_empty() { "The API is in a maintenance period." } else { &window.message };
    let end = until.map_or_else(
        || "Its end is not known yet".to_owned(),
        |until| format!("It ends at {}", text::time(until)),
    );
    let message = format!("{reason} {end}. You can go on requesting until it is over; nothing is charged.");
    let mut refused = Refusal::new(ErrorCode::Maintenance, message);
    refused.retry_after = Some(until.map_or(WITHOUT_AN_END, |until| until.saturating_sub(now).max(1)));
    Err(refused)
}
