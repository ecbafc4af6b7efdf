//! `fairgate maintenance`: begin, end and list maintenance.

use super::{Out, reach::Reach};
use crate::{
    cli::{Json, Maintenance, Off, On},
    failure::Failure,
    output::{self, window_json, window_state},
    times::{rfc3339, roughly, short},
};
use control::{BeginMaintenance, EndMaintenance, ListMaintenance, NewMaintenance, system_clock};
use serde_json::Value;
use std::{io::Write, process::ExitCode};

pub(super) fn run(command: Maintenance, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Maintenance::On(on) => begin(on, reach, out)?,
        Maintenance::Off(off) => end(off, reach, out)?,
        Maintenance::List(json) => list(&json, reach, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(on: On, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let now = system_clock();
    let operation = BeginMaintenance(NewMaintenance {
        message: on.message.unwrap_or_default(),
        from: on.from.map(|when| when.seconds(now)),
        until: on.until.map(|when| when.seconds(now)),
        length: on.length,
        pass: on.pass,
        endpoints: on.endpoints,
    });
    let window = reach.execute(operation)?;
    let now = system_clock(); // it may have taken a while
    if on.json.json {
        return output::json_value(out, &window_json(&window, now));
    }
    if window.from > now {
        let wait = roughly(window.from - now);
        writeln!(out, "Maintenance starts at {} (in {wait}).", rfc3339(window.from))?;
    } else {
        writeln!(out, "Maintenance is on.")?;
    }
    match window.until {
        Some(until) => {
            let length = roughly(until.saturating_sub(window.from));
            writeln!(out, "It ends automatically at {} (after {length}).", rfc3339(until))?;
        }
        None => writeln!(out, "It lasts until `fairgate maintenance off {}`.", window.id)?,
    }
    writeln!(out, "Message for clients: {}", output::plain(&window.message))?;
    if !window.endpoints.is_empty() {
        writeln!(out, "Only for: {}", output::plain(&window.endpoints.join(", ")))?;
    }
    if !window.pass.is_empty() {
        writeln!(out, "Exempt keys: {}", window.pass.join(", "))?;
    }
    if !reach.is_live() {
        writeln!(out, "No gateway runs on this store: it applies once one starts.")?;
    }
    Ok(())
}

fn end(off: Off, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let now = system_clock();
    let windows = reach.execute(EndMaintenance { id: off.id })?;
    if off.json.json {
        let all = windows.iter().map(|window| window_json(window, now)).collect();
        return output::json_value(out, &Value::Array(all));
    }
    if windows.is_empty() {
        writeln!(out, "There was no maintenance.")?;
    }
    for window in windows {
        let done = match window_state(&window, now) {
            "on" => "Ended",
            "planned" => "Cancelled",
            _ => "Forgot",
        };
        writeln!(out, "{done} {} ({}).", window.id, output::plain(&window.message))?;
    }
    Ok(())
}

fn list(json: &Json, reach: &mut Reach, out: &mut Out<'_>) -> Result<(), Failure> {
    let now = system_clock();
    let windows = reach.execute(ListMaintenance {})?;
    if json.json {
        let all = windows.iter().map(|window| window_json(window, now)).collect();
        return output::json_value(out, &Value::Array(all));
    }
    if windows.is_empty() {
        writeln!(out, "No maintenance is active or planned.")?;
        return Ok(());
    }
    let rows = windows.iter().map(|window| {
        vec![
            window.id.clone(),
            window_state(window, now).to_owned(),
            short(window.from),
            window.until.map_or("turned off".into(), short),
            if window.endpoints.is_empty() { "all".into() } else { window.endpoints.join(", ") },
            if window.pass.is_empty() { "-".into() } else { window.pass.join(", ") },
            window.message.clone(),
        ]
    });
    output::table(
        out,
        &["ID", "STATE", "FROM (UTC)", "UNTIL (UTC)", "ENDPOINTS", "LET THROUGH", "MESSAGE"],
        rows.collect(),
    )
}
