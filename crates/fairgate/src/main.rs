//! The binary: command line, configuration, wiring. Knows everything, decides nothing.

mod admin;
mod cli;
mod commands;
mod config;
mod demo;
mod failure;
mod limit;
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
