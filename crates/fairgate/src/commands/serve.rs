//! `fairgate serve`: with a configuration file, or with the URL of the upstream alone, optionally with a document.
//!
//! The one-line start writes the configuration that it implies, and continues as if it had been written by
//! hand: there is one way to start, and every other command works with that file.

use super::reach::Reach;
use crate::{cli, failure::Failure, output};
use config::Config;
use control::{
    CreateKey, KeyCreated, ListKeys, NewKey, Place,
    serve::{self, Options},
};
use gateway::settings::Endpoints;
use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The folder of the one-line start: its configuration and its store.
const FOLDER: &str = "fairgate-data";
/// The configuration that a one-line start has written in the working folder.
pub(super) fn file() -> PathBuf {
    Path::new(FOLDER).join(config::FILE)
}

/// The plan of the first key.
const PLAN: &str = "default";

/// Starts the gateway.
pub(super) fn run(wanted: cli::Serve, file: &Path) -> Result<ExitCode, Failure> {
    let how = Options { is_clock_trusted: wanted.trust_clock, takes_over: wanted.take_over };
    let Some(upstream) = wanted.upstream else {
        let config = super::load(file, config::Extent::Everything)?;
        return Ok(serve::run(config, how)?);
    };
    let other = Path::new(config::FILE);
    if other.exists() {
        eprintln!("{} is ignored because of --upstream.", other.display());
    }
    let file = write(wanted.openapi.as_deref(), &upstream, wanted.listen, wanted.take_over)?;
    let config = super::load(&file, config::Extent::Everything)?;
    show_first_key(&config, &file)?;
    Ok(serve::run(config, how)?)
}

/// Writes the configuration of the one-line start. Gives its path. A gateway that runs with the one before reads it as
/// soon as it is there, so it is written only if it holds, and beside a gateway only if that is to be replaced.
fn write(
    document: Option<&Path>,
    upstream: &str,
    listen: SocketAddr,
    takes_over: bool,
) -> Result<PathBuf, Failure> {
    let fail = |what: &str, path: &Path, error: &io::Error| {
        Failure::new(format!("cannot {what} {}: {error}", path.display()))
    };
    let found = |document: &Path| {
        fs::canonicalize(document).map_err(|error| {
            Failure::usage(format!("cannot read the document {}: {error}", document.display()))
        })
    };
    let document = document.map(found).transpose()?;
    let folder = Path::new(FOLDER);
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| fail("make the folder", folder, &error))?;
    let path = file();
    let place = Place { store: Some(folder.to_owned()), config: None };
    if !takes_over && place.is_answered() {
        return Err(Failure::new(format!(
            "a gateway runs with the store {} already: stop it first, or start with `--take-over`",
            folder.display()
        )));
    }
    // Written aside and then renamed: a full disk leaves the old one as it was.
    let aside = folder.join("fairgate.toml.new");
    let text = text(document.as_deref().map(Path::to_string_lossy).as_deref(), upstream, listen);
    output::write_new(&aside, text.as_bytes()).map_err(|error| fail("write", &aside, &error))?;
    if let Err(faults) = super::load(&aside, config::Extent::Everything) {
        let _ = fs::remove_file(&aside);
        return Err(faults);
    }
    fs::rename(&aside, &path).map_err(|error| fail("write", &path, &error))?;
    Ok(path)
}

fn text(document: Option<&str>, upstream: &str, listen: SocketAddr) -> String {
    let endpoints = match document {
        Some(document) => format!("openapi = {}", quoted(document)),
        None => "# There is no document, so every path is an endpoint and needs only a key.\n[api]\nname = \"API\"".to_owned(),
    };
    format!(
        "# Written by `fairgate serve --upstream URL`, anew at each such start.\n\
         # To change something, copy this file to fairgate.toml, correct `path` in it, and start with `fairgate serve`.\n\n\
         {endpoints}\n\n\
         [listen]\naddress = \"{listen}\"\n\n\
         [upstream]\nurl = {upstream}\n\n\
         [store]\npath = \".\"\n\n\
         [plans.{PLAN}]\nlimits = [\"10000 per day\", \"20 per second\"]\n",
        upstream = quoted(upstream),
    )
}

/// A TOML string. JSON's escapes are TOML's as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Makes a key that may do everything, if the store has none yet, and prints it.
fn show_first_key(config: &Config, file: &Path) -> Result<(), Failure> {
    let mut reach = Reach::new(config.clone());
    if !reach.execute(ListKeys { after: None, limit: 1 })?.is_empty() {
        return Ok(());
    }
    let wanted = NewKey {
        name: Some("the first key".to_owned()),
        plan: PLAN.to_owned(),
        permissions: vec!["*".to_owned()],
        limits: Vec::new(),
        expires_at: None,
    };
    let KeyCreated { key, .. } = reach.execute(CreateKey(wanted))?;
    drop(reach); // the store is locked for the gateway until then
    let headers = config.data_plane.keys.headers_as_written();
    let header = headers.first().map_or("X-API-Key", String::as_str);
    let address = config.data_plane.listen.address;
    let (docs, try_path) = (format!("{}docs/", config.data_plane.api.reserved_prefix), first_read(config));
    let mut out = io::stdout().lock();
    writeln!(out, "{key}\n")?;
    writeln!(
        out,
        "This is the first key. It has all permissions, and it is shown only once: store it now.\n"
    )?;
    if let Some(path) = try_path {
        writeln!(out, "  curl --header '{header}: {key}' http://{address}{path}")?;
    }
    writeln!(out, "  http://{address}{docs}    the reference of the API's errors and limits")?;
    writeln!(
        out,
        "  fairgate keys create --plan {PLAN}    in this folder, where commands find {}\n",
        file.display()
    )?;
    out.flush()?;
    Ok(())
}

/// The path of an endpoint that can be read without knowing anything.
fn first_read(config: &Config) -> Option<&str> {
    match &config.data_plane.endpoints {
        Endpoints::AnyPath => return Some("/"),
        Endpoints::Declared(_) => {}
    }
    let endpoints = config.data_plane.endpoints.declared().iter();
    let mut plain = endpoints.filter(|one| {
        one.method == "GET" && !one.public && !one.path.contains('{') && !one.path.ends_with('/')
    });
    plain.next().map(|endpoint| endpoint.path.as_str())
}
