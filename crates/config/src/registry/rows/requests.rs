//! Keys of who may send which requests, and how responses are written.

use super::{DAY, KIB, TIB};
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    MAX_HEADER_SIZE = Sizes "max_header_size", Shape::Size { least: KIB, most: KIB * KIB }, Default("\"32KiB\""), "\"32KiB\"",
    also "head", "headers";
    "The largest header section of a request, including the request line. Exceeded: 400 `HEADERS_TOO_LARGE`. At least 1 KiB, \
     at most 1 MiB."

    MAX_BODY_SIZE = Sizes "max_body_size", Shape::Size { least: 0, most: TIB }, Default("\"10MiB\""), "\"10MiB\"",
    also "body", "max_body";
    "The largest request body. Exceeded: 400 `BODY_TOO_LARGE`. An endpoint may set its own with `max_body_size`."

    MAX_BODY_VALUES = Sizes "max_body_values", Shape::Whole { least: 1, most: 100_000_000 }, Default("1000000"), "1000000",
    also "body_values";
    "The number of values in a body that is validated: in JSON every value, including properties and items; in a form its \
     pairs. Exceeded: 400 `BODY_TOO_LARGE`. Each value takes about 50 to 300 bytes of memory during validation."

    KEYS_HEADERS = Keys "headers", Shape::Texts, Default("[\"X-API-Key\"]"), "[\"X-API-Key\"]", also "header";
    "Headers that may hold the key, in the order in which they are read. `Authorization` (Bearer and Basic) is always read \
     after them."

    KEYS_PATTERN = Keys "pattern", Shape::Text, Means("an imported key may have any format"), "\"[A-Za-z0-9]{36}\"",
    also "format";
    "A regular expression that must match the whole of an imported key. A key that neither matches it nor is well formed as \
     Fairgate's own is 400 `KEY_FORMAT_INCORRECT`."

    KEYS_CHALLENGE = Keys "challenge", Shape::Words(&["bearer", "basic"]), Default("\"bearer\""), "\"basic\"";
    "With `statuses = \"rfc9110\"`: the scheme in the `WWW-Authenticate` header of a 401 for a missing or incorrect key. `basic` \
     is for clients that send credentials only after a challenge, such as those of WebDAV; browsers then show a login \
     dialog. Keys are accepted in both schemes either way."

    PLAN_LIMITS = Plan "limits", Shape::Texts, Required, "[\"1000 per day\", \"20 per second\"]", also "limit";
    "One to eight limits, all of which apply. `1000 per day`: calendar windows (second, minute, hour, day, month) in UTC; \
     days and months can be those of a time zone, `1000 per day in Europe/Berlin`. `100 per rolling 15 minutes`: any span of \
     that length, 60 seconds to 31 days. `10 per second, burst 50`: a rate per second, minute or hour, refilled evenly, at \
     most 50 at once. `20 at once`: requests in flight, whatever they cost. `10000 in all`: never resets. Each may end in \
     ` for GROUP`: then it counts only endpoints of that `group`."

    ADDRESS_LIMITS = Address "limits", Shape::Texts, Means("public endpoints have no limits"), "[\"60 per minute\"]",
    also "limit";
    "One to eight limits as in a plan, except `at once` and `in all`. Exceeded: 429."

    ADDRESS_ALLOW = Address "allow", Shape::Texts, Means("every address may use the API"), "[\"10.0.0.0/8\", \"2001:db8::/32\"]";
    "The only addresses and networks that may use the API. Any other gets 401 `PERMISSION_DENIED`, whatever its key."

    ADDRESS_DENY = Address "deny", Shape::Texts, Default("[]"), "[\"198.51.100.7\"]", also "block";
    "Addresses and networks that may not use the API. It takes precedence over `allow`."

    VALIDATION_UNKNOWN_QUERY = Validation "unknown_query", Shape::Words(&["ignore", "reject"]), Default("\"ignore\""),
    "\"reject\"";
    "How to treat query parameters that the endpoint does not declare. `ignore`: pass them on. `reject`: answer 400 \
     `PARAMETER_NOT_VALID` and suggest the nearest known one. It applies to endpoints that have any rules."

    VALIDATION_READ_ONLY = Validation "read_only", Shape::Words(&["ignore", "reject"]), Default("\"ignore\""),
    "\"reject\"";
    "How to treat properties of a body that the document declares `readOnly`. `ignore`: pass them on, because clients send \
     back what they received. `reject`: answer 422 `BODY_NOT_VALID`."

    VALIDATION_FORMATS = Validation "formats", Shape::Words(&["strict", "lenient"]), Default("\"strict\""), "\"lenient\"";
    "How to validate `format: date-time` and `format: time`. `strict`: as in RFC 3339, with seconds and offset. `lenient`: \
     seconds and offset are optional, as in `12:30:00` and `2026-01-31T12:30:00`, which many frameworks write. Other formats \
     are the same in both."

    STRICT_HEADER_NAMES = Strictness "header_names", Shape::Words(&["drop", "reject", "pass"]), Default("\"drop\""), "\"reject\"",
    also "underscores";
    "How to treat headers whose names contain more than letters, digits and hyphens, such as `X_Forwarded_For`, which many \
     servers cannot distinguish from the same name with hyphens. `drop`: hide them from the upstream. `reject`: answer 400 \
     `REQUEST_MALFORMED`. `pass`: pass them on. Headers in `[keys] headers` and headers that an endpoint declares are passed \
     on. A name that such servers could take for a key header, or for a header that Fairgate sets, never is."

    STRICT_OVERRIDE_HEADERS = Strictness "override_headers", Shape::Words(&["reject", "drop", "pass"]), Default("\"reject\""),
    "\"drop\"";
    "How to treat headers with which some servers override path, method or host of a request: `X-HTTP-Method-Override`, \
     `X-HTTP-Method`, `X-Method-Override`, `X-Original-Method`, `X-Original-URL`, `X-Original-URI`, `X-Original-Path`, \
     `X-Rewrite-URL`, `X-Rewrite-URI`, `X-HTTP-Path-Override`, `X-Path-Override`, `X-Override-Path`, `X-HTTP-Host-Override`, \
     `X-Host-Override`."

    STRICT_GET_BODY = Strictness "get_body", Shape::Words(&["reject", "pass"]), Default("\"reject\""), "\"pass\"",
    also "body_of_get";
    "How to treat the body of a GET or HEAD at an endpoint that declares none. `reject`: answer 400 `REQUEST_MALFORMED`. \
     `pass`: pass it on."

    STRICT_REPEATED_SLASHES = Strictness "repeated_slashes", Shape::Words(&["keep", "merge", "reject"]), Default("\"keep\""),
    "\"merge\"", also "merge_slashes";
    "How to treat consecutive slashes in a path. `keep`: leave them; a path that would reach another endpoint on a server \
     that merges them is 400. `merge`: make them one, also for the upstream. `reject`: answer 400 `REQUEST_MALFORMED`."

    STRICT_AMBIGUOUS_PATHS = Strictness "ambiguous_paths", Shape::Words(&["check", "reject", "pass"]), Default("\"check\""),
    "\"pass\"", also "encoded_slashes";
    "How to treat paths with `%2F`, `%5C`, `;`, `%25` and other characters that servers interpret differently. `check`: answer \
     400 `REQUEST_MALFORMED` if a server with another interpretation would find another endpoint. `reject`: always answer \
     400. `pass`: pass them on, for an API whose path parameters contain encoded slashes and whose server routes before it \
     decodes."

    CORS_ORIGINS = Cors "origins", Shape::Texts, Means("no page of another origin may read responses"),
    "[\"https://app.example.com\", \"https://*.example.org\"]", also "allowed_origins", "allow_origins";
    "Origins whose pages may read responses, as browsers send them; `*.` before a host matches every subdomain. `[\"*\"]` \
     allows every origin, but cannot be combined with `credentials`."

    CORS_METHODS = Cors "methods", Shape::Texts, Means("the methods that the page asks for"), "[\"GET\", \"POST\"]",
    also "allowed_methods", "allow_methods";
    "Methods that these pages may use."

    CORS_HEADERS = Cors "headers", Shape::Texts, Means("the headers that the page asks for"), "[\"X-API-Key\", \"Content-Type\"]",
    also "allowed_headers", "allow_headers";
    "Request headers that these pages may send."

    CORS_EXPOSED_HEADERS = Cors "exposed_headers", Shape::Texts, Default("[]"), "[\"ETag\"]", also "expose", "expose_headers";
    "Response headers that these pages may read, in addition to those that Fairgate sets: the limits, the request id, \
     `Retry-After` and others."

    CORS_CREDENTIALS = Cors "credentials", Shape::Boolean, Default("false"), "true", also "allow_credentials";
    "Whether these pages may send cookies and read the responses. Keys in headers need no credentials."

    CORS_MAX_AGE = Cors "max_age", Shape::Duration { least: 0, most: DAY }, Default("\"10m\""), "\"1h\"";
    "How long browsers may cache the result of a preflight."

    COMPRESSION_ENABLED = Compression "enabled", Shape::Boolean, Default("false"), "true", also "gzip";
    "Whether to compress responses. Consider BREACH first: if a response contains a secret and, in the same body, text that \
     an attacker controls, its compressed size leaks the secret bit by bit. Leave compression off for such responses, or \
     limit `types` to those without secrets."

    COMPRESSION_TYPES = Compression "types", Shape::Texts, Means("text, JSON, XML, YAML, JavaScript and SVG"),
    "[\"application/json\", \"text/*\"]", also "mime_types", "content_types";
    "Media types to compress, without parameters; `*` matches any characters."

    COMPRESSION_MIN_SIZE = Compression "min_size", Shape::Size { least: 1, most: TIB }, Default("\"1KiB\""), "\"4KiB\"",
    also "minimum", "min_length";
    "Responses known to be smaller are not compressed."
}
