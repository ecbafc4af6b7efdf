//! The configuration: from `fairgate.toml` to valid settings, or to all that is wrong with it.
//!
//! The raw file (`raw`) and the valid configuration ([`Config`]) are two types; `sections` leads
//! from one to the other. Every key stands in one registry, from which come the defaults, the
//! check for unknown keys, the JSON Schema and the reference page. Nothing here knows the gateway
//! at work, only its settings.

mod document;
mod fault;
pub mod limit;
pub mod moment;
mod nearest;
mod quantity;
mod raw;
mod registry;
mod schema;
mod sections;
mod syntax;
mod template;
pub mod tls;
mod typed;
mod unknown;

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

pub use document::Document;
pub use fault::Faults;
pub use nearest::nearest;

use fault::Fault;
use gateway::settings::Settings;
use raw::{Reader, Section};
use std::{
    fs::File,
    io::{self, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tls::TlsSettings;
use usage::Retention;

/// The file that commands read if none is named.
pub const FILE: &str = "fairgate.toml";
/// A file that is larger than this is not a configuration.
const MAX_FILE_SIZE: u64 = 8 << 20;

/// How much of the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The file and the document that it names.
    Everything,
    /// The file alone. Its settings have no endpoints where a document would give them: enough for
    /// commands that only look at keys, plans and the store, and do not wait for a large document.
    File,
}

/// The valid configuration of the binary.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the data plane needs to know.
    pub settings: Settings,
    /// Where keys and counters are kept.
    pub store: StoreSettings,
    /// What clients are offered by TLS, as it stands in files. None: there is no TLS.
    pub tls: Option<TlsSettings>,
    /// How the process behaves beside requests.
    pub process: Process,
    /// The API's document, if the file names one and it was read.
    pub document: Option<Arc<Document>>,
    /// The system's clock is right whatever the journal says. Set by the command line alone.
    pub is_clock_trusted: bool,
    /// The sockets of a gateway that runs are asked for. Set by the command line alone.
    pub takes_over: bool,
    /// What is allowed and yet probably not meant, one sentence each.
    pub warnings: Vec<String>,
    /// The file. Empty: it was read from a text.
    pub path: PathBuf,
    /// The file as it stands, to compare a later one with.
    pub source: Arc<toml::Table>,
}

/// How the process behaves beside requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The configuration is taken over again when its files have changed.
    pub is_watched: bool,
    /// Where it is told by HTTP how the gateway stands. None: nowhere.
    pub admin: Option<SocketAddr>,
    /// The API has no endpoints on purpose, so that a reload may remove the last one.
    pub allows_no_endpoints: bool,
}

/// Where keys and counters are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The store's folder, found from the folder of the configuration file.
    pub path: PathBuf,
    /// How often charges are written to the disk.
    pub flush_interval: Duration,
    /// The folder of the memory that charges outlive the process in, found from the folder of the configuration file.
    pub memory: PathBuf,
    /// What happens to requests while charges cannot be saved.
    pub when_full: WhenFull,
    /// Charges are saved. If not, they are kept in memory only.
    pub durable: bool,
    /// What is kept of requests, for reports.
    pub usage: UsageSettings,
}

/// What happens to requests while charges cannot be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// They go on, and an alarm is raised: a power cut would forget what could not be saved.
    GoOn,
    /// They are refused, so that nothing is granted that could be forgotten.
    Stop,
}

/// What is kept of requests, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSettings {
    /// Whether it is counted.
    pub enabled: bool,
    /// How often it is written.
    pub flush_interval: Duration,
    /// How long it is kept.
    pub keep: Retention,
}

impl Default for UsageSettings {
    /// For whoever cannot read the file.
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let keep = Retention { minutes: 2 * DAY, hours: 60 * DAY, days: 800 * DAY };
        Self { enabled: true, flush_interval: Duration::from_secs(10), keep }
    }
}

impl Config {
    /// Whether the file names a document, read or not.
    pub fn names_document(&self) -> bool {
        self.source.contains_key(registry::OPENAPI.name)
    }
}

/// Reads the configuration file at this path, with the environment of the process.
pub fn load(path: &Path, extent: Extent) -> Result<Config, Faults> {
    let name = path.display().to_string();
    let source = read_file(path, &name).map_err(|fault| Faults::new(&name, "", vec![fault]))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let config = read_text(&source, &name, folder, extent, &|variable| {
        // What is not UTF-8 is no number either; its reader says so.
        std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned())
    })?;
    Ok(Config { path: path.to_owned(), ..config })
}

