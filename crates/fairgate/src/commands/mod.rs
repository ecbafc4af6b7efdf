//! Runs commands: queries the control plane, prints its response.

mod cluster;
mod docs;
mod incidents;
mod keys;
mod maintenance;
mod permissions;
pub(crate) mod reach;
mod reload;
mod serve;
mod status;
mod store;
mod upstreams;
mod usage;

use crate::{
    cli::{self, Cli, Command},
    demo,
    failure::Failure,
    output,
};
use config::Config;
use control::Place;
use reach::Reach;
use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Where a command prints to.
type Out<'a> = BufWriter<io::StdoutLock<'a>>;

/// Carries out a command line.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let path = file(cli.config);
    let path = path.as_path();
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match cli.command {
        Command::Demo(wanted) => {
            drop(out);
            let cli::Demo { json, nodes, records, ledger } = wanted;
            let Some(nodes) = nodes else { return demo::run(json) };
            return demo::run_cluster(&demo::Cluster { nodes: nodes.into(), records, ledger, as_json: json });
        }
        Command::Serve(wanted) => {
            drop(out);
            return serve::run(wanted, path);
        }
        Command::Keys(command) => keys::run(command, &mut Reach::by_file(path), &mut out),
        Command::Maintenance(command) => maintenance::run(command, &mut Reach::by_file(path), &mut out),
        Command::Incidents(command) => incidents::run(command, &mut Reach::by_file(path), &mut out),
        Command::Status(wanted) => status::run(&wanted, &mut Reach::by_file(path), &mut out),
        Command::Upstreams(command) => upstreams::run(&command, &mut Reach::by_file(path), &mut out),
        Command::Usage(wanted) => usage::run(wanted, &mut Reach::by_file(path), &mut out),
        Command::Docs(command) => docs::run(command, load(path, config::Extent::Everything)?, &mut out),
        Command::Store(cli::Store::Check(wanted)) => {
            store::check(&wanted, &load(path, config::Extent::File)?, &mut out)
        }
        Command::Store(cli::Store::Export(wanted)) => {
            store::export(&wanted, &load(path, config::Extent::File)?, &mut out)
        }
        Command::Store(cli::Store::Import(wanted)) => {
            store::import(&wanted, &load(path, config::Extent::File)?, &mut out)
        }
        Command::Cluster(command) => cluster::run(&command, &load(path, config::Extent::File)?, &mut out),
        Command::Config(cli::Config::Check) => check(path, &mut out),
        Command::Config(cli::Config::Reload(wanted)) => {
            reload::run(&wanted, &mut Reach::by_file(path), &mut out)
        }
        Command::Config(cli::Config::Schema) => {
            output::json_value(&mut out, &config::schema()).map(|()| ExitCode::SUCCESS)
        }
    };
    // What was printed before a fault is true and belongs to the reader, too.
    let flushed = out.flush();
    let code = done?;
    flushed?;
    Ok(code)
}

/// The file that was named; else the one in this folder; else the one that `serve --openapi` has written here.
fn file(given: Option<PathBuf>) -> PathBuf {
    if let Some(given) = given {
        return given;
    }
    let (file, of_one_line) = (PathBuf::from(config::FILE), serve::file());
    let runs = |file: &PathBuf| Place { store: None, config: Some(file.clone()) }.is_answered();
    match (file.exists(), of_one_line.exists()) {
        (true, false) => file,
        (false, true) => of_one_line,
        // Both, or none, because somebody has removed it: the one that a gateway runs with.
        (is_here, _) => {
            if runs(&file) || !runs(&of_one_line) {
                return file;
            }
            if is_here {
                eprintln!(
                    "Using {}: the gateway in this folder was started with it. Use --config for another file.",
                    of_one_line.display()
                );
            }
            of_one_line
        }
    }
}

fn load(path: &Path, extent: config::Extent) -> Result<Config, Failure> {
    Ok(config::load(path, extent)?)
}

fn check(path: &Path, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let config = load(path, config::Extent::Everything)?;
    for warning in &config.warnings {
        eprintln!("{warning}");
    }
    writeln!(out, "{} is valid.", path.display())?;
    Ok(ExitCode::SUCCESS)
}
