//! `fairgate incidents`: why a response was a 500.

use super::{Out, reach::Reach};
use crate::{
    cli::{self, Incidents},
    failure::Failure,
    output::{self, incident_group_json, incident_json},
    times::{rfc3339_millis, short},
};
use control::{GroupIncidents, ListIncidents, ShowIncident};
use serde_json::Value;
use std::{io::Write, process::ExitCode};
use store::IncidentRecord;

pub(super) fn run(command: Incidents, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Incidents::List(wanted) => list(wanted, reach, out)?,
        Incidents::Show(wanted) => show(wanted, reach, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(wanted: cli::ListIncidents, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    if !wanted.each && wanted.cause.is_none() {
        return list_groups(&wanted, reach, out);
    }
    let cause = wanted.cause;
    let incidents = reach.execute(ListIncidents { limit: wanted.limit, cause: cause.clone() })?;
    if wanted.json.json {
        return output::json_value(out, &Value::Array(incidents.iter().map(incident_json).collect()));
    }
    if incidents.is_empty() {
        match cause {
            Some(cause) => writeln!(
                out,
                "There are no incidents of the cause \"{}\". `fairgate incidents list` lists the causes.",
                output::plain(&cause)
            )?,
            None => writeln!(out, "There are no incidents.")?,
        }
        return Ok(());
    }
    let rows = incidents.iter().map(|incident| {
        vec![
            short(incident.at_millis / 1000),
            incident.request_id.clone(),
            request(incident),
            whose(incident),
            incident.cause.clone(),
        ]
    });
    output::table(out, &["TIME (UTC)", "REQUEST ID", "ENDPOINT", "KEY OR ADDRESS", "CAUSE"], rows.collect())
}

/// One line for each cause.
fn list_groups(wanted: &cli::ListIncidents, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut groups = reach.execute(GroupIncidents {})?;
    groups.truncate(wanted.limit);
    if wanted.json.json {
        return output::json_value(out, &Value::Array(groups.iter().map(incident_group_json).collect()));
    }
    if groups.is_empty() {
        writeln!(out, "There are no incidents.")?;
        return Ok(());
    }
    let rows = groups.iter().map(|group| {
        let latest = group.latest.as_ref();
        vec![
            group.count.to_string(),
            short(group.first_millis / 1000),
            short(group.last_millis / 1000),
            group.cause.clone(),
            latest.map_or_else(|| "-".into(), |latest| latest.request_id.clone()),
            latest.map_or_else(|| "-".into(), request),
        ]
    });
    let head = ["COUNT", "FIRST (UTC)", "LAST (UTC)", "CAUSE", "LATEST REQUEST ID", "ENDPOINT"];
    output::table(out, &head, rows.collect())?;
    writeln!(
        out,
        "\n`fairgate incidents list --cause \"CAUSE\"` lists those of one cause, `--each` lists all."
    )?;
    Ok(())
}

fn request(incident: &IncidentRecord) -> String {
    format!("{} {}", incident.method, incident.endpoint.as_deref().unwrap_or(&incident.path))
}

fn whose(incident: &IncidentRecord) -> String {
    incident.key_id.clone().or_else(|| incident.address.clone()).unwrap_or_else(|| "-".into())
}

fn show(wanted: cli::ShowIncident, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let incidents = reach.execute(ShowIncident { request_id: wanted.request_id })?;
    if wanted.json.json {
        let all: Vec<Value> = incidents.iter().map(incident_json).collect();
        return match <[Value; 1]>::try_from(all) {
            Ok([one]) => output::json_value(out, &one),
            Err(several) => output::json_value(out, &Value::Array(several)),
        };
    }
    if incidents.len() > 1 {
        writeln!(out, "{} requests had this id, newest first:\n", incidents.len())?;
    }
    let mut separator = "";
    for incident in incidents {
        write!(out, "{separator}")?;
        separator = "\n";
        show_one(incident, out)?;
    }
    Ok(())
}

fn show_one(incident: IncidentRecord, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut pairs = vec![
        ("request id", incident.request_id),
        ("time", rfc3339_millis(incident.at_millis)),
        ("request", format!("{} {}", incident.method, incident.path)),
    ];
    pairs.extend(incident.endpoint.map(|endpoint| ("endpoint", endpoint)));
    pairs.push(("key", incident.key_id.unwrap_or_else(|| "none".into())));
    pairs.extend(incident.address.map(|address| ("address", address)));
    pairs.push(("cause", incident.cause));
    output::pairs(out, &pairs)?;
    writeln!(out)?;
    for line in incident.detail.lines() {
        writeln!(out, "{}", output::plain(line))?;
    }
    Ok(())
}
