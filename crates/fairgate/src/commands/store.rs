//! `fairgate store check`: reads the whole store.

use super::Out;
use crate::{cli::Json, config::Config, failure::Failure, output};
use serde_json::json;
use std::{io::Write, process::ExitCode};
use store::Embedded;

pub(super) fn check(wanted: &Json, config: &Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let keys = Embedded::check(&config.store.path)?;
    if wanted.json {
        output::json_value(out, &json!({ "keys": keys, "state": "whole" }))?;
    } else {
        writeln!(out, "{} is whole: {keys} keys.", config.store.path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
