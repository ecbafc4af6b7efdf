//! The API's document as clients get it: with the contract of this configuration in it.

use crate::document::Document;
use gateway::settings::{Endpoint, ServedDocument, Settings};
use openapi::{
    api::Access,
    enrich::{self, Exposed, Facts},
};

/// Writes the document. Without a public URL its addresses are those that each client comes by.
pub(crate) fn served(settings: &Settings, document: &Document) -> ServedDocument {
    let public_url = settings.api.public_url.as_deref();
    written(settings, document, public_url.or(Some(ServedDocument::BASE)), public_url.is_none())
}

/// Writes the document for clients that get it elsewhere. Without a public URL its addresses are relative.
pub(crate) fn exported(settings: &Settings, document: &Document) -> ServedDocument {
    written(settings, document, settings.api.public_url.as_deref(), false)
}

fn written(
    settings: &Settings,
    document: &Document,
    public_url: Option<&str>,
    has_base: bool,
) -> ServedDocument {
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
    ServedDocument::new(json, yaml, limits_paths, has_base)
}

/// What applies to an endpoint. There is one for each operation of the document, in its order.
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
