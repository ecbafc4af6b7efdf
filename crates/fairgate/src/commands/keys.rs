//! `fairgate keys`: make, change, list and revoke keys.

mod import;

use super::{Out, permissions as needed, reach::Reach};
use crate::{
    cli::{Change, Create, Expires, Keys, List, Revoke, Wanted},
    failure::Failure,
    output::{self, key_json, state},
    times::{rfc3339, roughly, short},
};
use control::{
    ChangeKey, CreateKey, Expiry, KeyChange, KeyCreated, KeyView, KeysRevoked, ListKeys, NewKey, RevokeKeys,
    system_clock,
};
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};

/// Keys that are asked for at a time.
const PAGE: usize = 5_000;

pub(super) fn run(command: Keys, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Keys::Create(create) => make(create, reach, out),
        Keys::List(list) if list.json.json => list_json(reach, out),
        Keys::List(list) => list_table(list, reach, out),
        Keys::Change(wanted) => change(wanted, reach, out),
        Keys::Revoke(which) => revoke(which, reach, out),
        Keys::Import(wanted) => import::run(wanted, reach, out),
    }
}

/// What was typed, with the expiry as a time.
pub(super) fn wanted(wanted: Wanted) -> NewKey {
    let permissions = sorted(wanted.permissions);
    let expires_at = wanted.expires.map(|when| when.seconds(system_clock()));
    NewKey { name: wanted.name, plan: wanted.plan, permissions, limits: wanted.limits, expires_at }
}

fn sorted(mut permissions: Vec<String>) -> Vec<String> {
    permissions.sort();
    permissions.dedup();
    permissions
}

