//! The binary: command line, configuration, wiring. Knows everything, decides nothing.

mod cli;
mod commands;
mod demo;
mod failure;
mod file_size;
mod output;
mod times;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Without it a write beyond the limit ends the process; that does not prevent a start.
    let _ = file_size::make_it_an_error();
    // clap ends the process by itself with code 2 on bad usage, and with 0 on --help.
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
