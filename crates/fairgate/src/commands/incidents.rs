//! `fairgate incidents`: why an answer was a 500.

use super::{
    Out,
    reach::{Reach, mismatch},
};
use crate::{
    admin::{Operation, Outcome},
    cli::{Incidents, ListIncidents, ShowIncident},
    failure::Failure,
    output::{self, incident_json},
    times::{rfc3339_millis, short},
};
use serde_json::Value;
use std::{io::Write, process::ExitCode};

pub(super) fn run(command: Incidents, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Incidents::List(wanted) => list(wanted, reach, out)?,
        Incidents::Show(wanted) => show(wanted, reach, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(wanted: ListIncidents, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let operation = Operation::ListIncidents { limit: wanted.limit, cause: wanted.cause };
    let Outcome::Incidents(incidents) = reach.execute(operation)? else { return Err(mismatch()) };
    if wanted.json.json {
        return output::json_value(out, &Value::Array(incidents.iter().map(incident_json).collect()));
    }
    if incidents.is_empty() {
        writeln!(out, "There are no incidents.")?;
        return Ok(());
    }
    let rows = incidents.iter().map(|incident| {
        let endpoint = incident.endpoint.as_deref().unwrap_or(&incident.path);
        vec![
            short(incident.at_millis / 1000),
            incident.request_id.clone(),
            format!("{} {endpoint}", incident.method),
            incident.key_id.clone().unwrap_or_else(|| "-".into()),
            incident.cause.clone(),
        ]
    });
    output::table(out, &["TIME (UTC)", "REQUEST ID", "ENDPOINT", "KEY", "CAUSE"], rows.collect())
}

fn show(wanted: ShowIncident, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let operation = Operation::ShowIncident { request_id: wanted.request_id };
    let Outcome::Incident(incident) = reach.execute(operation)? else { return Err(mismatch()) };
    if wanted.json.json {
        return output::json_value(out, &incident_json(&incident));
    }
    let mut pairs = vec![
        ("request id", incident.request_id),
        ("time", rfc3339_millis(incident.at_millis)),
        ("request", format!("{} {}", incident.method, incident.path)),
    ];
    pairs.extend(incident.endpoint.map(|endpoint| ("endpoint", endpoint)));
    pairs.push(("key", incident.key_id.unwrap_or_else(|| "none".into())));
    pairs.push(("cause", incident.cause));
    output::pairs(out, &pairs)?;
    writeln!(out)?;
    for line in incident.detail.lines() {
        writeln!(out, "{}", output::plain(line))?;
    }
    Ok(())
}
