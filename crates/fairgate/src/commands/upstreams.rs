//! `fairgate upstreams`: the health of upstream addresses.

use super::{Out, reach::Reach};
use crate::{
    cli::{Json, Upstreams},
    failure::Failure,
    output,
    times::{rfc3339_millis, short},
};
use control::{AddressView, ListUpstreams};
use serde_json::{Value, json};
use std::{io::Write, process::ExitCode};

pub(super) fn run(command: &Upstreams, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Upstreams::List(wanted) => list(wanted, reach, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(wanted: &Json, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let addresses = reach.execute(ListUpstreams {})?;
    if wanted.json {
        return output::json_value(out, &addresses.iter().map(as_json).collect::<Value>());
    }
    let rows = addresses.iter().map(|one| {
        vec![
            one.service.clone(),
            one.address.clone(),
            one.weight.to_string(),
            match one.percent {
                Some(percent) => format!("{} {percent} %", one.state),
                None => one.state.clone(),
            },
            one.since_millis.map_or_else(|| "-".into(), |since| short(since / 1000)),
            one.in_flight.to_string(),
            one.sent.to_string(),
            one.failures.to_string(),
        ]
    });
    let head = ["SERVICE", "ADDRESS", "WEIGHT", "STATE", "SINCE (UTC)", "IN FLIGHT", "SENT", "FAILED"];
    output::table(out, &head, rows.collect())?;
    for one in &addresses {
        if let Some(error) = &one.error {
            writeln!(out, "{}: {}", output::plain(&one.address), output::plain(error))?;
        }
    }
    Ok(())
}

fn as_json(one: &AddressView) -> Value {
    json!({
        "service": one.service,
        "address": one.address,
        "weight": one.weight,
        "state": one.state,
        "percent": one.percent,
        "since": one.since_millis.map(rfc3339_millis),
        "in_flight": one.in_flight,
        "sent": one.sent,
        "failures": one.failures,
        "places": one.places,
        "error": one.error,
    })
}
