//! `fairgate store`: reads the whole store; writes all that it holds to a file, and reads it back.

mod export;
mod import;

pub(super) use export::export;
pub(super) use import::import;

use super::Out;
use crate::{cli::Json, failure::Failure, output};
use config::Config;
use control::export::Counts;
use serde_json::json;
use std::{io::Write, process::ExitCode};
use store::Embedded;

pub(super) fn check(wanted: &Json, config: &Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    check_there(config)?;
    let keys = Embedded::check(&config.node.store.path)?;
    if wanted.json {
        output::json_value(out, &json!({ "keys": keys, "state": "whole" }))?;
    } else {
        writeln!(out, "{} is intact: {keys} keys.", config.node.store.path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Opening a store would make one: in a folder that is not mounted, say.
fn check_there(config: &Config) -> Result<(), Failure> {
    let folder = &config.node.store.path;
    if folder.join(store::DATABASE_FILE).exists() || folder.join(store::SECRET_FILE).exists() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "there is no store in {}: check `[store] path`, and that the disk is mounted",
        output::plain(&folder.display().to_string())
    )))
}

/// What was moved, in a sentence without its end.
fn moved(counts: &Counts) -> String {
    let of = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "{}, {}, {}, usage of {}, {}",
        of(counts.keys, "key", "keys"),
        of(counts.maintenance, "maintenance window", "maintenance windows"),
        of(counts.incidents, "incident", "incidents"),
        of(counts.usage_days, "day", "days"),
        of(counts.counters, "counter", "counters"),
    )
}
