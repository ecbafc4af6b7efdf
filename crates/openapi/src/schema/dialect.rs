//! The dialects of schemas that documents are written in, and which keywords each of them has.

use crate::documents::Version;
use serde_json::{Map, Value};

/// What the keywords of a schema mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Swagger 2.0.
    Swagger,
    /// OpenAPI 3.0.
    OpenApi30,
    /// JSON Schema drafts 4, 6 and 7.
    Draft7,
    /// JSON Schema 2019-09 and 2020-12, so OpenAPI 3.1 and 3.2.
    Draft2020,
}

/// Keywords that inform people and tools, and ask nothing of a value.
const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "xml",
    "externalDocs",
    "$comment",
    "discriminator",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$defs",
    "definitions",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "$vocabulary",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "summary",
];

/// Keywords of every dialect.
const COMMON: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "format",
    "items",
    "maxItems",
    "minItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
    "maxProperties",
    "minProperties",
    "allOf",
];

/// Keywords that JSON Schema has and Swagger 2.0 has not.
const SINCE_30: &[&str] = &["oneOf", "anyOf", "not"];

/// Keywords that came after draft 4 and that OpenAPI 3.0 does not have.
const SINCE_31: &[&str] = &["const", "contains", "patternProperties", "propertyNames", "if", "then", "else"];

const SINCE_2019: &[&str] = &[
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "prefixItems",
    "$dynamicRef",
    "$recursiveRef",
];

/// Keywords of older drafts that 2019-09 replaced, and that are still understood where they are written.
const REPLACED: &[&str] = &["dependencies", "additionalItems"];

/// What a keyword is to a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It constrains values.
    Asserts,
    /// It constrains nothing.
    Annotates,
    /// A keyword of JSON Schema, but not of this dialect.
    Elsewhere,
    /// Unknown.
    Unknown,
}

impl Dialect {
    /// The dialect of a version's schemas, unless they name another.
    pub(crate) fn of(version: Version) -> Self {
        match version {
            Version::V2 => Self::Swagger,
            Version::V30 => Self::OpenApi30,
            Version::V31 | Version::V32 => Self::Draft2020,
        }
    }

    /// The dialect that `$schema` or `jsonSchemaDialect` names. None: an unknown one.
    pub(crate) fn named(uri: &str) -> Option<Self> {
        let uri = uri.trim_end_matches('#').trim_end_matches('/');
        let path = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
        match path {
            "json-schema.org/draft-04/schema"
            | "json-schema.org/draft-06/schema"
            | "json-schema.org/draft-07/schema" => Some(Self::Draft7),
            "json-schema.org/draft/2019-09/schema" | "json-schema.org/draft/2020-12/schema" => {
                Some(Self::Draft2020)
            }
            _ if path.starts_with("spec.openapis.org/oas/3.") && path.contains("/dialect") => {
                Some(Self::Draft2020)
            }
            _ => None,
        }
    }

    /// Whether everything beside a `$ref` is ignored.
    pub(crate) fn ignores_siblings(self) -> bool {
        match self {
            Self::Swagger | Self::OpenApi30 | Self::Draft7 => true,
            Self::Draft2020 => false,
        }
    }

    /// Whether `nullable` or `x-nullable` of this dialect lets null in.
    pub(crate) fn nullable(self, schema: &Map<String, Value>) -> bool {
        let is_true = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        match self {
            Self::Swagger => is_true("x-nullable"),
            Self::OpenApi30 => is_true("nullable") || is_true("x-nullable"),
            Self::Draft7 | Self::Draft2020 => false,
        }
    }

    /// What a keyword is to this dialect.
    pub(crate) fn standing(self, keyword: &str) -> Standing {
        let has = |list: &[&str]| list.contains(&keyword);
        if has(COMMON) {
            return Standing::Asserts;
        }
        if has(ANNOTATIONS) || keyword.starts_with("x-") {
            return Standing::Annotates;
        }
        let asks = match self {
            Self::Swagger => false,
            Self::OpenApi30 => has(SINCE_30) || keyword == "nullable",
            Self::Draft7 => has(SINCE_30) || has(SINCE_31) || has(REPLACED),
            Self::Draft2020 => has(SINCE_30) || has(SINCE_31) || has(SINCE_2019) || has(REPLACED),
        };
        if asks {
            Standing::Asserts
        } else if has(SINCE_30) || has(SINCE_31) || has(SINCE_2019) || has(REPLACED) || keyword == "nullable"
        {
            Standing::Elsewhere
        } else {
            Standing::Unknown
        }
    }

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Swagger => "Swagger 2.0",
            Self::OpenApi30 => "OpenAPI 3.0",
            Self::Draft7 => "JSON Schema draft 7",
            Self::Draft2020 => "JSON Schema 2020-12",
        }
    }
}
