//! Where the API is found: the public address with the base paths.

use super::{declared::Declared, facts::Facts};
use crate::{api::Api, documents::Version};
use serde_json::{Map, Value, json};

/// The addresses of the API.
pub(super) struct Servers<'f> {
    public_url: Option<&'f str>,
    /// Base paths of the whole API.
    bases: Vec<String>,
}

impl<'f> Servers<'f> {
    /// The base paths of the whole API are those of an operation that has no servers of its own.
    pub(super) fn new(api: &Api, facts: &Facts<'f>, declared: &Declared) -> Self {
        let usual = declared.operations.iter().enumerate().find(|(position, operation)| {
            !declared.own_servers.contains(position) && !operation.known.bases.is_empty()
        });
        let mut bases =
            usual.map_or_else(|| api.base_paths.clone(), |(_, operation)| operation.known.bases.clone());
        if bases.is_empty() {
            bases.push(String::new());
        }
        let public_url = facts.public_url.map(|url| url.trim_end_matches('/'));
        Self { public_url, bases }
    }

    /// Server Objects for base paths.
    fn list(&self, bases: &[String]) -> Value {
        bases
            .iter()
            .map(|base| {
                let url = format!("{}{base}", self.public_url.unwrap_or_default());
                json!({ "url": if url.is_empty() { "/" } else { url.as_str() } })
            })
            .collect()
    }

    /// The servers of paths on these base paths. None: those of the whole API.
    pub(super) fn own(&self, bases: &[String], version: Version) -> Option<Value> {
        let differs = !bases.is_empty() && bases != self.bases.as_slice();
        match version {
            Version::V2 => None,
            Version::V30 | Version::V31 | Version::V32 => differs.then(|| self.list(bases)),
        }
    }

    /// Writes the servers of the whole API.
    pub(super) fn write(&self, root: &mut Map<String, Value>, version: Version) {
        match version {
            Version::V2 => self.write_v2(root),
            Version::V30 | Version::V31 | Version::V32 => {
                root.insert("servers".to_owned(), self.list(&self.bases));
            }
        }
    }

    fn write_v2(&self, root: &mut Map<String, Value>) {
        let base = self.bases.first().map(String::as_str).unwrap_or_default();
        let Some((scheme, rest)) = self.public_url.and_then(|url| url.split_once("://")) else {
            root.shift_remove("host");
            root.shift_remove("schemes");
            root.insert("basePath".to_owned(), or_root(base).into());
            return;
        };
        let (host, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        root.insert("host".to_owned(), host.into());
        root.insert("basePath".to_owned(), or_root(&format!("{prefix}{base}")).into());
        root.insert("schemes".to_owned(), json!([scheme]));
    }
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}
