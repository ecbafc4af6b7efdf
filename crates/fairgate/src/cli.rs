//! The command line: what can be typed, and the help that explains it.

use crate::times::{self, When};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// An API gateway: keys, permissions, limits, and one error specification for every error response.
#[derive(Parser)]
#[command(name = "fairgate", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 success, 1 the operation failed, 2 invalid usage or configuration.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The configuration file [default: fairgate.toml, else fairgate-data/fairgate.toml]
    #[arg(long, short, global = true, value_name = "FILE", env = "FAIRGATE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Try it: start a sample API with a gateway in front of it, and print curl commands for every case
    #[command(after_help = "Examples:
  fairgate demo
  fairgate demo --nodes 3
  fairgate demo --nodes 3 --records postgresql://me:secret@127.0.0.1/postgres \\
      --ledger redis://127.0.0.1")]
    Demo(Demo),
    /// Start the gateway
    #[command(after_help = "Examples:
  fairgate serve --config fairgate.toml
  fairgate serve --upstream http://127.0.0.1:3000
  fairgate serve --upstream http://127.0.0.1:3000 --openapi petstore.yaml

The last two need no configuration file: they keep their data and the equivalent configuration
in ./fairgate-data, and print a first key, once.")]
    Serve(Serve),
    /// Create, change, list, revoke and import API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Answer 503 with a message while you work on the API
    #[command(subcommand)]
    Maintenance(Maintenance),
    /// Look up why a response was a 500
    #[command(subcommand)]
    Incidents(Incidents),
    /// Show the status of the running gateway; fails if it is not ready
    #[command(after_help = "Example:
  fairgate status --json")]
    Status(Json),
    /// Show the health of upstream addresses
    #[command(subcommand)]
    Upstreams(Upstreams),
    /// Check the store, or move all that it holds to another one: into a cluster, and back
    #[command(subcommand)]
    Store(Store),
    /// Set up several gateways on one PostgreSQL, and show them
    #[command(subcommand)]
    Cluster(Cluster),
    /// Show usage: requests, charged units, errors, latency
    #[command(
        after_help = "Usage is kept by minute, hour and day, in UTC, and deleted in this order: see `[usage]` in the
configuration. A running gateway shows requests about a second after they ended.

Examples:
  fairgate usage
  fairgate usage --key key_0a1B2c3D4e5F6g7H --since 30d
  fairgate usage --endpoint \"GET /items/{id}\" --since 2h --by minute
  fairgate usage --since 2026-11-01 --until 2026-12-01 --by day --csv > november.csv"
    )]
    Usage(Usage),
    /// Write the API's reference as static files
    #[command(subcommand)]
    Docs(Docs),
    /// Check or reload the configuration, or print its JSON Schema
    #[command(subcommand)]
    Config(Config),
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Start without a configuration file, in front of the API at this URL
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub(crate) upstream: Option<String>,
    /// The OpenAPI document of the API (JSON or YAML), with --upstream. Without one, every path is an endpoint and needs
    /// only a key
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(crate) openapi: Option<PathBuf>,
    /// Trust the system clock even if usage was recorded at later times, and discard what was counted in
    /// windows that begin in the future; a limit that was counted in one of them begins anew
    #[arg(long)]
    pub(crate) trust_clock: bool,
    /// Hot restart: receive the sockets of the gateway that runs on the store, which drains and exits; new
    /// connections wait meanwhile
    #[arg(long)]
    pub(crate) take_over: bool,
    /// The address to listen on, with --upstream
    #[arg(long, value_name = "ADDRESS", requires = "upstream", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Print the cases as JSON, for tests
    #[arg(long)]
    pub(crate) json: bool,
    /// So many gateways that share limits, 2 to 9. Unless they are named below, PostgreSQL and Valkey or Redis are started
    /// for the demo alone; they have to be installed
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(2..=9))]
    pub(crate) nodes: Option<u8>,
    /// A PostgreSQL server, with --nodes: the demo creates a database there, and drops it at its end
    #[arg(long, value_name = "URL", requires = "nodes")]
    pub(crate) records: Option<String>,
    /// A Valkey or Redis server, or `postgresql`, with --nodes: the demo removes its keys at its end
    #[arg(long, value_name = "URL", requires = "nodes")]
    pub(crate) ledger: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Create a key and print it, once
    #[command(after_help = "Examples:
  fairgate keys create --plan free --permission items:read
  fairgate keys create --plan free --permission items:read --permission items:write \\
      --expires 90d --name \"Acme's importer\" --json")]
    Create(Create),
    /// Change a key; options that are not given stay unchanged. Applies from its next request on and keeps its counters
    #[command(after_help = "Examples:
  fairgate keys change key_0a1B2c3D4e5F6g7H --plan pro
  fairgate keys change key_0a1B2c3D4e5F6g7H --limit \"5000 per day\" --expires never")]
    Change(Change),
    /// List keys, newest last
    List(List),
    /// Revoke keys at once, also on open connections
    #[command(after_help = "Examples:
  fairgate keys revoke key_0a1B2c3D4e5F6g7H
  echo \"$KEY\" | fairgate keys revoke -        # the key itself, hidden from other users of the machine")]
    Revoke(Revoke),
    /// Import keys of any format that were created elsewhere
    #[command(
        after_help = "The file has one key per line. Empty lines and lines that begin with \"# \" are skipped.
