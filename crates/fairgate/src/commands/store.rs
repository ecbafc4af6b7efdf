//! `fairgate store check`: reads the whole store.

use super::Out;
use crate::{cli::Json, failure::Failure, output};
use config::Config;
use serde_json::json;
use std::{io::Write, process::ExitCode};
use store::Embedded;

pub(super) fn check(wanted: &Json, config: &Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let folder = &config.node.store.path;
    // Opening it would make one: in a folder that is not mounted, say.
    if !folder.join(store::DATABASE_FILE).exists() && !folder.join(store::SECRET_FILE).exists() {
        return Err(Failure::new(format!(
            "there is no store in {}: check `[store] path`, and that the disk is mounted",
            output::plain(&folder.display().to_string())
        )));
    }
    let keys = Embedded::check(&config.node.store.path)?;
    if wanted.json {
        output::json_value(out, &json!({ "keys": keys, "state": "whole" }))?;
    } else {
        writeln!(out, "{} is intact: {keys} keys.", config.node.store.path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
