//! Keys of `[[endpoints]]`, their parameters, and `[[moved]]`.

use super::TIB;
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    ENDPOINT_OPERATION = Endpoint "operation", Shape::Text, Means("`method` and `path` identify the endpoint"),
    "\"createItem\"", also "operation_id";
    "The `operationId` of the document's operation that this table adds to, instead of `method` and `path`."

    ENDPOINT_METHOD = Endpoint "method", Shape::Text, Means("`operation` identifies the endpoint; required without it"),
    "\"GET\"", also "methods";
    "The HTTP method, in upper case."

    ENDPOINT_PATH = Endpoint "path", Shape::Text, Means("`operation` identifies the endpoint; required without it"),
    "\"/items/{id}\"", also "url";
    "The path. `{name}` matches any text without a slash; `{*name}` as the last segment matches the rest of the path, \
     including slashes. A trailing slash is kept."

    ENDPOINT_CATCH_ALL = Endpoint "catch_all", Shape::Text, Means("each name in the document's path matches one segment"), "\"path\"",
    also "rest";
    "The parameter in an operation's path that matches the rest of the path, including slashes: its last segment. OpenAPI \
     cannot express it; many frameworks write `/files/{path}` for it. Without a document, write `{*name}` in `path`."

    ENDPOINT_PERMISSION = Endpoint "permission", Shape::Text, Means("any key is allowed"), "\"items:read\"", also "scope";
    "The permission that a key needs. Without it the response is 401 `PERMISSION_DENIED`."

    ENDPOINT_PUBLIC = Endpoint "public", Shape::Boolean, Default("false"), "false", also "open";
    "Open to everyone: keys are ignored, and only the limits of `[address]` count its requests."

    ENDPOINT_ALLOW = Endpoint "allow", Shape::Texts, Means("as `[address]` says"), "[\"10.0.0.0/8\"]";
    "The only addresses and networks that may use this endpoint. Any other gets 401 `PERMISSION_DENIED`. Addresses denied in \
     `[address]` stay denied."

    ENDPOINT_DENY = Endpoint "deny", Shape::Texts, Default("[]"), "[\"198.51.100.0/24\"]", also "block";
    "Addresses and networks that may not use this endpoint. It takes precedence over `allow`."

    ENDPOINT_COST = Endpoint "cost", Shape::Whole { least: 1, most: 0x7fff_ffff }, Default("1"), "5", also "weight";
    "Units that a success is charged, in every limit that counts it except `at once`. With `cost_header`, the maximum."

    ENDPOINT_COST_HEADER = Endpoint "cost_header", Shape::Text, Means("a success costs `cost`"), "\"X-Cost\"",
    also "cost_from";
    "The response header in which the upstream reports what a success cost: a whole number up to `cost`, which is reserved \
     until then. If the header is missing or invalid, `cost` is charged."

    ENDPOINT_GROUP = Endpoint "group", Shape::Text, Means("only limits of all endpoints count it"), "\"search\"",
    also "limit_group";
    "The group of the endpoint, for limits that end in ` for GROUP`: 1 to 64 letters, digits, `-` and `_`."

    ENDPOINT_SERVICE = Endpoint "service", Shape::Text, Means("the service selected by host and path"), "\"shop\"";
    "The service that its requests go to, whatever their host. Without it, the endpoint belongs to all services."

    ENDPOINT_MOVED_TO = Endpoint "moved_to", Shape::Text, Means("the endpoint has not moved"), "\"/items/{id}\"", also "moved";
    "The path that the endpoint has moved to for good, with this method: it answers 301 `ENDPOINT_MOVED`. It may use the \
     names in the endpoint's path."

    ENDPOINT_DEPRECATED = Endpoint "deprecated", Shape::Text, Means("as in the document; not deprecated without one"),
    "\"2026-06-01\"", also "deprecated_since";
    "Since when the endpoint is deprecated: a date, or a time in RFC 3339. It still works, and all its responses have the \
     headers `Deprecation` and `Link`. For an operation that only the document marks as deprecated, it is the date of the \
     document's file."

    ENDPOINT_MAX_BODY_SIZE = Endpoint "max_body_size", Shape::Size { least: 0, most: TIB }, Means("as `[sizes] max_body_size`"),
    "\"1MiB\"", also "max_body", "body";
    "The largest request body of this endpoint."

    ENDPOINT_MEDIA_TYPES = Endpoint "media_types", Shape::Texts, Default("[]"), "[\"application/json\"]",
    also "content_types";
    "Media types that a request body may have, without parameters. Any other is 400 `MEDIA_TYPE_NOT_SUPPORTED`. Empty: any."

    PARAMETER_IN = Parameter "in", Shape::Words(&["path", "query", "header", "body"]), Required, "\"query\"",
    also "place", "location";
    "Where the parameter is: a `{name}` in the path, the query string, a header, or a property of the JSON object in the \
     body. A violation is 400, in the body 422."

    PARAMETER_NAME = Parameter "name", Shape::Text, Required, "\"limit\"";
    "The name. Header names are case-insensitive."

    PARAMETER_TYPE = Parameter "type", Shape::Words(&["string", "integer", "number", "boolean"]), Default("\"string\""),
    "\"integer\"", also "kind";
    "The type of the value."

    PARAMETER_REQUIRED = Parameter "required", Shape::Boolean, Default("false"), "true";
    "Whether the parameter must be present. Path parameters always are."

    PARAMETER_PATTERN = Parameter "pattern", Shape::Text, Means("any text"), "\"[a-z]+\"", also "regex";
    "A regular expression that must match the whole string."

    PARAMETER_MINIMUM = Parameter "minimum", Shape::Number, Means("no minimum"), "1", also "min";
    "The smallest number, or the shortest string in characters."

    PARAMETER_MAXIMUM = Parameter "maximum", Shape::Number, Means("no maximum"), "100", also "max";
    "The largest number, or the longest string in characters."

    PARAMETER_ENUM = Parameter "enum", Shape::Scalars, Means("any value"), "[10, 20, 50]", also "one_of";
    "The allowed values."

    MOVED_FROM = Moved "from", Shape::Text, Required, "\"/old-items/{id}\"";
    "The old path. It takes precedence over endpoints, so it must not hide one."

    MOVED_TO = Moved "to", Shape::Text, Required, "\"/items/{id}\"";
    "The new path. It may use the names in `from`."
}
