//! The command line: what can be typed, and the help that explains it.

use crate::times::{self, When};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// An API gateway: keys, permissions, limits, one error specification for every answer that fails.
#[derive(Parser)]
#[command(name = "fairgate", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 the operation failed, 2 bad usage or bad configuration.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The configuration file [default: fairgate.toml, else fairgate-data/fairgate.toml]
    #[arg(long, short, global = true, value_name = "FILE", env = "FAIRGATE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Try it: starts a sample API with a gateway in front and prints curl lines for every case
    Demo(Demo),
    /// Start the gateway
    #[command(after_help = "Examples:
  fairgate serve --config fairgate.toml
  fairgate serve --upstream http://127.0.0.1:3000
  fairgate serve --upstream http://127.0.0.1:3000 --openapi petstore.yaml

The last two need no configuration file: they keep their data and the configuration that they stand for
in ./fairgate-data, and print a first key, once.")]
    Serve(Serve),
    /// Make, change, list, revoke and import API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Answer 503 with a message while you work on the API
    #[command(subcommand)]
    Maintenance(Maintenance),
    /// Look up why an answer was a 500
    #[command(subcommand)]
    Incidents(Incidents),
    /// Show how the running gateway stands; fails if it is not ready
    #[command(after_help = "Example:
  fairgate status --json")]
    Status(Json),
    /// Look how the addresses of the upstreams are
    #[command(subcommand)]
    Upstreams(Upstreams),
    /// Check what is kept
    #[command(subcommand)]
    Store(Store),
    /// Show what is used: requests, charged units, errors, latency
    #[command(
        after_help = "Usage is kept by minute, hour and day, in UTC, and forgotten in this order: see `[usage]` in the
configuration. A gateway that runs shows requests about a second after they ended.

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
    /// Check the configuration, have it read again, or print its JSON Schema
    #[command(subcommand)]
    Config(Config),
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Start without a configuration file, in front of the API at this URL
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub(crate) upstream: Option<String>,
    /// The OpenAPI document of the API (JSON or YAML), with --upstream. Without one, every path is an endpoint that needs
    /// only a key
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(crate) openapi: Option<PathBuf>,
    /// Begin with the system's clock even if charges were recorded later, and forget what was counted in
    /// windows that begin later than now
    #[arg(long)]
    pub(crate) trust_clock: bool,
    /// Take the place of the gateway that runs on the store: its sockets go over to this one, it drains and ends,
    /// and whoever connects meanwhile waits
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Where to listen, with --upstream
    #[arg(long, value_name = "ADDRESS", requires = "upstream", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Print the cases as JSON, for tests
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Make a key and print it, this one time
    #[command(after_help = "Examples:
  fairgate keys create --plan free --permission items:read
  fairgate keys create --plan free --permission items:read --permission items:write \\
      --expires 90d --name \"Acme's importer\" --json")]
    Create(Create),
    /// Change a key; what is not given stays. It holds from its next request on, what it has used counts on
    #[command(after_help = "Examples:
  fairgate keys change key_0a1B2c3D4e5F6g7H --plan pro
  fairgate keys change key_0a1B2c3D4e5F6g7H --limit \"5000 per day\" --expires never")]
    Change(Change),
    /// List keys, the newest last
    List(List),
    /// Revoke keys at once, also on connections that are open
    #[command(after_help = "Examples:
  fairgate keys revoke key_0a1B2c3D4e5F6g7H
  echo \"$KEY\" | fairgate keys revoke -        # by the key itself, which is not shown to other users")]
    Revoke(Revoke),
    /// Import keys that were made elsewhere, of any format
    #[command(
        after_help = "The file has one key on a line. Empty lines and lines that begin with \"# \" are passed over.
A key has 1 to 512 visible ASCII characters and fits `[keys] pattern` if that is set. If one key
cannot be imported, all such keys are listed with their lines, and nothing is imported.

