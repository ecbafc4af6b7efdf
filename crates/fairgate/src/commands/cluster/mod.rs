//! `fairgate cluster`: creates the tables of a cluster, shows its state, removes a member permanently.

mod status;

use super::Out;
use crate::{
    cli::{self, Json},
    failure::Failure,
    output,
};
use config::{ClusterSettings, Config};
use records::Shared;
use serde_json::json;
use status::member_json;
use std::{io::Write, process::ExitCode};
use store::{Secret, StoreError};

pub(super) fn run(command: &cli::Cluster, config: &Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let Some(settings) = &config.node.cluster else {
        return Err(Failure::usage(format!(
            "{} has no table `[cluster]`: set `[cluster] records` to the URL of a PostgreSQL database",
            output::plain(&config.node.sources.path.display().to_string())
        )));
    };
    match command {
        cli::Cluster::Init(wanted) => init(wanted, config, settings, out),
        cli::Cluster::Status(wanted) => status::run(wanted, config, settings, out),
        cli::Cluster::Remove(wanted) => remove(wanted, settings, out),
    }
}

fn init(
    wanted: &Json,
    config: &Config,
    settings: &ClusterSettings,
    out: &mut Out<'_>,
) -> Result<ExitCode, Failure> {
    let file = &settings.secret_file;
    let shared = Shared::new(settings.records.clone())?;
    let known = Secret::read(file)?;
    let is_new_secret = known.is_none();
    // Reached first: a secret that nothing belongs to would only be in the way.
    store::wait(shared.reach())?;
    let of_store = if is_new_secret { secret_of_store(config)? } else { None };
    let is_of_store = of_store.is_some();
    let secret = match (known, of_store) {
        (Some(known), _) => known,
        (None, Some(secret)) => secret.save(file).map(|()| secret)?,
        (None, None) => Secret::create(file)?,
    };
    let is_new = match store::wait(shared.init(&secret, file)) {
        Ok(is_new) => is_new,
        Err(error) => {
            if is_new_secret {
                // Another node has the one that belongs to these records.
                let _ = std::fs::remove_file(file);
            }
            return Err(error.into());
        }
    };
    if wanted.json {
        let value = json!({
            "records": shared.place(),
            "tables": if is_new { "created" } else { "existed" },
            "secret_file": file.display().to_string(),
            "secret": match (is_new_secret, is_of_store) {
                (true, true) => "of_store",
                (true, false) => "created",
                (false, _) => "existed",
            },
        });
        output::json_value(out, &value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let tables = if is_new { "Created the tables" } else { "The tables exist already" };
    writeln!(out, "{tables} in PostgreSQL at {}.", output::plain(shared.place()))?;
    let (file, is_there) = (file.display(), if is_new_secret { "Created" } else { "Found" });
    writeln!(out, "{is_there} the secret {file}. Copy it to every node, readable by its gateway alone.")?;
    if is_of_store {
        let store = config.node.store.path.display();
        writeln!(
            out,
            "It is that of the store in {store}, so `fairgate store import` can bring that store's keys."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret of the store that this gateway had alone, if it had one.
fn secret_of_store(config: &Config) -> Result<Option<Secret>, StoreError> {
    let folder = &config.node.store.path;
    if !folder.join(store::DATABASE_FILE).exists() {
        return Ok(None);
    }
    Secret::read(&folder.join(store::SECRET_FILE))
}

fn remove(wanted: &cli::Remove, settings: &ClusterSettings, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let shared = Shared::new(settings.records.clone())?;
    let Some(member) = store::wait(shared.remove(&wanted.node))? else {
        return Err(Failure::new(format!(
            "no node of the cluster is called `{}`: `fairgate cluster status` shows all",
            output::plain(&wanted.node)
        )));
    };
    if wanted.json.json {
        output::json_value(out, &json!({ "removed": member_json(&member) }))?;
    } else {
        writeln!(
            out,
            "Removed the node {} (number {}) for good.",
            output::plain(&member.name),
            member.number
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
