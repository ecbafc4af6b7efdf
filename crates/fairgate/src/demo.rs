//! Runs a sample API with the gateway in front of it.

use crate::failure::Failure;
use std::process::ExitCode;

pub(crate) fn run() -> Result<ExitCode, Failure> {
    Err(Failure::new("the demo is not wired up yet"))
}
