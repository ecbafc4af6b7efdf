//! An API without endpoints, which is hardly ever meant: every request would be answered with 404.

use crate::{document::Document, raw::Section, registry::Table};
use gateway::settings::Endpoints;
use openapi::documents::Place;

/// What to do about it, whatever the reason.
const HELP: &str = "every request is answered with 404 ENDPOINT_NOT_FOUND. If that is intended, set `allow_no_endpoints = true` at the \
     top of the file";

/// Warns, before all other warnings, that no request can reach an endpoint.
pub(super) fn warn(top: &Section<'_>, document: Option<&Document>, endpoints: &Endpoints) {
    match endpoints {
        Endpoints::Declared(declared) if declared.is_empty() => {}
        Endpoints::AnyPath | Endpoints::Declared(_) => return,
    }
    let warning = match document {
        Some(Document { documents, .. }) => {
            let root = Place { file: documents.root(), pointer: String::new() };
            let paths = root.child("paths");
            let place = if documents.get(&paths).is_some() { paths } else { root };
            format!(
                "{}: the document has no operation that can be served, so {HELP}.",
                documents.spot(&place)
            )
        }
        None => {
            let line = top.table_place(Table::Endpoint).map_or(1, |place| top.reader.line(&place));
            format!("line {line}: the list `endpoints` is empty, so {HELP}.")
        }
    };
    top.reader.warn_first(warning);
}
