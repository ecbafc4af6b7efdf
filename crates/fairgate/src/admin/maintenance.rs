//! Beginning and ending maintenance.

use super::{
    control::Control,
    operation::{OperationError, Outcome},
};
use store::{MaintenanceWindow, StoreError, random};

/// What clients are told when the operator says nothing.
const MESSAGE: &str = "The API is under maintenance.";
const LONGEST_MESSAGE: usize = 1_000;

pub(super) fn begin(
    control: &mut Control,
    message: String,
    from: Option<u64>,
    until: Option<u64>,
    length: Option<u64>,
    pass: Vec<String>,
    now: u64,
) -> Result<Outcome, OperationError> {
    if message.len() > LONGEST_MESSAGE || message.chars().any(char::is_control) {
        let why = format!("at most {LONGEST_MESSAGE} bytes on one line");
        return Err(OperationError::not_valid("the message", why));
    }
    let from = from.unwrap_or(now);
    let until = until.or_else(|| length.map(|length| from.saturating_add(length)));
    if until.is_some_and(|until| until <= from) {
        return Err(OperationError::not_valid("the end of the maintenance", "it lies before its beginning"));
    }
    if until.is_some_and(|until| until <= now) {
        return Err(OperationError::not_valid("the end of the maintenance", "it lies in the past"));
    }
    let mut unknown = Vec::new();
    for id in &pass {
        if control.store.key_by_id(id)?.is_none() {
            unknown.push(id.clone());
        }
    }
    if !unknown.is_empty() {
        return Err(OperationError::UnknownKeys { ids: unknown });
    }
    let message = if message.is_empty() { MESSAGE.to_owned() } else { message };
    let id = random::id("mnt_", 8)?;
    let window = MaintenanceWindow { id, message, from, until, pass, created_at: now };
    control.store.put_maintenance(&window)?;
    tell(control)?;
    Ok(Outcome::MaintenanceBegun(window))
}

pub(super) fn end(control: &mut Control, id: Option<String>) -> Result<Outcome, OperationError> {
    let mut windows = control.store.maintenance()?;
    if let Some(id) = id {
        windows.retain(|window| window.id == id);
        if windows.is_empty() {
            return Err(OperationError::UnknownMaintenance { id });
        }
    }
    for window in &windows {
        control.store.remove_maintenance(&window.id)?;
    }
    tell(control)?;
    Ok(Outcome::MaintenanceEnded(windows))
}

fn tell(control: &Control) -> Result<(), StoreError> {
    control.live.maintenance_changed(&control.store.maintenance()?);
    Ok(())
}
