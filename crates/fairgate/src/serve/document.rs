//! The API's document as clients get it: with the contract in it, as this configuration has it.

use config::{Config, Document};
use gateway::settings::{Endpoint, ServedDocument};
use openapi::{
    api::Access,
    enrich::{self, Exposed, Facts},
};

/// Writes the document, if there is one. Without a public URL its addresses are those that each client comes by.
pub(crate) fn served(config: &Config) -> Option<ServedDocument> {
    let public_url = config.settings.api.public_url.as_deref();
    written(config, public_url.or(Some(ServedDocument::BASE)), public_url.is_none())
}

/// Writes the document for clients that get it elsewhere. Without a public URL its addresses are relative.
pub(crate) fn exported(config: &Config) -> Option<ServedDocument> {
    written(config, config.settings.api.public_url.as_deref(), false)
}

fn written(config: &Config, public_url: Option<&str>, has_base: bool) -> Option<ServedDocument> {
    let document: &Document = config.document.as_deref()?;
    let settings = &config.settings;
    let operations: Vec<Exposed> = settings.endpoints.declared().iter().map(exposed).collect();
    let key_headers = settings.keys.headers_as_written();
    let facts = Facts {
        public_url,
        statuses: settings.statuses,
        extra_codes: &settings.extra_codes,
        key_headers: &key_headers,
        docs_path: &settings.api.docs_path(),
        limits_path: &settings.api.limits_path(),
        support_email: settings.api.support_email.as_deref(),
        redirects_to_https: settings.redirects_to_https(),
        redirect_status: settings.redirects.status,
        operations: &operations,
    };
    let enriched = enrich::enrich(&document.documents, &document.api, &facts);
    let limits_paths = enrich::limits_paths(&document.api, facts.limits_path);
    let (json, yaml) = (enrich::to_json(&enriched), enrich::to_yaml(&enriched));
    Some(ServedDocument::new(json, yaml, limits_paths, has_base))
}

/// What holds for an endpoint. There is one for each operation of the document, in its order.
fn exposed(endpoint: &Endpoint) -> Exposed {
    let access = match (endpoint.public, endpoint.permissions.is_empty()) {
        (true, _) => Access::Public,
        (false, true) => Access::Keys(vec![Vec::new()]),
        (false, false) => Access::Keys(endpoint.permissions.clone()),
    };
    Exposed {
        access,
        cost: endpoint.cost,
        moved_to: endpoint.moved_to.clone(),
        deprecated: endpoint.deprecated.is_some(),
    }
}