A key has 1 to 512 visible ASCII characters and matches `[keys] pattern` if that is set. If a key
cannot be imported, all such keys are listed with their lines, and no key is imported.

Examples:
  fairgate keys import old-keys.txt --plan free --permission items:read
  fairgate keys import - --plan free --skip-bad < old-keys.txt"
    )]
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Wanted {
    /// The plan of the key, as named in the configuration
    #[arg(long)]
    pub(crate) plan: String,
    /// A permission of the key; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION")]
    pub(crate) permissions: Vec<String>,
    /// A limit of its own, which replaces the plan's limit of the same kind or adds to the plan's limits, such as
    /// "5000 per day"; may be given several times
    #[arg(long = "limit", value_name = "LIMIT")]
    pub(crate) limits: Vec<String>,
    /// When it expires: after 90d, 12h or 30m, or at 2027-01-31 or 2027-01-31T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = times::when)]
    pub(crate) expires: Option<When>,
    /// A name for lists
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Args)]
pub(crate) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("something").required(true).multiple(true)))]
pub(crate) struct Change {
    /// The key's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The new plan
    #[arg(long, group = "something")]
    pub(crate) plan: Option<String>,
    /// The new permissions, all of them; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION", group = "something")]
    pub(crate) permissions: Vec<String>,
    /// Remove all permissions
    #[arg(long, conflicts_with = "permissions", group = "something")]
    pub(crate) no_permissions: bool,
    /// The new limits of its own, each of which replaces the plan's limit of the same kind or adds to the plan's limits;
    /// may be given several times
    #[arg(long = "limit", value_name = "LIMIT", group = "something")]
    pub(crate) limits: Vec<String>,
    /// Remove its own limits, so that only those of its plan apply
    #[arg(long, conflicts_with = "limits", group = "something")]
    pub(crate) no_limits: bool,
    /// When it expires: never, after 90d, 12h or 30m, or at 2027-01-31 or 2027-01-31T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = expires, group = "something")]
    pub(crate) expires: Option<Expires>,
    /// A name for lists
    #[arg(long, group = "something")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// When a key expires, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expires {
    Never,
    When(When),
}

fn expires(text: &str) -> Result<Expires, String> {
    if text == "never" { Ok(Expires::Never) } else { times::when(text).map(Expires::When) }
}

/// A number of lines: none at all would look as if there was nothing to list.
fn lines(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|lines| *lines > 0).ok_or_else(|| "expected a number from 1".to_owned())
}

#[derive(Args)]
pub(crate) struct List {
    /// Maximum number of keys in the table; JSON always has all
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// Key ids, or - to read keys from standard input, one per line
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Import {
    /// The file with the keys, or - for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// Import valid keys even if others are rejected
    #[arg(long)]
    pub(crate) skip_bad: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Maintenance {
    /// Start maintenance, now or at a given time
    #[command(after_help = "Examples:
  fairgate maintenance on --for 30m --message \"We move to a larger disk.\"
  fairgate maintenance on --from 2026-11-23T01:00:00Z --until 2026-11-23T02:00:00Z
  fairgate maintenance on --pass key_0a1B2c3D4e5F6g7H     # this key still gets through
  fairgate maintenance on --endpoint \"POST /orders\" --endpoint \"/reports/*\"   # other endpoints stay available")]
    On(On),
    /// End maintenance and cancel planned windows
    Off(Off),
    /// List maintenance windows
    List(Json),
}

