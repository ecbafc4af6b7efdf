//! Runs the gateway.

use crate::{config_seam::Config, failure::Failure};
use std::process::ExitCode;

pub(crate) fn run(_config: Config) -> Result<ExitCode, Failure> {
    Err(Failure::new("the gateway is not wired up yet"))
}