Examples:
  fairgate keys import old-keys.txt --plan free --permission items:read
  fairgate keys import - --plan free --skip-bad < old-keys.txt"
    )]
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Wanted {
    /// The plan that it belongs to, as named in the configuration
    #[arg(long)]
    pub(crate) plan: String,
    /// What it may do; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION")]
    pub(crate) permissions: Vec<String>,
    /// A limit of its own, in place of the plan's of the same kind or beside the plan's limits, such as
    /// "5000 per day"; may be given several times
    #[arg(long = "limit", value_name = "LIMIT")]
    pub(crate) limits: Vec<String>,
    /// When it expires: after 90d, 12h or 30m, or at 2027-01-31 or 2027-01-31T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = times::when)]
    pub(crate) expires: Option<When>,
    /// What you call it, for lists
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
    /// The plan that it belongs to from now on
    #[arg(long, group = "something")]
    pub(crate) plan: Option<String>,
    /// All that it may do from now on; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION", group = "something")]
    pub(crate) permissions: Vec<String>,
    /// Take all its permissions away
    #[arg(long, conflicts_with = "permissions", group = "something")]
    pub(crate) no_permissions: bool,
    /// Its own limits from now on, each in place of the plan's of the same kind or beside the plan's limits;
    /// may be given several times
    #[arg(long = "limit", value_name = "LIMIT", group = "something")]
    pub(crate) limits: Vec<String>,
    /// Take its own limits away: those of its plan hold again
    #[arg(long, conflicts_with = "limits", group = "something")]
    pub(crate) no_limits: bool,
    /// When it expires: never, after 90d, 12h or 30m, or at 2027-01-31 or 2027-01-31T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = expires, group = "something")]
    pub(crate) expires: Option<Expires>,
    /// What you call it, for lists
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

#[derive(Args)]
pub(crate) struct List {
    /// Most keys in the table; JSON always has all
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// Ids of keys, or - to read keys from standard input, one a line
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
    /// Import the good keys even if others are refused
    #[arg(long)]
    pub(crate) skip_bad: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Maintenance {
    /// Begin maintenance, now or at a time
    #[command(after_help = "Examples:
  fairgate maintenance on --for 30m --message \"We move to a larger disk.\"
  fairgate maintenance on --from 2026-11-23T01:00:00Z --until 2026-11-23T02:00:00Z
  fairgate maintenance on --pass key_0a1B2c3D4e5F6g7H     # this key still gets through
  fairgate maintenance on --endpoint \"POST /orders\" --endpoint \"/reports/*\"   # the others go on")]
    On(On),
    /// End maintenance, and forget what is planned
    Off(Off),
    /// List windows of maintenance
    List(Json),
}

#[derive(Args)]
pub(crate) struct On {
    /// What clients are told [default: "The API is under maintenance."]
    #[arg(long)]
    pub(crate) message: Option<String>,
    /// When it begins [default: now]
    #[arg(long, value_name = "WHEN", value_parser = times::when)]
    pub(crate) from: Option<When>,
    /// When it ends [default: when you switch it off]
    #[arg(long, value_name = "TIME", value_parser = times::when, conflicts_with = "length")]
    pub(crate) until: Option<When>,
    /// How long it takes, counted from its beginning
    #[arg(long = "for", value_name = "SPAN", value_parser = times::span)]
    pub(crate) length: Option<u64>,
    /// Only these endpoints: a method, or none for all, and a path, in which {name} stands for one segment and /* at the
    /// end for all that follow; or the id of an operation of the document. May be given several times
    #[arg(long = "endpoint", value_name = "\"METHOD PATH\"")]
    pub(crate) endpoints: Vec<String>,
    /// Keys that are let through, so that you can test
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
    /// List incidents by cause: how many, when the first and the last, the latest request id
    List(ListIncidents),
    /// Show the incident of a request in full, or several if clients used the id more than once
    #[command(after_help = "Example:
  fairgate incidents show req_01jd8m3w8v4q")]
    Show(ShowIncident),
}

#[derive(Subcommand)]
pub(crate) enum Upstreams {
    /// List all addresses: whether they are asked, what is in flight there, how often they failed, since when
    List(Json),
}

#[derive(Args)]
pub(crate) struct ListIncidents {
    /// List each incident that is kept, the newest first
    #[arg(long)]
    pub(crate) each: bool,
    /// Most lines
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Each incident of this cause, as the list names it
    #[arg(long)]
    pub(crate) cause: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct ShowIncident {
    /// The request id that the client was told
    pub(crate) request_id: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Usage {
    /// Only requests with this key; `none` for those without a known key [default: all requests]
    #[arg(long, value_name = "KEY_ID")]
    pub(crate) key: Option<String>,
    /// Only requests to this endpoint; `none` for those to no endpoint
    #[arg(long, value_name = "\"METHOD PATH\"")]
    pub(crate) endpoint: Option<String>,
    /// The beginning: 24h ago, 30d ago, or at 2026-11-01 or 2026-11-01T02:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = times::when, default_value = "24h")]
    pub(crate) since: When,
    /// The end [default: now]
    #[arg(long, value_name = "WHEN", value_parser = times::when)]
    pub(crate) until: Option<When>,
    /// In steps of this length [default: what fits the span]
    #[arg(long, value_enum)]
    pub(crate) by: Option<By>,
    /// Print CSV: a line for each step and endpoint
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
    /// Write every page of the reference into a folder, as HTML, Markdown and JSON
    #[command(
        after_help = "The pages are those that the gateway serves below /_docs/, with relative links, so that they can be
opened from a disk and put below any path of any server. An earlier export in the folder is replaced.

Example:
  fairgate docs export public/reference"
    )]
    Export(Export),
}

#[derive(Args)]
pub(crate) struct Export {
    /// The folder; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Write also into a folder that holds something else; only files of the same names are replaced
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Store {
    /// Read the whole store and compare every checksum, while no gateway runs on it
    #[command(
        after_help = "A small store is checked whole at every start. Of a large one (256 MiB) a start reads the keys alone,
whose checksums are compared each time; this reads everything."
    )]
    Check(Json),
}

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Check the configuration and say every fault at once
    Check,
    /// Have the running gateway read the configuration again: all of it holds at once
    #[command(
        after_help = "A file with a fault, or one that asks for what only a restart can change, changes nothing. A gateway
does this by itself when the file changes, unless `reload = \"on_signal\"`. `kill -HUP` does the same.

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
