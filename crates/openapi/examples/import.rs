//! Imports documents and says how long each took: a file, or every file of a folder that looks like one.
//!
//! `cargo run --release -p fairgate-openapi --example import -- PATH [--warnings]`

use openapi::{
    documents::{Documents, Files},
    fault::{Faults, Warning},
    reading,
    rules::{RuleCompiler, Strictness},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

struct Disk;

impl Files for Disk {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        std::fs::read(location).map_err(|error| format!("{error}."))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let verbose = arguments.iter().any(|argument| argument == "--warnings");
    let Some(path) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        eprintln!("Say which file or folder to import.");
        return ExitCode::from(2);
    };
    let mut files = Vec::new();
    collect(Path::new(path), &mut files);
    files.sort();
    let (mut refused, mut operations) = (0, 0);
    let mut slowest = (Duration::ZERO, PathBuf::new());
    for file in &files {
        let begun = Instant::now();
        let result = import(file);
        let took = begun.elapsed();
        if took > slowest.0 {
            slowest = (took, file.clone());
        }
        let name = file.display();
        match result {
            Ok((count, warnings)) => {
                operations += count;
                println!("{name}: {count} operations, {} warnings, {} ms", warnings.len(), took.as_millis());
                warnings.iter().filter(|_| verbose).for_each(|warning| println!("  {warning}"));
            }
            Err(faults) => {
                refused += 1;
                println!("{name}: refused, {} faults, {} ms", faults.0.len(), took.as_millis());
                faults.0.iter().take(20).for_each(|fault| println!("  {fault}"));
            }
        }
    }
    println!("{} files, {refused} refused, {operations} operations.", files.len());
    println!("The slowest took {} ms: {}", slowest.0.as_millis(), slowest.1.display());
    ExitCode::SUCCESS
}

fn import(file: &Path) -> Result<(usize, Vec<Warning>), Faults> {
    let mut documents = Documents::read(&file.to_string_lossy(), &Disk)?;
    let (api, mut warnings) = reading::read(&mut documents)?;
    let mut compiler = RuleCompiler::new(&documents, Strictness::default());
    let rules: Vec<_> = api
        .operations
        .iter()
        .map(|operation| {
            let names: Vec<&str> =
                operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            compiler.operation(&names, &operation.parameters, operation.body.as_ref())
        })
        .collect();
    warnings.extend(compiler.finish()?);
    Ok((rules.len(), warnings))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), files);
        }
    } else if path.extension().is_some_and(|ending| ending != "js") || files.is_empty() {
        files.push(path.to_owned());
    }
}
