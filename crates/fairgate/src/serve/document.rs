//! The API's document as clients get it: with the contract in it, as this configuration has it.

use crate::config::{Config, Document};
use gateway::settings::{Endpoint, ServedDocument};
use openapi::{
    api::Access,
    enrich::{self, Exposed, Facts},
};

/// Writes the document, if there is one.
pub(crate) fn served(config: &Config) -> Option<ServedDocument> {
    let document: &Document = config.document.as_deref()?;
    let settings = &config.settings;
    let operations: Vec<Exposed> = settings.endpoints.iter().map(exposed).collect();
    let key_headers = settings.keys.headers_as_written();
    let facts = Facts {
        public_url: settings.api.public_url.as_deref(),
        statuses: settings.statuses,
        extra_codes: &settings.extra_codes,
        key_headers: &key_headers,
        docs_path: &settings.api.docs_path(),
        limits_path: &settings.api.limits_path(),
        support_email: settings.api.support_email.as_deref(),
        redirect_status: settings.redirects.status,
        operations: &operations,
    };
    let enriched = enrich::enrich(&document.documents, &document.api, &facts);
    Some(ServedDocument { json: enrich::to_json(&enriched), yaml: enrich::to_yaml(&enriched) })
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
