//! Documents in memory, enriched as by a gateway with usual settings.

use contract::{RedirectStatus, Statuses, status::ExtraStatus};
use openapi::{
    api::Api,
    documents::{Documents, Files},
    enrich::{Exposed, Facts, enrich},
    reading,
};
use serde_json::Value;
use std::collections::HashMap;

pub(crate) struct Memory(pub(crate) HashMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        self.0.get(location).cloned().ok_or_else(|| "It does not exist.".to_owned())
    }
}

pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        std::fs::read(location).map_err(|error| error.to_string())
    }
}

/// What a test changes of the usual settings.
pub(crate) struct Settings<'s> {
    pub(crate) public_url: Option<&'s str>,
    pub(crate) statuses: Statuses,
    pub(crate) extra_codes: &'s [ExtraStatus],
    pub(crate) redirects_to_https: bool,
    pub(crate) redirect_status: RedirectStatus,
    /// Changes the rules of an operation.
    pub(crate) expose: &'s dyn Fn(&openapi::api::Operation, &mut Exposed),
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            public_url: Some("https://api.example.com"),
            statuses: Statuses::Fairgate,
            extra_codes: &[],
            redirects_to_https: false,
            redirect_status: RedirectStatus::MovedPermanently,
            expose: &|_, _| (),
        }
    }
}

/// Enriches a document whose first file is `root`.
pub(crate) fn of_files(root: &str, files: &dyn Files, settings: &Settings<'_>) -> Value {
    let mut documents = Documents::read(root, files).unwrap();
    let (api, _) = reading::read(&mut documents).unwrap();
    enriched(&documents, &api, settings)
}

/// Enriches a document of one file.
pub(crate) fn of_text(text: &str, settings: &Settings<'_>) -> Value {
    of_files("api.yaml", &Memory(HashMap::from([("api.yaml".to_owned(), text.into())])), settings)
}

/// Enriches a document of one file without operations, beside these members of an operation.
pub(crate) fn of_operation(operation: &str, settings: &Settings<'_>) -> Value {
    let text = format!(
        "{{openapi: 3.1.0, info: {{title: Items, version: '1'}}, paths: {{/items: {{get: {operation}}}}}}}"
    );
    of_text(&text, settings).pointer("/paths/~1items/get").unwrap().clone()
}

/// Enriches one of the documents that the validators check as well.
pub(crate) fn of_file(name: &str, settings: &Settings<'_>) -> Value {
    of_files(
        &format!("{}/../../tests/interop/enriched/documents/{name}", env!("CARGO_MANIFEST_DIR")),
        &Disk,
        settings,
    )
}

/// The value at a pointer, with its reference followed within the document.
pub(crate) fn followed<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

fn enriched(documents: &Documents, api: &Api, settings: &Settings<'_>) -> Value {
    let operations: Vec<Exposed> = api
        .operations
        .iter()
        .map(|operation| {
            let mut exposed = Exposed {
                access: operation.access.clone(),
                cost: 1,
                moved_to: None,
                deprecated: operation.deprecated,
            };
            (settings.expose)(operation, &mut exposed);
            exposed
        })
        .collect();
    let key_headers = ["X-API-Key".to_owned()];
    let facts = Facts {
        public_url: settings.public_url,
        statuses: settings.statuses,
        extra_codes: settings.extra_codes,
        key_headers: &key_headers,
        docs_path: "/_docs",
        limits_path: "/_limits",
        support_email: Some("help@example.com"),
        redirects_to_https: settings.redirects_to_https,
        redirect_status: settings.redirect_status,
        operations: &operations,
    };
    enrich(documents, api, &facts)
}
