//! `fairgate cluster`: makes the tables of a cluster, shows its members, removes one for good.

use super::Out;
use crate::{
    cli::{self, Json},
    failure::Failure,
    output,
    times::{rfc3339, short},
};
use config::{ClusterSettings, Config};
use control::{Place, ShowStatus, ask};
use records::{Member, SCHEMA, Shared, State};
use serde_json::{Value, json};
use std::{io::Write, process::ExitCode};
use store::{Secret, StoreError};

/// What is shown of PostgreSQL.
struct Seen {
    state: State,
    members: Vec<Member>,
}

pub(super) fn run(command: &cli::Cluster, config: &Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let Some(settings) = &config.node.cluster else {
        return Err(Failure::usage(format!(
            "{} has no table `[cluster]`: set `[cluster] records` to the URL of a PostgreSQL database",
            output::plain(&config.node.sources.path.display().to_string())
        )));
    };
    match command {
        cli::Cluster::Init(wanted) => init(wanted, settings, out),
        cli::Cluster::Status(wanted) => status(wanted, config, settings, out),
        cli::Cluster::Remove(wanted) => remove(wanted, settings, out),
    }
}

fn init(wanted: &Json, settings: &ClusterSettings, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let file = &settings.secret_file;
    let shared = Shared::new(settings.records.clone())?;
    let known = Secret::read(file)?;
    let is_new_secret = known.is_none();
    // Reached first: a secret that nothing belongs to would only be in the way.
    store::wait(shared.reach())?;
    let secret = known.map_or_else(|| Secret::create(file), Ok)?;
    let is_new = match store::wait(shared.init(&secret, file)) {
        Ok(is_new) => is_new,
        Err(error) => {
            if is_new_secret {
                // Another node has the one that belongs to these records.
                let _ = std::fs::remove_file(file);
            }
            return Err(error.into());
        }
    };
    if wanted.json {
        let value = json!({
            "records": shared.place(),
            "tables": if is_new { "created" } else { "existed" },
            "secret_file": file.display().to_string(),
            "secret": if is_new_secret { "created" } else { "existed" },
        });
        output::json_value(out, &value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let tables = if is_new { "Created the tables" } else { "The tables exist already" };
    writeln!(out, "{tables} in PostgreSQL at {}.", output::plain(shared.place()))?;
    let (file, is_there) = (file.display(), if is_new_secret { "Created" } else { "Found" });
    writeln!(out, "{is_there} the secret {file}. Copy it to every node, readable by its gateway alone.")?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if PostgreSQL cannot be used, so that a script can ask.
fn status(
    wanted: &Json,
    config: &Config,
    settings: &ClusterSettings,
    out: &mut Out<'_>,
) -> Result<ExitCode, Failure> {
    let shared = Shared::new(settings.records.clone())?;
    let seen = store::wait(async {
        let state = shared.state().await?;
        Ok::<_, StoreError>(Seen { state, members: shared.members().await? })
    });
    let place =
        Place { store: Some(config.node.store.path.clone()), config: Some(config.node.sources.path.clone()) };
    let own = ask(&place, &ShowStatus {}).ok().flatten().and_then(|(status, _)| status.cluster);
    let code = if seen.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if wanted.json {
        let (state, error) = match &seen {
            Ok(seen) => (Some(&seen.state), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let members = seen.as_ref().map_or(&[][..], |seen| &seen.members);
        let value = json!({
            "records": {
                "place": shared.place(),
                "state": if error.is_none() { "reached" } else { "out of reach" },
                "error": error,
                "server_version": state.map(|state| &state.server),
                "schema": state.map(|state| state.schema),
                "schema_known_here": SCHEMA,
                "last_change": state.map(|state| state.change),
                "keys": state.map(|state| state.keys),
            },
            "members": members.iter().map(member_json).collect::<Vec<_>>(),
            "this_node": own.as_ref().map(|own| json!({
                "node": own.node,
                "number": own.number,
                "records": if own.is_reached { "reached" } else { "out of reach" },
                "error": own.why,
                "copied_at": own.copied.map(rfc3339),
                "applied": own.applied,
            })),
        });
        output::json_value(out, &value)?;
        return Ok(code);
    }
    write_state(shared.place(), &seen, out)?;
    if let Some(own) = own {
        let copied = own.copied.map_or_else(|| "none yet".to_owned(), |at| format!("of {} UTC", short(at)));
        let reached = if own.is_reached { "reached" } else { "out of reach" };
        output::pairs(
            out,
            &[
                ("This node", own.node),
                ("Its way to the records", reached.to_owned()),
                ("Its copy of them", copied),
            ],
        )?;
    }
    if let Ok(seen) = &seen {
        writeln!(out)?;
        write_members(seen, out)?;
    }
    Ok(code)
}

fn write_state(place: &str, seen: &Result<Seen, StoreError>, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut pairs = vec![("Records", format!("PostgreSQL at {place}"))];
    match seen {
        Ok(Seen { state, .. }) => pairs.extend([
            ("State", "reached".to_owned()),
            ("Server", state.server.clone()),
            ("Schema", state.schema.to_string()),
            ("Last change", state.change.to_string()),
            ("Keys", state.keys.to_string()),
        ]),
        Err(error) => pairs.push(("State", format!("out of reach: {error}"))),
    }
    output::pairs(out, &pairs)
}

fn write_members(seen: &Seen, out: &mut Out<'_>) -> Result<(), Failure> {
    if seen.members.is_empty() {
        writeln!(out, "The cluster has no members yet: a gateway becomes one when it starts.")?;
        return Ok(());
    }
    let rows = seen.members.iter().map(|member| {
        vec![
            member.name.clone(),
            member.number.to_string(),
            if member.is_alive { "up" } else { "down" }.to_owned(),
            member.version.clone(),
            short(member.since),
            short(member.seen),
            seen.state.change.saturating_sub(member.applied).to_string(),
            format!("{} ms", member.clock_offset_millis),
        ]
    });
    let head = ["NODE", "NUMBER", "STATE", "VERSION", "SINCE (UTC)", "LAST SEEN (UTC)", "BEHIND", "CLOCK"];
    output::table(out, &head, rows.collect())
}

fn remove(wanted: &cli::Remove, settings: &ClusterSettings, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let shared = Shared::new(settings.records.clone())?;
    let Some(member) = store::wait(shared.remove(&wanted.node))? else {
        return Err(Failure::new(format!(
            "no node of the cluster is called `{}`: `fairgate cluster status` shows all",
            output::plain(&wanted.node)
        )));
    };
    if wanted.json.json {
        output::json_value(out, &json!({ "removed": member_json(&member) }))?;
    } else {
        writeln!(
            out,
            "Removed the node {} (number {}) for good.",
            output::plain(&member.name),
            member.number
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn member_json(member: &Member) -> Value {
    json!({
        "node": member.name,
        "number": member.number,
        "state": if member.is_alive { "up" } else { "down" },
        "version": member.version,
        "since": rfc3339(member.since),
        "last_seen": rfc3339(member.seen),
        "applied": member.applied,
        "clock_offset_millis": member.clock_offset_millis,
    })
}