/// Changes a key, and shows its new state.
fn change(wanted: Change, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let now = system_clock();
    // An omitted one stays; removing all must be explicit.
    let all = |given: Vec<String>, none: bool| if none || !given.is_empty() { Some(given) } else { None };
    let sets_permissions = !wanted.permissions.is_empty();
    let change = KeyChange {
        name: wanted.name,
        plan: wanted.plan,
        permissions: all(sorted(wanted.permissions), wanted.no_permissions),
        limits: all(wanted.limits, wanted.no_limits),
        expires: wanted.expires.map(|expires| match expires {
            Expires::Never => Expiry::Never,
            Expires::When(when) => Expiry::At(when.seconds(now)),
        }),
    };
    let view = reach.execute(ChangeKey { id: wanted.id, change })?;
    let warnings =
        if sets_permissions { needed::warnings(reach.config(), &view.permissions) } else { Vec::new() };
    needed::print(&warnings);
    if wanted.json.json {
        output::json_value(out, &with_warnings(key_json(&view, now), &warnings))?;
    } else {
        output::pairs(out, &described(&view, now))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The output for one key.
fn described(view: &KeyView, now: u64) -> Vec<(&'static str, String)> {
    let expires = match view.expires_at {
        Some(at) if at <= now => format!("{} (expired)", rfc3339(at)),
        Some(at) => format!("{} (in {})", rfc3339(at), roughly(at.saturating_sub(now))),
        None => "never".into(),
    };
    let mut pairs = vec![("id", view.id.clone())];
    pairs.extend(view.name.clone().map(|name| ("name", name)));
    pairs.extend([("plan", view.plan.clone()), ("permissions", permissions(view))]);
    pairs.extend((!view.limits.is_empty()).then(|| ("own limits", view.limits.join(", "))));
    pairs.push(("expires", expires));
    let revoked = |at| format!("revoked at {}: it stays revoked, whatever is changed", rfc3339(at));
    pairs.extend(view.revoked_at.map(|at| ("state", revoked(at))));
    pairs
}

fn make(create: Create, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let now = system_clock();
    let KeyCreated { key, view } = reach.execute(CreateKey(wanted(create.wanted)))?;
    let warnings = needed::warnings(reach.config(), &view.permissions);
    needed::print(&warnings);
    if create.json.json {
        let mut value = json!({ "key": key });
        if let (Value::Object(all), Value::Object(rest)) = (&mut value, key_json(&view, now)) {
            all.extend(rest);
        }
        output::json_value(out, &with_warnings(value, &warnings))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{key}\n")?;
    output::pairs(out, &described(&view, now))?;
    writeln!(out, "\nThe key is shown only once: store it now.")?;
    Ok(ExitCode::SUCCESS)
}

/// What was done, and what is probably not meant.
fn with_warnings(mut value: Value, warnings: &[String]) -> Value {
    if let Value::Object(members) = &mut value {
        members.insert("warnings".to_owned(), json!(warnings));
    }
    value
}

/// Hands every key to `each`, page by page.
fn for_each(reach: &mut Reach, mut each: impl FnMut(KeyView) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = reach.execute(ListKeys { after, limit: PAGE })?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for key in page {
            each(key)?;
        }
    }
}

/// One key a line, written as they come: there may be a million.
fn list_json(reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let now = system_clock();
    let mut separator = "[\n";
    for_each(reach, |key| {
        write!(out, "{separator}{}", key_json(&key, now))?;
        separator = ",\n";
        Ok(())
    })?;
    writeln!(out, "{}", if separator == "[\n" { "[]" } else { "\n]" })?;
    Ok(ExitCode::SUCCESS)
}

fn list_table(list: List, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let now = system_clock();
    let mut keys = Vec::new();
    for_each(reach, |key| {
        keys.push(key);
        Ok(())
    })?;
    if keys.is_empty() {
        writeln!(out, "There are no keys yet: create one with `fairgate keys create --plan NAME`.")?;
        return Ok(ExitCode::SUCCESS);
    }
    keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    let hidden = keys.len().saturating_sub(list.limit);
    let rows = keys.iter().skip(hidden).map(|key| {
        vec![
            key.id.clone(),
            key.name.clone().unwrap_or_else(|| "-".into()),
            key.plan.clone(),
            permissions(key),
            if key.limits.is_empty() { "-".into() } else { key.limits.join(", ") },
            key.preview.clone(),
            short(key.created_at),
            key.expires_at.map_or("never".into(), short),
            state(key, now).to_owned(),
        ]
    });
    let head =
        ["ID", "NAME", "PLAN", "PERMISSIONS", "OWN LIMITS", "KEY", "CREATED (UTC)", "EXPIRES (UTC)", "STATE"];
    output::table(out, &head, rows.collect())?;
    if hidden > 0 {
        writeln!(out, "\n{hidden} older keys are not shown: use `--limit {}` or `--json`.", keys.len())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn permissions(key: &KeyView) -> String {
    if key.permissions.is_empty() { "-".into() } else { key.permissions.join(", ") }
}

fn revoke(which: Revoke, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for id in which.ids {
        if id == "-" {
            for line in io::stdin().lock().lines() {
                let line = line.map_err(|error| Failure::new(format!("cannot read the keys: {error}")))?;
                let key = line.trim_end();
                keys.extend((!key.is_empty()).then(|| key.to_owned()));
            }
        } else if contract::key::is_well_formed(id.as_bytes()) {
            // Other users of the machine see what is typed here; the key is as good as public.
            return Err(Failure::usage(
                "this is a key, not its id: pass keys through standard input, \
                 as in `echo \"$KEY\" | fairgate keys revoke -`",
            ));
        } else {
            ids.push(id);
        }
    }
    let KeysRevoked { revoked, already, unknown } = reach.execute(RevokeKeys { ids, keys })?;
    if which.json.json {
        let now = system_clock();
        let all = |keys: &[KeyView]| keys.iter().map(|key| key_json(key, now)).collect::<Vec<_>>();
        let value = json!({ "revoked": all(&revoked), "already": all(&already), "unknown": unknown });
        output::json_value(out, &value)?;
    } else {
        for key in &revoked {
            writeln!(out, "Revoked {}{}.", key.id, named(key))?;
        }
        for key in &already {
            let since = key.revoked_at.map_or(String::new(), |at| format!(" at {}", rfc3339(at)));
            writeln!(out, "{}{} was already revoked{since}.", key.id, named(key))?;
        }
    }
    if unknown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let unknown: Vec<_> = unknown.iter().map(|id| output::plain(id)).collect();
    Err(Failure::new(format!("unknown key {}: `fairgate keys list` shows all", unknown.join(", "))))
}

fn named(key: &KeyView) -> String {
    key.name.as_ref().map_or(String::new(), |name| format!(" ({})", output::plain(name)))
}
