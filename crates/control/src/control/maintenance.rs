//! Beginning and ending maintenance.

use super::{Control, Operation};
use crate::{
    actor::Actor,
    error::OperationError,
    live::Live,
    nearest::nearest,
    operations::{BeginMaintenance, EndMaintenance, ListMaintenance, NewMaintenance},
};
use gateway::{maintenance::Pattern, settings::NamedEndpoint};
use store::{MaintenanceWindow, random};

/// What clients are told when the operator says nothing.
const MESSAGE: &str = "The API is under maintenance.";
const LONGEST_MESSAGE: usize = 1_000;
const MAX_ENDPOINTS: usize = 100;

impl Operation for BeginMaintenance {
    const NAME: &'static str = "begin_maintenance";
    const NEEDS_STORE: bool = false;
    type Response = MaintenanceWindow;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<MaintenanceWindow, OperationError> {
        let _turn = control.writing.lock().await;
        let (Self(wanted), now) = (self, control.now());
        let NewMaintenance { message, from, until, length, pass, endpoints } = wanted;
        if message.len() > LONGEST_MESSAGE || message.chars().any(char::is_control) {
            let why = format!("at most {LONGEST_MESSAGE} bytes on one line");
            return Err(OperationError::not_valid("the message", why));
        }
        let from = from.unwrap_or(now);
        let until = until.or_else(|| length.map(|length| from.saturating_add(length)));
        if until.is_some_and(|until| until <= from) {
            return Err(OperationError::not_valid(
                "the end of the maintenance",
                "it lies before its beginning",
            ));
        }
        if until.is_some_and(|until| until <= now) {
            return Err(OperationError::not_valid("the end of the maintenance", "it is in the past"));
        }
        let mut unknown = Vec::new();
        for id in &pass {
            let Some(key) = control.records().key_by_id(id).await? else {
                unknown.push(id.clone());
                continue;
            };
            let is_over = key.expires_at.is_some_and(|expires| expires <= now);
            if let Some(why) = key.revoked_at.map(|_| "it is revoked").or(is_over.then_some("it has expired"))
            {
                let what = format!("the key `{}`", id.escape_debug());
                return Err(OperationError::not_valid(&what, format!("{why}, so it cannot be let through")));
            }
        }
        if !unknown.is_empty() {
            return Err(OperationError::UnknownKeys { ids: unknown });
        }
        let endpoints = check_endpoints(control, &endpoints)?;
        let message = if message.is_empty() { MESSAGE.to_owned() } else { ended(message) };
        let id = random::id("mnt_", 8)?;
        let window = MaintenanceWindow { id, message, from, until, pass, endpoints, created_at: now };
        let change = control.records().put_maintenance(window.clone(), &actor.to_string()).await?;
        control.apply(&change).await?;
        Ok(window)
    }
}

impl Operation for EndMaintenance {
    const NAME: &'static str = "end_maintenance";
    const NEEDS_STORE: bool = false;
    type Response = Vec<MaintenanceWindow>;

    async fn carry_out(
        self,
        control: &Control,
        actor: Actor,
    ) -> Result<Vec<MaintenanceWindow>, OperationError> {
        let _turn = control.writing.lock().await;
        let mut windows = control.records().maintenance().await?;
        if let Some(id) = self.id {
            windows.retain(|window| window.id == id);
            if windows.is_empty() {
                return Err(OperationError::UnknownMaintenance { id });
            }
        }
        for window in &windows {
            let removed = control.records().remove_maintenance(&window.id, &actor.to_string()).await?;
            if let Some(change) = removed {
                control.apply(&change).await?;
            }
        }
        Ok(windows)
    }
}

impl Operation for ListMaintenance {
    const NAME: &'static str = "list_maintenance";
    const NEEDS_STORE: bool = false;
    type Response = Vec<MaintenanceWindow>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<MaintenanceWindow>, OperationError> {
        Ok(control.records().maintenance().await?)
    }
}

/// The endpoints in the form in which they are kept. What fits no endpoint is a slip.
fn check_endpoints(control: &Control, endpoints: &[String]) -> Result<Vec<String>, OperationError> {
    let mut kept: Vec<String> = Vec::new();
    for text in endpoints {
        let what = format!("the endpoint `{}`", text.escape_debug());
        match Pattern::parse(text) {
            Ok(pattern) if control.gateway().is_some_and(|gateway| !gateway.has_endpoints(&pattern)) => {
                let why = "the configuration has no endpoint that fits; `{name}` stands for one segment of a path, and `/*` \
                           at the end for all that follow";
                return Err(OperationError::not_valid(&what, why));
            }
            Ok(pattern) => kept.push(pattern.to_string()),
            Err(why) => kept.extend(of_operation(control, text, &what, why)?),
        }
    }
    if kept.len() > MAX_ENDPOINTS {
        let why = format!("a window has at most {MAX_ENDPOINTS}");
        return Err(OperationError::not_valid("the endpoints", why));
    }
    Ok(kept)
}

/// The endpoints of an operation that is called by its id. `why`: what is wrong with it as a method and a path.
fn of_operation(control: &Control, id: &str, what: &str, why: String) -> Result<Vec<String>, OperationError> {
    let looks_like_a_path = id.contains(char::is_whitespace) || id.starts_with('/');
    let Some(operations) = control.gateway().map(Live::operations) else {
        let unknown =
            "no gateway runs that knows the operations of the document: name the endpoint by method and path";
        let why = if looks_like_a_path { why } else { unknown.to_owned() };
        return Err(OperationError::not_valid(what, why));
    };
    let meant: Vec<&NamedEndpoint> = operations.iter().filter(|one| one.operation.id == id).collect();
    let Some(first) = meant.first() else {
        if operations.is_empty() || looks_like_a_path {
            return Err(OperationError::not_valid(what, why));
        }
        let near = nearest(id, operations.iter().map(|one| one.operation.id.as_str()));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(OperationError::not_valid(what, format!("the document has no such operation{near}")));
    };
    let is_same = |one: &&&NamedEndpoint| one.method == first.method && one.operation == first.operation;
    let named = meant.iter().map(|one| format!("{} {}", one.method, one.path));
    if meant.iter().filter(is_same).count() < meant.len() {
        let all: Vec<String> = named.map(|one| format!("`{one}`")).collect();
        let why =
            format!("the document has several operations of this name; choose among {}", all.join(", "));
        return Err(OperationError::not_valid(what, why));
    }
    Ok(named.collect())
}

/// A message that ends like a sentence: another follows it.
fn ended(mut message: String) -> String {
    message.truncate(message.trim_end().len());
    let last =
        message.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}', '\u{bb}']).chars().next_back();
    let is_ended = last.is_none_or(|last| ".!?:;\u{2026}\u{3002}\u{ff01}\u{ff1f}".contains(last));
    if !is_ended {
        message.push('.');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_joined_as_a_sentence() {
        for (message, told) in [
            ("We move", "We move."),
            ("We move ", "We move."),
            ("We move.", "We move."),
            ("Back soon!", "Back soon!"),
            ("\"Wait.\"", "\"Wait.\""),
            ("We move (to Rome)", "We move (to Rome)."),
            ("\u{8fd4}\u{3002}", "\u{8fd4}\u{3002}"),
        ] {
            assert_eq!(ended(message.to_owned()), told);
        }
    }
}
