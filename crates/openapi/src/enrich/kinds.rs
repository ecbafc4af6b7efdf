//! The grammar of a document: which member holds which kind of object.
//!
//! It distinguishes a reference from a member that only looks like one (a property that is called `$ref`, an
//! example, an extension), so that bundling touches nothing else.

use crate::documents::Version;

/// A kind of object of the specification, as far as it may hold references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Document,
    Components,
    PathItem,
    Operation,
    Parameter,
    Header,
    RequestBody,
    Response,
    MediaType,
    Encoding,
    Schema,
    Example,
    Link,
    Callback,
    SecurityScheme,
}

/// How a member holds objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The member is one, or a list of them.
    One(Kind),
    /// Each value of the member (an object or a list) is one.
    Each(Kind),
}

/// The methods that are members of a path item.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// The method of the operation that a path item holds under this name.
pub(super) fn method(name: &str) -> Option<String> {
    METHODS.contains(&name).then(|| name.to_ascii_uppercase())
}

/// What a member of an object of this kind holds. None: nothing that could be a reference.
pub(super) fn member(kind: Kind, name: &str) -> Option<Holds> {
    match kind {
        Kind::Document => document(name),
        Kind::Components => components(name),
        Kind::PathItem => path_item(name),
        Kind::Operation => operation(name),
        Kind::Parameter | Kind::Header => match name {
            "schema" => Some(Holds::One(Kind::Schema)),
            "content" => Some(Holds::Each(Kind::MediaType)),
            "examples" => Some(Holds::Each(Kind::Example)),
            _ => None,
        },
        Kind::RequestBody => (name == "content").then_some(Holds::Each(Kind::MediaType)),
        Kind::Response => response(name),
        Kind::MediaType => media_type(name),
        Kind::Encoding => match name {
            "headers" => Some(Holds::Each(Kind::Header)),
            "encoding" => Some(Holds::Each(Kind::Encoding)),
            "prefixEncoding" | "itemEncoding" => Some(Holds::One(Kind::Encoding)),
            _ => None,
        },
        Kind::Schema => schema(name),
        // The members of a callback are expressions.
        Kind::Callback => (!name.starts_with("x-")).then_some(Holds::One(Kind::PathItem)),
        Kind::Example | Kind::Link | Kind::SecurityScheme => None,
    }
}

/// Where the document keeps objects of this kind that are referred to: the pointer of the section.
/// None: this version has no such place.
pub(super) fn section(kind: Kind, version: Version) -> Option<&'static [&'static str]> {
    match (version, kind) {
        (Version::V2, Kind::Schema) => Some(&["definitions"]),
        (Version::V2, Kind::Parameter) => Some(&["parameters"]),
        (Version::V2, Kind::Response) => Some(&["responses"]),
        (Version::V2, _) => None,
        (_, Kind::Schema) => Some(&["components", "schemas"]),
        (_, Kind::Parameter) => Some(&["components", "parameters"]),
        (_, Kind::Response) => Some(&["components", "responses"]),
        (_, Kind::Header) => Some(&["components", "headers"]),
        (_, Kind::RequestBody) => Some(&["components", "requestBodies"]),
        (_, Kind::Example) => Some(&["components", "examples"]),
        (_, Kind::Link) => Some(&["components", "links"]),
        (_, Kind::Callback) => Some(&["components", "callbacks"]),
        (_, Kind::SecurityScheme) => Some(&["components", "securitySchemes"]),
        // 3.0 has no section for path items, but allows extensions beside the sections.
        (Version::V30, Kind::PathItem) => Some(&["components", "x-pathItems"]),
        (Version::V31 | Version::V32, Kind::PathItem) => Some(&["components", "pathItems"]),
        (Version::V32, Kind::MediaType) => Some(&["components", "mediaTypes"]),
        (Version::V30 | Version::V31, Kind::MediaType)
        | (_, Kind::Document | Kind::Components | Kind::Operation | Kind::Encoding) => None,
    }
}

fn document(name: &str) -> Option<Holds> {
    match name {
        "components" => Some(Holds::One(Kind::Components)),
        "paths" | "webhooks" => Some(Holds::Each(Kind::PathItem)),
        // Swagger 2.0.
        "definitions" => Some(Holds::Each(Kind::Schema)),
        "parameters" => Some(Holds::Each(Kind::Parameter)),
        "responses" => Some(Holds::Each(Kind::Response)),
        _ => None,
    }
}

fn components(name: &str) -> Option<Holds> {
    let kind = match name {
        "schemas" => Kind::Schema,
        "responses" => Kind::Response,
        "parameters" => Kind::Parameter,
        "examples" => Kind::Example,
        "requestBodies" => Kind::RequestBody,
        "headers" => Kind::Header,
        "securitySchemes" => Kind::SecurityScheme,
        "links" => Kind::Link,
        "callbacks" => Kind::Callback,
        "pathItems" | "x-pathItems" => Kind::PathItem,
        "mediaTypes" => Kind::MediaType,
        _ => return None,
    };
    Some(Holds::Each(kind))
}

fn path_item(name: &str) -> Option<Holds> {
    match name {
        "parameters" => Some(Holds::Each(Kind::Parameter)),
        "additionalOperations" => Some(Holds::Each(Kind::Operation)),
        method if METHODS.contains(&method) => Some(Holds::One(Kind::Operation)),
        _ => None,
    }
}

fn operation(name: &str) -> Option<Holds> {
    match name {
        "parameters" => Some(Holds::Each(Kind::Parameter)),
        "requestBody" => Some(Holds::One(Kind::RequestBody)),
        "responses" => Some(Holds::Each(Kind::Response)),
        "callbacks" => Some(Holds::Each(Kind::Callback)),
        _ => None,
    }
}

fn response(name: &str) -> Option<Holds> {
    match name {
        "headers" => Some(Holds::Each(Kind::Header)),
        "content" => Some(Holds::Each(Kind::MediaType)),
        "links" => Some(Holds::Each(Kind::Link)),
        // Swagger 2.0.
        "schema" => Some(Holds::One(Kind::Schema)),
        _ => None,
    }
}

fn media_type(name: &str) -> Option<Holds> {
    match name {
        "schema" | "itemSchema" => Some(Holds::One(Kind::Schema)),
        "examples" => Some(Holds::Each(Kind::Example)),
        "encoding" => Some(Holds::Each(Kind::Encoding)),
        "prefixEncoding" | "itemEncoding" => Some(Holds::One(Kind::Encoding)),
        _ => None,
    }
}

fn schema(name: &str) -> Option<Holds> {
    match name {
        "properties" | "patternProperties" | "dependentSchemas" | "dependencies" | "$defs"
        | "definitions" | "allOf" | "anyOf" | "oneOf" | "prefixItems" => Some(Holds::Each(Kind::Schema)),
        "items"
        | "additionalProperties"
        | "additionalItems"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contains"
        | "propertyNames"
        | "contentSchema"
        | "not"
        | "if"
        | "then"
        | "else" => Some(Holds::One(Kind::Schema)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_a_reference_is_none() {
        for (kind, name) in [
            (Kind::Schema, "default"),
            (Kind::Schema, "enum"),
            (Kind::Schema, "const"),
            (Kind::Schema, "example"),
            (Kind::Schema, "examples"),
            (Kind::MediaType, "example"),
            (Kind::Example, "value"),
            (Kind::Operation, "x-ours"),
            (Kind::Callback, "x-ours"),
        ] {
            assert_eq!(member(kind, name), None, "{kind:?} {name}");
        }
    }
}
