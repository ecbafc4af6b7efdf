//! Imports every document that standard input names, one path a line, rules included, and writes a line
//! of JSON for each: what became of it, CPU milliseconds, and the largest memory in KiB (Linux only).
//!
//! `find FOLDER -name '*.json' | cargo run --release -p fairgate-openapi --example import_each`

use openapi::{
    documents::{Documents, Files},
    fault::{Faults, Warning},
    reading,
    rules::{RuleCompiler, Strictness},
};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// CPU clock ticks a second that /proc counts in; fixed at 100 on every Linux.
const MILLISECONDS_A_TICK: u64 = 10;

struct Disk;

impl Files for Disk {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        std::fs::read(location).map_err(|error| format!("{error}."))
    }
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        // Told before, so that whoever reads knows which document ended the program.
        writeln!(out, "{}", json!({"path": path}))?;
        out.flush()?;
        forget_largest_memory();
        let before = cpu_milliseconds();
        let mut report = match import(&path) {
            Ok((operations, warnings)) => json!({"operations": operations, "warnings": texts(&warnings)}),
            Err(faults) => json!({"faults": texts(&faults.0)}),
        };
        if let Value::Object(members) = &mut report {
            members.insert("milliseconds".to_owned(), (cpu_milliseconds() - before).into());
            members.insert("kibibytes".to_owned(), largest_memory().into());
        }
        writeln!(out, "{report}")?;
    }
    Ok(())
}

fn import(path: &str) -> Result<(usize, Vec<Warning>), Faults> {
    let mut documents = Documents::read(path, &Disk)?;
    let (api, mut warnings) = reading::read(&mut documents)?;
    let mut compiler = RuleCompiler::new(&documents, Strictness::default());
    let mut rules = Vec::new();
    for operation in &api.operations {
        let names = operation.path_names();
        rules.push(compiler.operation(&names, &operation.parameters, operation.body.as_ref()));
    }
    warnings.extend(compiler.finish()?);
    Ok((rules.len(), warnings))
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn cpu_milliseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold spaces: utime and stime are the 12th and 13th.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * MILLISECONDS_A_TICK
}

fn forget_largest_memory() {
    // Where this fails, the numbers are those of the whole run: too large, never too small.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn largest_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
