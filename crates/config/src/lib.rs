//! The configuration: from `fairgate.toml` to valid settings, or to all its faults.
//!
//! The raw file (`raw`) and the valid configuration ([`Config`]) are two types; `sections` leads
//! from one to the other. Every key is in one registry, from which come the defaults, the
//! check for unknown keys, the JSON Schema and the reference page. Nothing here knows the running
//! gateway, only its settings.

mod document;
mod enriched;
mod fault;
pub mod limit;
pub mod moment;
mod nearest;
mod node;
mod quantity;
mod raw;
#[macro_use]
mod registry;
mod schema;
mod secrets;
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

pub use document::{Document, DocumentSource};
pub use fault::Faults;
pub use nearest::nearest;
pub use node::{
    ClusterSettings, Hidden, LedgerAt, LedgerLost, Node, OnDiskFull, Process, Sources, StoreSettings,
    Unreachable, UsageSettings,
};

use fault::Fault;
use gateway::settings::Settings;
use raw::{Reader, Section};
use secrets::Secrets;
use sections::Parts;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

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

/// A valid configuration, in the parts that different readers need. Each is complete: its reader takes it by value, and
/// nothing changes it.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the data plane needs to know. The document that clients get is in it after [`Config::for_serving`].
    pub data_plane: Settings,
    /// What the process around the data plane needs to know.
    pub node: Node,
    /// The API's document, if the file names one and it was read.
    pub document: Option<Arc<Document>>,
    /// What is allowed and yet probably not meant, one sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Whether the file names a document, read or not.
    #[must_use]
    pub fn names_document(&self) -> bool {
        sections::names_document(&self.node.sources.tables)
    }

    /// The parts that a gateway runs with. The document as clients get it is written here, once, and the one that was
    /// read is given up: a large one is needed no more.
    #[must_use]
    pub fn for_serving(self) -> (Settings, Node) {
        let document = self.document.as_ref().map(|document| enriched::served(&self.data_plane, document));
        (Settings { document: document.map(Arc::new), ..self.data_plane }, self.node)
    }

    /// The settings for pages that are served elsewhere.
    #[must_use]
    pub fn for_export(self) -> Settings {
        let document = self.document.as_ref().map(|document| enriched::exported(&self.data_plane, document));
        Settings { document: document.map(Arc::new), ..self.data_plane }
    }
}

/// Reads the configuration file at this path, with the environment of the process.
pub fn load(path: &Path, extent: Extent) -> Result<Config, Faults> {
    let name = path.display().to_string();
    let source = read_file(path, &name).map_err(|fault| Faults::new(&name, "", vec![fault]))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let config = read_text(&source, &name, folder, extent, &|variable| {
        // What is not UTF-8 is not a number either; its reader reports it.
        std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned())
    })?;
    let sources = Sources { path: path.to_owned(), ..config.node.sources };
    Ok(Config { node: Node { sources, ..config.node }, ..config })
}

/// Reads a configuration from text. `file_name` is shown in messages, and relative paths start in its folder;
/// `environment` looks up a variable.
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
    let reader = Reader::new(source, sections::ROWS);
    let top = Section::top(&reader, document.get_ref());
    let read = sections::read(&top, folder, extent, environment);
    let (found, warnings, _) = reader.finish();
    let faults = syntax.merge(found);
    let Some(parts) = read.filter(|_| faults.is_empty()) else {
        return Err(Faults::new(file_name, source, faults));
    };
    let secrets = Secrets::of(source);
    let warnings = warnings.iter().map(|warning| secrets.hide(warning)).collect();
    let Parts { data_plane, store, cluster, tls, process, document } = parts;
    let sources = Sources {
        path: PathBuf::new(),
        // Whatever was read without a fault is TOML.
        tables: Arc::new(source.parse().unwrap_or_default()),
        document: document.as_ref().map(|document| document.source.clone()),
    };
    let node = Node { store, cluster, tls, process, sources };
    Ok(Config { data_plane, node, document: document.map(Arc::new), warnings })
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
        "this looks like an OpenAPI document: set `openapi = \"FILE\"` in a configuration, or start with \
         `fairgate serve --openapi FILE --upstream URL`"
    } else {
        "write `[listen]` and `address = \"127.0.0.1:8080\"` in place of `listen:` and `address: ...`; \
         start from `examples/minimal.toml`"
    };
    Some(Fault::nowhere(format!("`{file_name}` is {language}, but the configuration is TOML")).help(help))
}

/// The JSON Schema (draft 2020-12) that an editor checks `fairgate.toml` with.
pub fn schema() -> serde_json::Value {
    schema::document(sections::ROWS)
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
        (io::ErrorKind::NotFound, "check the path, or create the file; start from `examples/minimal.toml`"),
        (io::ErrorKind::PermissionDenied, "allow the user who runs Fairgate to read it"),
        (io::ErrorKind::IsADirectory, "name the file in this folder, such as `fairgate.toml`"),
    ];
    let known = ADVICE.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or("check that it is a readable file", |(_, advice)| advice)
}
