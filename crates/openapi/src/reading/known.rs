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

/// For each kind: the members of Swagger 2.0; of OpenAPI 3.0; what 3.1 adds; what 3.2 adds.
type Row = [&'static [&'static str]; 4];

fn row(kind: Kind) -> Row {
    match kind {
        Kind::Root => [
            &[
                "swagger",
                "info",
                "host",
                "basePath",
                "schemes",
                "consumes",
                "produces",
                "paths",
                "definitions",
                "parameters",
                "responses",
                "securityDefinitions",
                "security",
                "tags",
                "externalDocs",
            ],
            &["openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"],
            &["webhooks", "jsonSchemaDialect"],
            &["$self"],
        ],
        Kind::Info => [
            &["title", "description", "termsOfService", "contact", "license", "version"],
            &["title", "description", "termsOfService", "contact", "license", "version"],
            &["summary"],
            &[],
        ],
        Kind::Components => [
            &[],
            &[
                "schemas",
                "responses",
                "parameters",
                "examples",
                "requestBodies",
                "headers",
                "securitySchemes",
                "links",
                "callbacks",
            ],
            &["pathItems"],
            &["mediaTypes"],
        ],
        Kind::Server => [&[], &["url", "description", "variables"], &[], &["name"]],
        Kind::Scheme => [
            &["type", "description", "name", "in", "flow", "authorizationUrl", "tokenUrl", "scopes"],
            &["type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl"],
            &[],
            &["oauth2MetadataUrl", "deprecated"],
        ],
        Kind::PathItem => [
            &["$ref", "get", "put", "post", "delete", "options", "head", "patch", "parameters"],
            &[
                "$ref",
                "summary",
                "description",
                "get",
                "put",
                "post",
                "delete",
                "options",
                "head",
                "patch",
                "trace",
                "servers",
                "parameters",
            ],
            &[],
            &["query", "additionalOperations"],
        ],
        Kind::Operation => [
            &[
                "tags",
                "summary",
                "description",
                "externalDocs",
                "operationId",
                "consumes",
                "produces",
                "parameters",
                "responses",
                "schemes",
                "deprecated",
                "security",
            ],
            &[
                "tags",
                "summary",
                "description",
                "externalDocs",
                "operationId",
                "parameters",
                "requestBody",
                "responses",
                "callbacks",
                "deprecated",
                "security",
                "servers",
            ],
            &[],
            &[],
        ],
        Kind::Parameter => [
            &[
                "name",
                "in",
                "description",
                "required",
                "schema",
                "type",
                "format",
                "allowEmptyValue",
                "items",
                "collectionFormat",
                "default",
                "maximum",
                "exclusiveMaximum",
                "minimum",
                "exclusiveMinimum",
                "maxLength",
                "minLength",
                "pattern",
                "maxItems",
                "minItems",
                "uniqueItems",
                "enum",
                "multipleOf",
            ],
            &[
                "name",
                "in",
                "description",
                "required",
                "deprecated",
                "allowEmptyValue",
                "style",
                "explode",
                "allowReserved",
                "schema",
                "example",
                "examples",
                "content",
            ],
            &[],
            &[],
        ],
        Kind::RequestBody => [&[], &["description", "content", "required"], &[], &[]],
        Kind::MediaType => [&[], &["schema", "example", "examples", "encoding"], &[], &["description"]],
        Kind::Encoding => [&[], &["contentType", "style", "explode", "allowReserved"], &[], &["description"]],
    }
}

impl Reader<'_> {
    /// Warns of every member that this version does not know here. Those that begin with `x-` are free.
    pub(super) fn known(&mut self, object: &Object<'_>, kind: Kind) {
        let [two, three, one_more, two_more] = row(kind);
        let rows: &[&[&str]] = match self.version {
            Version::V2 => &[two],
            Version::V30 => &[three],
            Version::V31 => &[three, one_more],
            Version::V32 => &[three, one_more, two_more],
        };
        for name in object.members.keys() {
            if name.starts_with("x-") || name == "$ref" || rows.iter().any(|row| row.contains(&name.as_str()))
            {
                continue;
            }
            let known = rows.iter().flat_map(|row| row.iter().copied());
            let message = match nearest(name, known) {
                Some(nearest) => format!(
                    "The member {} is ignored: {} does not know it here; the nearest is \"{nearest}\".",
                    quoted(name),
                    self.version_name()
                ),
                None => format!(
                    "The member {} is ignored: {} does not know it here.",
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
