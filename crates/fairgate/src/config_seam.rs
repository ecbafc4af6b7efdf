//! A stand-in for the configuration: reads only what the commands need. To be replaced by `config`.

use crate::admin::Rules;
use regex::Regex;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What the commands need to know.
pub(crate) struct Config {
    /// The store's folder. A relative one is relative to the configuration file.
    pub(crate) store: PathBuf,
    /// Names of the plans.
    pub(crate) plans: Vec<String>,
    /// `[keys] pattern`.
    pub(crate) pattern: Option<Regex>,
    /// What can be used but is probably not meant.
    pub(crate) warnings: Vec<String>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub(crate) struct Faults(String);

#[derive(Deserialize)]
struct Raw {
    store: RawStore,
    #[serde(default)]
    plans: BTreeMap<String, toml::Value>,
    #[serde(default)]
    keys: RawKeys,
}

#[derive(Deserialize)]
struct RawStore {
    path: PathBuf,
}

#[derive(Deserialize, Default)]
struct RawKeys {
    pattern: Option<String>,
}

/// Reads and checks the configuration.
pub(crate) fn load(path: &Path) -> Result<Config, Faults> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Faults(format!("error: cannot read {}: {error}", path.display())))?;
    let raw: Raw =
        toml::from_str(&text).map_err(|error| Faults(format!("error: {}: {error}", path.display())))?;
    let pattern = match raw.keys.pattern {
        None => None,
        Some(pattern) => {
            let whole = Regex::new(&format!(r"\A(?:{pattern})\z"));
            Some(whole.map_err(|error| Faults(format!("error: `[keys] pattern`: {error}")))?)
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(Config {
        store: folder.join(raw.store.path),
        plans: raw.plans.into_keys().collect(),
        pattern,
        warnings: Vec::new(),
    })
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> serde_json::Value {
    serde_json::json!({})
}

impl Config {
    /// What the control plane needs to know about keys.
    pub(crate) fn rules(&self) -> Rules {
        Rules { plans: self.plans.clone(), pattern: self.pattern.clone() }
    }
}

impl Faults {
    /// All of them, for a person.
    pub(crate) fn render(&self, _colour: bool) -> String {
        self.0.clone()
    }
}
