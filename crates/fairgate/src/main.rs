//! The binary: command line, configuration, wiring. Knows everything, decides nothing.

#[allow(dead_code, unused_imports, reason = "the half that serves is used once the gateway is wired up")]
mod admin;
mod cli;
mod commands;
mod config_seam;
mod demo;
mod failure;
mod output;
mod serve;
mod times;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // clap ends the process by itself with code 2 on bad usage, and with 0 on --help.
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
