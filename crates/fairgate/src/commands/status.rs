//! `fairgate status`: the state of the running gateway.

use super::{Out, reach::Reach};
use crate::{
    cli::Json,
    failure::Failure,
    output,
    times::{rfc3339, short},
};
use control::ShowStatus;
use std::{io::Write, process::ExitCode};

/// Where the state of a cluster contains times.
const TIMES_OF_CLUSTER: [&str; 4] =
    ["/cluster/copied", "/cluster/since", "/cluster/ledger/since", "/cluster/ledger/server/lost_at"];

/// Fails if the gateway is not ready, so that a script can ask.
pub(super) fn run(wanted: &Json, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let mut status = reach.execute(ShowStatus {})?;
    // The gateway may not have looked yet, or not look at all.
    if status.not_taken.is_none() {
        status.not_taken = reach.faults().map(ToString::to_string);
    }
    let code = if status.state == "ready" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if wanted.json {
        let mut value = serde_json::to_value(&status).map_err(|error| Failure::new(error.to_string()))?;
        for (name, time) in [("since", status.since), ("configured", status.configured)] {
            if let Some(member) = value.get_mut(name) {
                *member = rfc3339(time).into();
            }
        }
        for path in TIMES_OF_CLUSTER {
            if let Some(member) = value.pointer_mut(path)
                && let Some(at) = member.as_u64()
            {
                *member = rfc3339(at).into();
            }
        }
        output::json_value(out, &value)?;
        return Ok(code);
    }
    let sum = |figure: fn(&control::ThreadStatus) -> u64| status.threads.iter().map(figure).sum::<u64>();
    let lag = status.threads.iter().map(|thread| thread.lag_millis).max().unwrap_or_default();
    let mut pairs = vec![
        ("State", status.state.clone()),
        ("Address", status.address.clone()),
        ("Admin address", status.admin.map_or_else(|| "none".into(), |address| address.to_string())),
        ("Store", status.store.display().to_string()),
        ("Version", status.version.clone()),
        ("Process", status.process.to_string()),
        ("Since", format!("{} UTC", short(status.since))),
        ("Configuration of", format!("{} UTC", short(status.configured))),
        ("Keys", status.keys.to_string()),
        ("Threads", status.threads.len().to_string()),
        ("Connections", sum(|thread| thread.connections).to_string()),
        ("Requests in flight", sum(|thread| thread.requests).to_string()),
        ("Lag", format!("{lag} ms")),
    ];
    if let Some(cluster) = &status.cluster {
        let number = cluster.number.map_or_else(String::new, |number| format!(" (number {number})"));
        let reached = |is: bool| if is { "reached" } else { "out of reach" };
        let is_reached = reached(cluster.is_reached);
        let copied =
            cluster.copied.map_or_else(|| "none yet".to_owned(), |at| format!("of {} UTC", short(at)));
        pairs.push(("Node", format!("{}{number}", cluster.node)));
        pairs.push(("Records", format!("PostgreSQL at {}, {is_reached}", cluster.records)));
        pairs.push(("Copy of them", copied));
        if let Some(ledger) = &cluster.ledger {
            let server = ledger.server.as_ref();
            let place = server.map_or_else(String::new, |one| format!("{} at {}, ", one.product, one.server));
            pairs.push(("Ledger", format!("{place}{}", reached(ledger.is_reached))));
        }
    }
    output::pairs(out, &pairs)?;
    for alarm in &status.alarms {
        writeln!(out, "\nALARM: {}", output::plain(alarm))?;
    }
    if let Some(fault) = &status.not_taken {
        writeln!(out, "\nThe configuration on disk differs from the running one and was not applied:")?;
        for line in fault.lines() {
            writeln!(out, "{}", output::plain(line))?;
        }
    }
    Ok(code)
}
