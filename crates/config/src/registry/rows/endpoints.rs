//! Keys of `[[endpoints]]`, their parameters, and `[[moved]]`.

use super::TIB;
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    ENDPOINT_OPERATION = Endpoint "operation", Shape::Text, Means("`method` and `path` name the endpoint"),
    "\"createItem\"", also "operation_id";
    "The `operationId` of the document's operation that this table adds to, in place of `method` and `path`."

    ENDPOINT_METHOD = Endpoint "method", Shape::Text, Means("`operation` names the endpoint; without it, it must be set"),
    "\"GET\"", also "methods";
    "The method, in upper-case letters."

    ENDPOINT_PATH = Endpoint "path", Shape::Text, Means("`operation` names the endpoint; without it, it must be set"),
    "\"/items/{id}\"", also "url";
    "The path, with `{name}` where any text without a slash may stand, and `{*name}` as its last segment for the rest of the \
     path, slashes included. A slash at its end is kept."

    ENDPOINT_REST = Endpoint "rest", Shape::Text, Means("each name of the document's path takes one segment"), "\"path\"",
    also "catch_all";
    "The parameter of an operation's path that takes the rest of the path, slashes included: its last segment. Documents \
     cannot say it; many frameworks write `/files/{path}` where they mean it. Without a document, `path` says it: `{*name}`."

    ENDPOINT_PERMISSION = Endpoint "permission", Shape::Text, Means("any key will do"), "\"items:read\"", also "scope";
    "The permission that a key needs; without it the answer is 401 `PERMISSION_DENIED`."

    ENDPOINT_PUBLIC = Endpoint "public", Shape::Boolean, Default("false"), "false", also "open";
    "Open to everyone: no key is looked at. Only the limits of `[address]` count its requests."

    ENDPOINT_ALLOW = Endpoint "allow", Shape::Texts, Means("as `[address]` says"), "[\"10.0.0.0/8\"]";
    "The only addresses and networks that may use this endpoint; any other is 401 `PERMISSION_DENIED`. What `[address]` \
     denies stays denied."

    ENDPOINT_DENY = Endpoint "deny", Shape::Texts, Default("[]"), "[\"198.51.100.0/24\"]", also "block";
    "Addresses and networks that may not use this endpoint. They win over `allow`."

    ENDPOINT_COST = Endpoint "cost", Shape::Whole { least: 1, most: 0x7fff_ffff }, Default("1"), "5", also "weight";
    "Units that a success costs, of every limit that counts it but those of requests at once. With `cost_header`, the most \
     that it can cost."

    ENDPOINT_COST_HEADER = Endpoint "cost_header", Shape::Text, Means("a success costs `cost`"), "\"X-Cost\"",
    also "cost_from";
    "The header in which the upstream tells what a success has cost: a whole number up to `cost`, which is reserved until \
     then. What it does not tell, or wrongly, costs `cost`."

    ENDPOINT_GROUP = Endpoint "group", Shape::Text, Means("only limits of all endpoints count it"), "\"search\"",
    also "limit_group";
    "The group that it belongs to, for limits that end in ` for GROUP`: 1 to 64 letters, digits, `-` and `_`."

    ENDPOINT_SERVICE = Endpoint "service", Shape::Text, Means("the service that host and path lead to"), "\"shop\"";
    "The service that its requests go to, whatever their host. Without it, an endpoint is one of all services."

    ENDPOINT_MOVED_TO = Endpoint "moved_to", Shape::Text, Means("it has not moved"), "\"/items/{id}\"", also "moved";
    "The endpoint has moved for good, with this method, to this path: it answers 301 `ENDPOINT_MOVED`. It may use the \
     names of the endpoint's path."

    ENDPOINT_DEPRECATED = Endpoint "deprecated", Shape::Text, Means("as the document says; without one, it is not"),
    "\"2026-06-01\"", also "deprecated_since";
    "Since when clients are told to leave this endpoint, which still works: a date, or a time in RFC 3339. Every answer \
     of it has the headers `Deprecation` and `Link`. For an operation that only the document calls deprecated, it is \
     the date of the document's file."

    ENDPOINT_MAX_BODY = Endpoint "max_body", Shape::Size { least: 0, most: TIB }, Means("as `[sizes] body`"), "\"1MiB\"",
    also "body";
    "The largest body that this endpoint takes."

    ENDPOINT_MEDIA_TYPES = Endpoint "media_types", Shape::Texts, Default("[]"), "[\"application/json\"]",
    also "content_types";
    "Media types that a request's body may have, without parameters; any other is 400 `MEDIA_TYPE_NOT_SUPPORTED`. \
     Empty: any."

    PARAMETER_IN = Parameter "in", Shape::Words(&["path", "query", "header", "body"]), Required, "\"query\"", also "place";
    "Where it stands: a `{name}` of the path, the query string, a header, or a member of the JSON object that is the \
     body. A violation is 400, in the body 422."

    PARAMETER_NAME = Parameter "name", Shape::Text, Required, "\"limit\"";
    "Its name. Of a header, upper and lower case are the same."

    PARAMETER_TYPE = Parameter "type", Shape::Words(&["string", "integer", "number", "boolean"]), Default("\"string\""),
    "\"integer\"", also "kind";
    "What its value must be."

    PARAMETER_REQUIRED = Parameter "required", Shape::Boolean, Default("false"), "true";
    "Its absence is an error. A parameter of the path is always there."

    PARAMETER_PATTERN = Parameter "pattern", Shape::Text, Means("any text"), "\"[a-z]+\"", also "regex";
    "A regular expression that the whole of a string matches."

    PARAMETER_MINIMUM = Parameter "minimum", Shape::Number, Means("no bound"), "1", also "min";
    "The smallest number, or the fewest characters of a string."

    PARAMETER_MAXIMUM = Parameter "maximum", Shape::Number, Means("no bound"), "100", also "max";
    "The largest number, or the most characters of a string."

    PARAMETER_ONE_OF = Parameter "one_of", Shape::Scalars, Means("any value"), "[10, 20, 50]", also "enum";
    "The only values that are allowed."

    MOVED_FROM = Moved "from", Shape::Text, Required, "\"/old-items/{id}\"";
    "The old path. It wins over an endpoint that would match, so it may not hide one."

    MOVED_TO = Moved "to", Shape::Text, Required, "\"/items/{id}\"";
    "The new path. It may use the names of `from`."
}
