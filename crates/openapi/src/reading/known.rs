//! The members that each object may have, by version: any other is named in a warning.

use super::{Reader, objects::Object};
use crate::{
    documents::Version,
    text::{nearest, quoted},
};

/// An object of the specification that requests are read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Root,
    Info,
    Components,
    Server,
    Scheme,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    MediaType,
    Encoding,
}

/// For each kind, apart by spaces: the members of Swagger 2.0; of OpenAPI 3.0; what 3.1 adds; what 3.2 adds.
type Row = [&'static str; 4];

const ROOT: Row = [
    "swagger info host basePath schemes consumes produces paths definitions parameters responses \
     securityDefinitions security tags externalDocs",
    "openapi info servers paths components security tags externalDocs",
    "webhooks jsonSchemaDialect",
    "$self",
];

const INFO: Row = [
    "title description termsOfService contact license version",
    "title description termsOfService contact license version",
    "summary",
    "",
];

const COMPONENTS: Row = [
    "",
    "schemas responses parameters examples requestBodies headers securitySchemes links callbacks",
    "pathItems",
    "mediaTypes",
];

const SERVER: Row = ["", "url description variables", "", "name"];

const SCHEME: Row = [
    "type description name in flow authorizationUrl tokenUrl scopes",
    "type description name in scheme bearerFormat flows openIdConnectUrl",
    "",
    "oauth2MetadataUrl deprecated",
];

const PATH_ITEM: Row = [
    "$ref get put post delete options head patch parameters",
    "$ref summary description get put post delete options head patch trace servers parameters",
    "",
    "query additionalOperations",
];

const OPERATION: Row = [
    "tags summary description externalDocs operationId consumes produces parameters responses schemes \
     deprecated security",
    "tags summary description externalDocs operationId parameters requestBody responses callbacks \
     deprecated security servers",
    "",
    "",
];

const PARAMETER: Row = [
    "name in description required schema type format allowEmptyValue items collectionFormat default \
     maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems \
     uniqueItems enum multipleOf",
    "name in description required deprecated allowEmptyValue style explode allowReserved schema \
     example examples content",
    "",
    "",
];

const REQUEST_BODY: Row = ["", "description content required", "", ""];

const MEDIA_TYPE: Row = ["", "schema example examples encoding", "", "description"];

const ENCODING: Row = ["", "contentType style explode allowReserved", "", "description"];

fn row(kind: Kind) -> Row {
    match kind {
        Kind::Root => ROOT,
        Kind::Info => INFO,
        Kind::Components => COMPONENTS,
        Kind::Server => SERVER,
        Kind::Scheme => SCHEME,
        Kind::PathItem => PATH_ITEM,
        Kind::Operation => OPERATION,
        Kind::Parameter => PARAMETER,
        Kind::RequestBody => REQUEST_BODY,
        Kind::MediaType => MEDIA_TYPE,
        Kind::Encoding => ENCODING,
    }
}

/// What the specification knows and requests are not checked against.
fn not_enforced(kind: Kind, name: &str) -> Option<&'static str> {
    match (kind, name) {
        (Kind::Encoding, "headers") => Some("Headers of the parts of a form are not checked."),
        (Kind::Encoding | Kind::MediaType, "encoding" | "prefixEncoding" | "itemEncoding") => {
            Some("How the items of a part are encoded is not checked.")
        }
        (Kind::MediaType, "itemSchema") => Some("The items of a sequential media type are not checked."),
        _ => None,
    }
}

impl Reader<'_> {
    /// Warns of every member that this version does not know here. Those that begin with `x-` are free.
    pub(super) fn known(&mut self, object: &Object<'_>, kind: Kind) {
        let [two, three, one_more, two_more] = row(kind);
        let rows: &[&str] = match self.version {
            Version::V2 => &[two],
            Version::V30 => &[three],
            Version::V31 => &[three, one_more],
            Version::V32 => &[three, one_more, two_more],
        };
        let known = || rows.iter().flat_map(|row| row.split(' '));
        for name in object.members.keys() {
            if name.starts_with("x-") || known().any(|known| known == name) {
                continue;
            }
            if let Some(reason) = not_enforced(kind, name) {
                self.notes.warn(&object.place.child(name), reason);
                continue;
            }
            let other_case = known().find(|known| known.eq_ignore_ascii_case(name));
            let message = match other_case.or_else(|| nearest(name, known())) {
                Some(nearest) => format!(
                    "Unknown field {} is ignored: {} does not define it here. Did you mean \"{nearest}\"?",
                    quoted(name),
                    self.version_name()
                ),
                None => format!(
                    "Unknown field {} is ignored: {} does not define it here.",
                    quoted(name),
                    self.version_name()
                ),
            };
            self.notes.warn(&object.place.child(name), message);
        }
    }

    fn version_name(&self) -> &'static str {
        match self.version {
            Version::V2 => "Swagger 2.0",
            Version::V30 => "OpenAPI 3.0",
            Version::V31 => "OpenAPI 3.1",
            Version::V32 => "OpenAPI 3.2",
        }
    }
}
