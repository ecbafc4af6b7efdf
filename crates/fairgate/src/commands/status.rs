//! `fairgate status`: how the running gateway stands.

use super::{
    Out,
    reach::{Reach, mismatch},
};
use crate::{
    admin::{Operation, Outcome},
    cli::Json,
    failure::Failure,
    output,
    times::short,
};
use std::{io::Write, process::ExitCode};

/// Fails if the gateway is not ready, so that a script can ask.
pub(super) fn run(wanted: &Json, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let Outcome::Status(status) = reach.execute(Operation::Status)? else { return Err(mismatch()) };
    let code = if status.state == "ready" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if wanted.json {
        let value = serde_json::to_value(&status).map_err(|error| Failure::new(error.to_string()))?;
        output::json_value(out, &value)?;
        return Ok(code);
    }
    let sum = |figure: fn(&crate::admin::ThreadStatus) -> u64| status.threads.iter().map(figure).sum::<u64>();
    let lag = status.threads.iter().map(|thread| thread.lag_millis).max().unwrap_or_default();
    output::pairs(
        out,
        &[
            ("State", status.state.clone()),
            ("Address", status.address.clone()),
            ("Version", status.version.clone()),
            ("Process", status.process.to_string()),
            ("Since", format!("{} UTC", short(status.since))),
            ("Configuration of", format!("{} UTC", short(status.configured))),
            ("Keys", status.keys.to_string()),
            ("Threads", status.threads.len().to_string()),
            ("Connections", sum(|thread| thread.connections).to_string()),
            ("Requests in flight", sum(|thread| thread.requests).to_string()),
            ("Behind by", format!("{lag} ms")),
        ],
    )?;
    if let Some(fault) = &status.not_taken {
        writeln!(
            out,
            "\nThe files say other than what holds, and were not taken over:\n{}",
            output::plain(fault)
        )?;
    }
    Ok(code)
}
