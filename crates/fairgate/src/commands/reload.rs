//! `fairgate config reload`: makes the running gateway reload the configuration.

use super::{Out, reach::Reach};
use crate::{cli::Json, failure::Failure, output};
use control::Reload;
use serde_json::json;
use std::{io::Write, process::ExitCode};

pub(super) fn run(wanted: &Json, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let done = reach.execute(Reload {})?;
    if wanted.json {
        let value = json!({
            "plans": { "added": done.added, "changed": done.changed, "removed": done.removed },
            "changed": done.others,
            "warnings": done.warnings,
        });
        output::json_value(out, &value)?;
        return Ok(ExitCode::SUCCESS);
    }
    for warning in &done.warnings {
        eprintln!("{}", output::plain(warning));
    }
    let plans = [("added", &done.added), ("changed", &done.changed), ("removed", &done.removed)];
    for (what, names) in plans.into_iter().filter(|(_, names)| !names.is_empty()) {
        writeln!(out, "Plans {what}: {}.", names.join(", "))?;
    }
    if !done.others.is_empty() {
        writeln!(out, "Changed: {}.", done.others.join(", "))?;
    }
    if done.others.is_empty() && plans.iter().all(|(_, names)| names.is_empty()) {
        writeln!(out, "No changes.")?;
    }
    Ok(ExitCode::SUCCESS)
}
