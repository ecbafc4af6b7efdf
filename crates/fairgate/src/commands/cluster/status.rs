//! `fairgate cluster status`: the records, the ledger, every member, and what is wrong.
//!
//! The command itself queries PostgreSQL, but not the ledger, because the first query of a new ledger starts its epoch.
//! It shows what the gateway of this store knows of it, and what each member reported last.

use crate::{
    cli::Json,
    commands::Out,
    failure::Failure,
    output,
    times::{rfc3339, short},
};
use config::{ClusterSettings, Config};
use control::{ClusterStatus, LedgerServer, LedgerStatus, Place, ShowStatus, ask};
use records::{Member, SCHEMA, Shared, State};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Write, process::ExitCode};
use store::StoreError;

/// What is shown of PostgreSQL.
struct Seen {
    state: State,
    members: Vec<Member>,
}

/// The report of the gateway of this store.
struct Own {
    cluster: ClusterStatus,
    alarms: Vec<String>,
}

/// Fails if PostgreSQL cannot be used, so that a script can ask.
pub(super) fn run(
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
    let own = ask_gateway(config);
    if wanted.json {
        output::json_value(out, &as_json(shared.place(), &seen, own.as_ref()))?;
    } else {
        write_all(shared.place(), &seen, own.as_ref(), out)?;
    }
    Ok(if seen.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ask_gateway(config: &Config) -> Option<Own> {
    let place =
        Place { store: Some(config.node.store.path.clone()), config: Some(config.node.sources.path.clone()) };
    let (status, _) = ask(&place, &ShowStatus {}).ok().flatten()?;
    Some(Own { cluster: status.cluster?, alarms: status.alarms })
}

// === for programs ===

fn as_json(place: &str, seen: &Result<Seen, StoreError>, own: Option<&Own>) -> Value {
    let (state, error) = match seen {
        Ok(seen) => (Some(&seen.state), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let members = seen.as_ref().map_or(&[][..], |seen| &seen.members);
    json!({
        "records": {
            "place": place,
            "state": reached(error.is_none()),
            "error": error,
            "server_version": state.map(|state| &state.server),
            "schema": state.map(|state| state.schema),
            "schema_known_here": SCHEMA,
            "last_change": state.map(|state| state.change),
            "keys": state.map(|state| state.keys),
        },
        "ledger": own.and_then(|own| own.cluster.ledger.as_ref()).map(ledger_json),
        "members": members.iter().map(member_json).collect::<Vec<_>>(),
        "this_node": own.map(|Own { cluster, .. }| json!({
            "node": cluster.node,
            "number": cluster.number,
            "records": reached(cluster.is_reached),
            "records_since": cluster.since.map(rfc3339),
            "error": cluster.why,
            "copied_at": cluster.copied.map(rfc3339),
            "applied": cluster.applied,
        })),
        "alarms": own.map(|own| &own.alarms),
    })
}

fn ledger_json(ledger: &LedgerStatus) -> Value {
    let server = ledger.server.as_ref();
    json!({
        "state": reached(ledger.is_reached),
        "since": ledger.since.map(rfc3339),
        "error": ledger.why,
        "product": server.map(|server| &server.product),
        "server_version": server.map(|server| &server.version),
        "server": server.map(|server| &server.server),
        "role": server.map(|server| &server.role),
        "epoch": server.map(|server| server.epoch),
        "lost_at": server.and_then(|server| server.lost_at).map(rfc3339),
        "awaited": server.map(|server| &server.awaited),
        "durability": server.map(|server| &server.durability),
        "warnings": server.map(|server| &server.warnings),
        "members": ledger.members,
        "clock_offset_millis": ledger.clock_offset_millis,
        "leases": ledger.leases,
        "leased_units": ledger.units,
        "messages": ledger.messages,
        "questions": ledger.questions,
        "units_beyond_leases": ledger.beyond,
        "replaced": ledger.replaced,
    })
}

pub(super) fn member_json(member: &Member) -> Value {
    let report = &member.report;
    json!({
        "node": member.name,
        "number": member.number,
        "state": state(member),
        "version": member.version,
        "since": rfc3339(member.since),
        "last_seen": rfc3339(member.seen),
        "applied": member.applied,
        "clock_offset_millis": member.clock_offset_millis,
        "ledger": report.is_ledger_reached.map(reached),
        "ledger_clock_offset_millis": report.ledger_clock_offset_millis,
        "leases": report.leases,
        "leased_units": report.units,
        "messages": report.messages,
        "questions": report.questions,
        "units_beyond_leases": report.beyond,
        "alarms": report.alarms,
    })
}

// === for people ===

fn write_all(
    place: &str,
    seen: &Result<Seen, StoreError>,
    own: Option<&Own>,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    write_records(place, seen, out)?;
    writeln!(out)?;
    let members = seen.as_ref().map_or(&[][..], |seen| &seen.members);
    match own {
        Some(Own { cluster, .. }) => {
            if let Some(ledger) = &cluster.ledger {
                write_ledger(ledger, members, out)?;
                writeln!(out)?;
            }
            write_own(cluster, out)?;
        }
        None => writeln!(
            out,
            "No gateway runs on this store. What the ledger is kept in is shown where one runs."
        )?,
    }
    if let Ok(seen) = seen {
        writeln!(out)?;
        write_members(seen, out)?;
    }
    let warnings = own.and_then(|own| own.cluster.ledger.as_ref()?.server.as_ref());
    for warning in warnings.map_or(&[][..], |server| &server.warnings) {
        writeln!(out, "\nWARNING: {}", output::plain(warning))?;
    }
    write_alarms(own, members, out)
}

fn write_records(place: &str, seen: &Result<Seen, StoreError>, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut pairs = vec![("Records", format!("PostgreSQL at {place}"))];
    match seen {
        Ok(Seen { state, .. }) => pairs.extend([
            ("State", reached(true).to_owned()),
            ("Server", state.server.clone()),
            ("Schema", state.schema.to_string()),
            ("Last change", state.change.to_string()),
            ("Keys", state.keys.to_string()),
        ]),
        Err(error) => pairs.push(("State", format!("{}: {error}", reached(false)))),
    }
    output::pairs(out, &pairs)
}

fn write_ledger(ledger: &LedgerStatus, members: &[Member], out: &mut Out<'_>) -> Result<(), Failure> {
    let why = ledger.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    let since = ledger.since.map_or_else(String::new, |since| format!(" since {} UTC", short(since)));
    let state = format!("{}{since}{why}", reached(ledger.is_reached));
    let Some(server) = &ledger.server else {
        return output::pairs(out, &[("Ledger", "nothing is known of it yet".to_owned()), ("State", state)]);
    };
    let LedgerServer { product, version, server: address, role, epoch, lost_at, awaited, durability, .. } =
        server;
    let lost = lost_at.map_or_else(|| "never".to_owned(), |at| format!("last at {} UTC", short(at)));
    let pairs = [
        ("Ledger", format!("{product} {version} at {address} ({role})")),
        ("State", state),
        ("Epoch", epoch.to_string()),
        ("Lost its grants", lost),
        ("Waits for", names(awaited, members)),
        ("Durability", durability.clone()),
    ];
    output::pairs(out, &pairs)
}

/// Members by their names, as far as the records have them.
fn names(numbers: &[u32], members: &[Member]) -> String {
    let names: BTreeMap<i64, &str> =
        members.iter().map(|member| (member.number, member.name.as_str())).collect();
    let name = |number: &u32| match names.get(&i64::from(*number)) {
        Some(name) => format!("{name} (number {number})"),
        None => format!("number {number}"),
    };
    if numbers.is_empty() {
        "nobody".to_owned()
    } else {
        numbers.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

fn write_own(own: &ClusterStatus, out: &mut Out<'_>) -> Result<(), Failure> {
    let copied = own.copied.map_or_else(|| "none yet".to_owned(), |at| format!("of {} UTC", short(at)));
    let since = own.since.map_or_else(String::new, |since| format!(" since {} UTC", short(since)));
    output::pairs(
        out,
        &[
            ("This node", own.node.clone()),
            ("Its way to the records", format!("{}{since}", reached(own.is_reached))),
            ("Its copy of them", copied),
        ],
    )
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
            state(member).to_owned(),
            member.version.clone(),
            short(member.since),
            short(member.seen),
            seen.state.change.saturating_sub(member.applied).to_string(),
        ]
    });
    let head = ["NODE", "NUMBER", "STATE", "VERSION", "SINCE (UTC)", "LAST SEEN (UTC)", "BEHIND"];
    output::table(out, &head, rows.collect())?;
    writeln!(out)?;
    let rows = seen.members.iter().map(|member| {
        let report = &member.report;
        let offset = |millis: Option<i64>| millis.map_or_else(String::new, |millis| format!("{millis} ms"));
        vec![
            member.name.clone(),
            report.is_ledger_reached.map_or("", reached).to_owned(),
            offset(Some(member.clock_offset_millis)),
            offset(report.ledger_clock_offset_millis),
            report.leases.to_string(),
            report.units.to_string(),
            report.messages.to_string(),
            report.questions.to_string(),
        ]
    });
    let head = ["NODE", "LEDGER", "CLOCK", "TO LEDGER'S", "LEASES", "UNITS HELD", "MESSAGES", "QUESTIONS"];
    output::figures(out, &head, rows.collect())
}

/// The current faults of this node, and those that the others reported last.
fn write_alarms(own: Option<&Own>, members: &[Member], out: &mut Out<'_>) -> Result<(), Failure> {
    let own_name = own.map(|own| own.cluster.node.as_str());
    for alarm in own.map_or(&[][..], |own| &own.alarms) {
        writeln!(out, "\nALARM: {}", output::plain(alarm))?;
    }
    for member in members.iter().filter(|member| member.is_alive && Some(member.name.as_str()) != own_name) {
        for alarm in &member.report.alarms {
            writeln!(out, "\nALARM at {}: {}", output::plain(&member.name), output::plain(alarm))?;
        }
    }
    Ok(())
}

const fn reached(is: bool) -> &'static str {
    if is { "reached" } else { "out of reach" }
}

const fn state(member: &Member) -> &'static str {
    if member.is_alive { "up" } else { "down" }
}
