//! The binary: command line, configuration, wiring.

#[allow(dead_code, reason = "the command line will call it")]
mod config;

fn main() {}
