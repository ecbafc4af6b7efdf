//! One configuration, prepared for requests. The same configuration applies to a request from its
//! beginning to its end, whatever is loaded meanwhile.

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

/// A prepared configuration.
pub(crate) struct Config {
    /// Increases with each loaded configuration.
    pub(crate) number: u64,
    pub(crate) settings: Settings,
    pub(crate) routes: Routes,
    /// The configured key headers as written, without `Authorization`, which is always checked.
    pub(crate) key_headers: Vec<String>,
    /// The error message for a request without a key.
    pub(crate) key_not_set: String,
    /// How heads are parsed.
    pub(crate) reading: Arc<Reading>,
    /// The pattern of imported keys, over bytes: what a client sends need not be UTF-8.
    pub(crate) key_pattern: Option<Regex>,
    /// The paths of the limits page: the gateway's own, and the one in the document.
    pub(crate) limits_paths: Vec<String>,
    pub(crate) docs_path: String,
    /// The path of the public URL, which a proxy in front removes: empty, or `/base` without a trailing slash.
    pub(crate) public_path: String,
    /// What is published about the API.
    pub(crate) published: Published,
    /// The upstreams.
    pub(crate) services: Services,
}

/// A data thread's own reference to a configuration. The thread counts its users itself, so that a
/// request changes no counter shared with other threads.
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

/// What is published about the API.
pub(crate) struct Published {
    /// The reference.
    pub(crate) site: Site,
    /// The API's document, enriched with the contract.
    pub(crate) document: Option<Arc<ServedDocument>>,
}

impl Published {
    pub(crate) fn of(settings: &Settings, address: SocketAddr) -> Self {
        let site = Site::new(described::of(settings, address));
        Self { site, document: settings.document.clone() }
    }
}

impl Config {
    /// `address`: where the gateway listens. `before`: the previous configuration, of which the
    /// state of upstreams is kept. The number is that of the first configuration; the caller that
    /// replaces one increments it.
    pub(crate) fn new(
        mut settings: Settings,
        address: SocketAddr,
        endpoint_ids: &EndpointIds,
        before: Option<&Self>,
    ) -> Result<Self, BadTemplate> {
        let published = Published::of(&settings, address);
        let asked_for = odd_headers_of(&settings);
        let routes = Routes::new(std::mem::take(&mut settings.endpoints), &settings.moved, endpoint_ids)?;
        settings.keys.headers.retain(|name| name != "authorization"); // always checked
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
        let documented_paths =
            settings.document.iter().flat_map(|document| document.limits_paths.iter().cloned());
        let limits_paths = std::iter::once(settings.api.limits_path()).chain(documented_paths).collect();
        Ok(Self {
            number: 0,
            key_pattern: settings.keys.pattern.as_ref().and_then(|pattern| Regex::new(pattern.as_str()).ok()),
            key_not_set: key_not_set(&key_headers),
            key_headers,
            reading: Arc::new(reading),
            published,
            limits_paths,
            docs_path: settings.api.docs_path(),
            public_path: settings.api.public_path().to_owned(),
            services,
            routes,
            settings,
        })
    }
}

/// Headers that endpoints expect and whose names have other characters than letters, digits and
/// hyphens, in lower case.
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

/// The message for a request without a key. `headers`: where a key may be sent besides `Authorization`.
fn key_not_set(headers: &[String]) -> String {
    match headers.first() {
        Some(header) => format!(
            "The request has no API key. Send it in the header {header}, or as `Authorization: Bearer YOUR_KEY`."
        ),
        None => "The request has no API key. Send it as `Authorization: Bearer YOUR_KEY`.".to_owned(),
    }
}
