//! One configuration, ready for requests. A request is judged by one from its beginning to its end, whatever is
//! loaded meanwhile.

pub(crate) mod described;
pub(crate) mod endpoint_ids;
pub mod maintenance;
pub(crate) mod routes;

use crate::settings::{ServedDocument, Settings};
use endpoint_ids::EndpointIds;
use http1::{field::is_plain_name, reading::Reading};
use reference::{Place, Site};
use regex::bytes::Regex;
use routes::{BadTemplate, Routes};
use std::{net::SocketAddr, ops::Deref, rc::Rc, sync::Arc};
use upstream::Services;

/// One configuration.
pub(crate) struct Config {
    /// Each that is loaded has a greater number than all before it.
    pub(crate) number: u64,
    pub(crate) settings: Settings,
    pub(crate) routes: Routes,
    /// The configured key headers as they are written, without `Authorization`, which is always looked at.
    pub(crate) key_headers: Vec<String>,
    /// The message of a request without a key.
    pub(crate) key_not_set: String,
    /// How heads are read.
    pub(crate) reading: Arc<Reading>,
    /// What an imported key looks like, over bytes: what a client presents need not be UTF-8.
    pub(crate) key_pattern: Option<Regex>,
    /// Where a key's limits are told: at the gateway's own place, and where the document says.
    pub(crate) limits_paths: Vec<String>,
    pub(crate) docs_path: String,
    /// What is told about the API.
    pub(crate) told: Told,
    /// Where requests go.
    pub(crate) services: Services,
}

/// A data thread's own hold on a configuration. The thread counts who uses it by itself, so that a request touches no
/// counter that other threads touch too.
pub(crate) struct ThreadConfig(Arc<Config>);

impl ThreadConfig {
    pub(crate) fn new(config: Arc<Config>) -> Rc<Self> {
        Rc::new(Self(config))
    }
}

impl Deref for ThreadConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}

/// What clients can read about the API.
pub(crate) struct Told {
    /// The reference.
    pub(crate) site: Site,
    /// The API's document, with the contract in it.
    pub(crate) document: Option<Arc<ServedDocument>>,
}

impl Told {
    pub(crate) fn of(settings: &Settings, address: SocketAddr) -> Self {
        let site = Site::new(described::of(settings, address));
        Self { site, document: settings.document.clone() }
    }
}

impl Config {
    /// `address`: where the gateway listens. `before`: the configuration that holds until now, of which what is known of
    /// upstreams stays. Its number is that of the first; whoever replaces one counts.
    pub(crate) fn new(
        mut settings: Settings,
        address: SocketAddr,
        endpoint_ids: &EndpointIds,
        before: Option<&Self>,
    ) -> Result<Self, BadTemplate> {
        let told = Told::of(&settings, address);
        let asked_for = odd_headers_of(&settings);
        let routes = Routes::new(std::mem::take(&mut settings.endpoints), &settings.moved, endpoint_ids)?;
        settings.keys.headers.retain(|name| name != "authorization"); // always looked at
        let services = std::mem::take(&mut settings.services);
        let services = Services::new(services, before.map(|before| &before.services));
        let strictness = settings.strictness;
        let subject = settings.tls.as_ref().and_then(|tls| tls.subject_header.clone());
        let reading = Reading {
            subject,
            keys: settings.keys.headers.clone(),
            asked_for,
            odd_names: strictness.header_names,
            overrides: strictness.override_headers,
            slashes: strictness.slashes,
        };
        let key_headers = settings.keys.headers_as_written();
        let told_in_document =
            settings.document.iter().flat_map(|document| document.limits_paths.iter().cloned());
        let limits_paths = std::iter::once(settings.api.limits_path()).chain(told_in_document).collect();
        Ok(Self {
            number: 0,
            key_pattern: settings.keys.pattern.as_ref().and_then(|pattern| Regex::new(pattern.as_str()).ok()),
            key_not_set: key_not_set(&key_headers),
            key_headers,
            reading: Arc::new(reading),
            told,
            limits_paths,
            docs_path: settings.api.docs_path(),
            services,
            routes,
            settings,
        })
    }
}

/// Headers that endpoints ask for and whose names hold more than letters, digits and hyphens, in lower case.
fn odd_headers_of(settings: &Settings) -> Vec<String> {
    let checks = settings.endpoints.declared().iter().flat_map(|endpoint| &endpoint.takes.checks);
    let mut names: Vec<String> = checks
        .filter(|check| check.place == Place::Header && !is_plain_name(check.name.as_bytes()))
        .map(|check| check.name.to_ascii_lowercase())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What whoever sends no key is told. `headers`: where it may stand besides `Authorization`.
fn key_not_set(headers: &[String]) -> String {
    match headers.first() {
        Some(header) => format!(
            "The request has no API key. Send it in the header {header}, or as `Authorization: Bearer YOUR_KEY`."
        ),
        None => "The request has no API key. Send it as `Authorization: Bearer YOUR_KEY`.".to_owned(),
    }
}