#[derive(Args)]
pub(crate) struct On {
    /// The message for clients [default: "The API is under maintenance."]
    #[arg(long)]
    pub(crate) message: Option<String>,
    /// Start time [default: now]
    #[arg(long, value_name = "WHEN", value_parser = times::when, allow_hyphen_values = true)]
    pub(crate) from: Option<When>,
    /// End time [default: until you turn it off]
    #[arg(long, value_name = "TIME", value_parser = times::when, conflicts_with = "length", allow_hyphen_values = true)]
    pub(crate) until: Option<When>,
    /// Duration, counted from the start
    #[arg(long = "for", value_name = "SPAN", value_parser = times::span, allow_hyphen_values = true)]
    pub(crate) length: Option<u64>,
    /// Only these endpoints: an optional method and a path, in which {name} matches one segment and /* at the
    /// end all following ones; or an operationId of the document. May be given several times
    #[arg(long = "endpoint", value_name = "\"METHOD PATH\"")]
    pub(crate) endpoints: Vec<String>,
    /// Keys that are exempt, so that you can test
    #[arg(long, value_name = "KEY_ID", num_args = 1..)]
    pub(crate) pass: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Off {
    /// The window to end [default: all]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Incidents {
    /// List incidents by cause: count, first and last time, latest request id
    List(ListIncidents),
    /// Show the incident of a request in full, or all of them if clients used the id several times
    #[command(after_help = "Example:
  fairgate incidents show req_01jd8m3w8v4q")]
    Show(ShowIncident),
}

#[derive(Subcommand)]
pub(crate) enum Upstreams {
    /// List all addresses: state, requests in flight, failures, and since when
    List(Json),
}

#[derive(Args)]
pub(crate) struct ListIncidents {
    /// List every stored incident, newest first
    #[arg(long)]
    pub(crate) each: bool,
    /// Maximum number of lines
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = lines)]
    pub(crate) limit: usize,
    /// List the incidents of this cause, as shown in the list
    #[arg(long)]
    pub(crate) cause: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct ShowIncident {
    /// The request id that the client received
    pub(crate) request_id: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Usage {
    /// Only requests with this key; `none` for requests without a known key [default: all requests]
    #[arg(long, value_name = "KEY_ID")]
    pub(crate) key: Option<String>,
    /// Only requests to this endpoint; `none` for requests to unknown endpoints
    #[arg(long, value_name = "\"METHOD PATH\"")]
    pub(crate) endpoint: Option<String>,
    /// Start of the range: 24h or 30d ago, or a time such as 2026-11-01 or 2026-11-01T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = times::when, default_value = "24h")]
    pub(crate) since: When,
    /// End of the range [default: now]
    #[arg(long, value_name = "WHEN", value_parser = times::when)]
    pub(crate) until: Option<When>,
    /// Length of a step [default: depends on the range]
    #[arg(long, value_enum)]
    pub(crate) by: Option<By>,
    /// Print CSV: one line per step and endpoint
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// How long a step of usage is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    /// Minutes
    Minute,
    /// Hours
    Hour,
    /// Days of UTC
    Day,
}

#[derive(Subcommand)]
pub(crate) enum Docs {
    /// Write every page of the reference to a folder, as HTML, Markdown and JSON
    #[command(
        after_help = "The pages are those that the gateway serves below /_docs/, with relative links, so they can be
opened from disk and served below any path. An earlier export in the folder is replaced.

Example:
  fairgate docs export public/reference"
    )]
    Export(Export),
}

#[derive(Args)]
pub(crate) struct Export {
    /// The folder; it is created if it does not exist
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Also write to a folder with other files; only files of the same names are replaced
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Store {
    /// Read the whole store and verify every checksum, while no gateway runs on it
    #[command(
        after_help = "A small store is verified completely at every start. Of a large one (256 MiB), a start reads only the keys
and verifies their checksums; this command reads everything."
    )]
    Check(Json),
    /// Write keys, maintenance windows, incidents, usage and counters to a file
    #[command(
        after_help = "The file has one JSON object per line, and mode 0600. It has the digests of keys, not the keys, and not the
secret that the digests were made with: without that file the keys are worth nothing.

Works whether a gateway runs or not. What is charged while it runs and after the command began is not in the
file: to move a store, stop the gateway first.

Examples:
  fairgate store export items.export
  fairgate store export - | gzip > items.export.gz"
    )]
    Export(StoreExport),
    /// Read such a file into the store, or into the records of the cluster, that the configuration names
    #[command(
        after_help = "The gateway of this configuration must not run; other gateways of the cluster may. A damaged file changes
nothing. An import that was interrupted goes on when the same file is imported once more, and nothing counts twice.

The secret is looked for in the configured place, in the place that it had where the file was exported, and in the
store's folder; --secret names another place.

Examples:
  fairgate store import items.export
  gunzip -c items.export.gz | fairgate store import - --secret old/secret"
    )]
    Import(StoreImport),
}

#[derive(Args)]
pub(crate) struct StoreExport {
    /// The file, which is replaced if it exists; or - for standard output
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct StoreImport {
    /// The file, or - for standard input
    pub(crate) file: PathBuf,
    /// Import although there are keys: those of the file replace those with the same id, and what is revoked stays revoked
    #[arg(long)]
    pub(crate) merge: bool,
    /// The file with the secret of the keys
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Cluster {
    /// Create the tables and the secret file, if there are none
    #[command(
        after_help = "The configuration names the database: `[cluster] records`. Copy the secret file to every gateway.
If there is a store in `[store] path`, its secret is taken, so that its keys can be moved into the cluster.

Example:
  fairgate cluster init --config fairgate.toml"
    )]
    Init(Json),
    /// Show PostgreSQL and all gateways; fails if PostgreSQL cannot be used
    Status(Json),
    /// Remove a gateway that is stopped and will not come back
    Remove(Remove),
}

#[derive(Args)]
pub(crate) struct Remove {
    /// The gateway's name, as `fairgate cluster status` shows it
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Check the configuration and report all faults
    Check,
    /// Reload the configuration of the running gateway, all of it at once
    #[command(
        after_help = "A file with a fault, or with a change that needs a restart, changes nothing. A gateway
reloads by itself when the file changes, unless `reload = \"on_signal\"`. `kill -HUP` does the same.

Example:
  fairgate config reload --json"
    )]
    Reload(Json),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