/// Reads a configuration from text. `file_name` stands in messages, and its folder is where relative
/// paths begin; `environment` looks up a variable.
#[cfg(test)]
pub fn parse(
    source: &str,
    file_name: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Faults> {
    let folder = Path::new(file_name).parent().unwrap_or_else(|| Path::new(""));
    read_text(source, file_name, folder, Extent::Everything, environment)
}

fn read_text(
    source: &str,
    file_name: &str,
    folder: &Path,
    extent: Extent,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Faults> {
    if let Some(fault) = other_language(source, file_name) {
        return Err(Faults::new(file_name, "", vec![fault]));
    }
    let (document, syntax) = syntax::read(source);
    let reader = Reader::new(source);
    let top = Section::top(&reader, document.get_ref());
    let read = sections::read(&top, folder, extent, environment);
    let (found, warnings, _) = reader.finish();
    let faults = syntax.merge(found);
    match read {
        Some((settings, store, tls, process, document)) if faults.is_empty() => {
            // Whatever was read without a fault is TOML.
            let source = Arc::new(source.parse().unwrap_or_default());
            Ok(Config {
                settings,
                store,
                tls,
                process,
                document: document.map(Arc::new),
                warnings,
                source,
                path: PathBuf::new(),
                is_clock_trusted: false,
                takes_over: false,
            })
        }
        Some(_) | None => Err(Faults::new(file_name, source, faults)),
    }
}

/// What is wrong with a file that is YAML or JSON: one sentence, where TOML would find a fault in each line.
fn other_language(source: &str, file_name: &str) -> Option<Fault> {
    let mut lines = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let is_key = |line: &str| {
        let key = line.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '));
        key.is_some_and(|(key, _)| !key.contains(['=', '[', ' ']) && !key.is_empty())
    };
    let is_yaml = first.starts_with("---") || first.starts_with("%YAML") || is_key(first);
    let is_json = first.starts_with('{');
    if !(is_yaml || is_json) || source.parse::<toml::Table>().is_ok() {
        return None;
    }
    let language = if is_json { "JSON" } else { "YAML" };
    let is_document = source.contains("openapi") || source.contains("swagger");
    let help = if is_document {
        "this looks like an OpenAPI document: name it by `openapi = \"FILE\"` in a configuration, or start with \
         `fairgate serve --openapi FILE --upstream URL`"
    } else {
        "write `[listen]` and `address = \"127.0.0.1:8080\"` in place of `listen:` and `address: ...`; \
         `examples/minimal.toml` is a good beginning"
    };
    Some(
        Fault::nowhere(format!("`{file_name}` is {language}, and the configuration is written in TOML"))
            .help(help),
    )
}

/// The JSON Schema (draft 2020-12) that an editor checks `fairgate.toml` with.
pub fn schema() -> serde_json::Value {
    schema::document()
}

fn read_file(path: &Path, name: &str) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let fault = Fault::nowhere(format!("cannot read the configuration `{name}`: {}", reason(&error)));
        return Err(fault.help(advice(&error)));
    }
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(Fault::nowhere(format!("the configuration `{name}` is larger than 8 MiB"))
            .help("check the path: this is probably another file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|&&byte| byte == b'\n').count() + 1;
        Fault::nowhere(format!("the configuration `{name}` is not UTF-8: see line {line}"))
            .help("save the file as UTF-8")
    })
}

fn reason(error: &io::Error) -> String {
    const REASONS: [(io::ErrorKind, &str); 3] = [
        (io::ErrorKind::NotFound, "there is no such file"),
        (io::ErrorKind::PermissionDenied, "no permission"),
        (io::ErrorKind::IsADirectory, "it is a folder"),
    ];
    let known = REASONS.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| error.to_string(), |(_, reason)| (*reason).to_owned())
}

fn advice(error: &io::Error) -> &'static str {
    const ADVICE: [(io::ErrorKind, &str); 3] = [
        (
            io::ErrorKind::NotFound,
            "check the path, or make a file there; `examples/minimal.toml` is a good beginning",
        ),
        (io::ErrorKind::PermissionDenied, "allow the user who runs Fairgate to read it"),
        (io::ErrorKind::IsADirectory, "name the file in this folder, such as `fairgate.toml`"),
    ];
    let known = ADVICE.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or("check that it is a file on a disk that can be read", |(_, advice)| advice)
}
