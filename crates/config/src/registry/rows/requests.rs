//! Keys of who may send which requests, and of what becomes of answers.

use super::{DAY, KIB, TIB};
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    SIZE_HEAD = Sizes "head", Shape::Size { least: KIB, most: KIB * KIB }, Default("\"32KiB\""), "\"32KiB\"",
    also "headers";
    "A request's head, request line included. Past it the answer is 400 `HEADERS_TOO_LARGE`. At least 1 KiB, at most 1 MiB."

    SIZE_BODY = Sizes "body", Shape::Size { least: 0, most: TIB }, Default("\"10MiB\""), "\"10MiB\"", also "max_body";
    "A request's body. Past it the answer is 400 `BODY_TOO_LARGE`. An endpoint may set its own by `max_body`."

    SIZE_BODY_VALUES = Sizes "body_values", Shape::Whole { least: 1, most: 100_000_000 }, Default("1000000"), "1000000",
    also "max_body_values";
    "Values of a body that is checked: in JSON every value, members and items included; in a form its pairs. Past it the \
     answer is 400 `BODY_TOO_LARGE`. Each value takes some 50 to 300 bytes of memory while the body is checked."

    KEYS_HEADERS = Keys "headers", Shape::Texts, Default("[\"X-API-Key\"]"), "[\"X-API-Key\"]", also "header";
    "Headers that may hold the key, in the order in which they are looked at. `Authorization` (Bearer and Basic) is \
     always looked at after them."

    KEYS_PATTERN = Keys "pattern", Shape::Text, Means("an imported key has any format"), "\"[A-Za-z0-9]{36}\"",
    also "format";
    "A regular expression that the whole of an imported key matches. A key that neither fits it nor is well formed as \
     Fairgate's own is 400 `KEY_FORMAT_INCORRECT`."

    KEYS_CHALLENGE = Keys "challenge", Shape::Words(&["bearer", "basic"]), Default("\"bearer\""), "\"basic\"";
    "What a 401 for a key that is missing or incorrect asks for in `WWW-Authenticate`, with `statuses = \"rfc9110\"`. `basic`: \
     for clients that send a user and a password only once they are asked, such as WebDAV's; a browser then shows a \
     dialogue. Keys are taken in both ways, whatever is asked for."

    PLAN_LIMITS = Plan "limits", Shape::Texts, Required, "[\"1000 per day\", \"20 per second\"]", also "limit";
    "One to eight limits, all of which hold. `1000 per day`: windows of the calendar (second, minute, hour, day, month) in \
     UTC; days and months may be those of a time zone, `1000 per day in Europe/Berlin`. `100 per rolling 15 minutes`: any \
     span of that length, 60 seconds to 31 days. `10 per second, burst 50`: a rate per second, minute or hour, refilled \
     evenly, at most 50 at once. `20 at once`: requests in flight, whatever they cost. `10000 in all`: never resets. Each \
     may end in ` for GROUP`: then only endpoints of that `group` count."

    ADDRESS_LIMITS = Address "limits", Shape::Texts, Means("public endpoints have no limits"), "[\"60 per minute\"]",
    also "limit";
    "One to eight limits as in a plan, but not `at once` and not `in all`. Past one of them the answer is 429."

    ADDRESS_ALLOW = Address "allow", Shape::Texts, Means("every address may use the API"), "[\"10.0.0.0/8\", \"2001:db8::/32\"]";
    "The only addresses and networks that may use the API; any other is 401 `PERMISSION_DENIED`, whatever its key."

    ADDRESS_DENY = Address "deny", Shape::Texts, Default("[]"), "[\"198.51.100.7\"]", also "block";
    "Addresses and networks that may not use the API. They win over `allow`."

    VALIDATION_UNKNOWN_QUERY = Validation "unknown_query", Shape::Words(&["ignore", "refuse"]), Default("\"ignore\""),
    "\"refuse\"";
    "What a query parameter does that the endpoint does not name: `ignore` passes it on, `refuse` answers 400 \
     `PARAMETER_NOT_VALID` and names the nearest known one. It holds where an endpoint has any rules."

    VALIDATION_READ_ONLY = Validation "read_only", Shape::Words(&["ignore", "refuse"]), Default("\"ignore\""),
    "\"refuse\"";
    "What a member of a body does that the document calls `readOnly`: `ignore` passes it on, because clients send back \
     what they were given; `refuse` answers 422 `BODY_NOT_VALID`."

    VALIDATION_FORMATS = Validation "formats", Shape::Words(&["strict", "lenient"]), Default("\"strict\""), "\"lenient\"";
    "How `format: date-time` and `format: time` are read. `strict`: as RFC 3339 has them, with seconds and zone. `lenient`: \
     seconds and zone may be missing, as in `12:30:00` and `2026-01-31T12:30:00`, which many frameworks write. Other formats \
     are the same in both."

    STRICT_HEADER_NAMES = Strictness "header_names", Shape::Words(&["drop", "refuse", "pass"]), Default("\"drop\""), "\"refuse\"",
    also "underscores";
    "What happens to headers whose names hold more than letters, digits and hyphens, such as `X_Forwarded_For`: many servers \
     cannot tell them from the same name with hyphens. `drop` hides them from the upstream, `refuse` answers 400 \
     `REQUEST_MALFORMED`, `pass` sends them on. Headers of `[keys] headers` and \
     those that an endpoint declares pass. A name that such servers take for a key header, or for one that Fairgate itself \
     sets, never does."

    STRICT_OVERRIDE_HEADERS = Strictness "override_headers", Shape::Words(&["refuse", "drop", "pass"]), Default("\"refuse\""),
    "\"drop\"";
    "What happens to headers by which some servers take another path, method or host than those of the request line and `Host`: \
     `X-HTTP-Method-Override`, `X-HTTP-Method`, `X-Method-Override`, `X-Original-Method`, `X-Original-URL`, `X-Original-URI`, \
     `X-Original-Path`, `X-Rewrite-URL`, `X-Rewrite-URI`, `X-HTTP-Path-Override`, `X-Path-Override`, `X-Override-Path`, \
     `X-HTTP-Host-Override`, `X-Host-Override`."

    STRICT_BODY_OF_GET = Strictness "body_of_get", Shape::Words(&["refuse", "pass"]), Default("\"refuse\""), "\"pass\"",
    also "get_body";
    "What a body of GET or HEAD does at an endpoint that declares none: `refuse` answers 400 `REQUEST_MALFORMED`, `pass` \
     sends it on."

    STRICT_REPEATED_SLASHES = Strictness "repeated_slashes", Shape::Words(&["keep", "merge", "refuse"]), Default("\"keep\""),
    "\"merge\"", also "merge_slashes";
    "What several slashes in a row in a path are: several (`keep`), one, also for the upstream (`merge`), or 400 \
     `REQUEST_MALFORMED` (`refuse`). Kept, they are never a way to another endpoint of a server that merges them: that is 400."

    STRICT_AMBIGUOUS_PATHS = Strictness "ambiguous_paths", Shape::Words(&["check", "refuse", "pass"]), Default("\"check\""),
    "\"pass\"", also "encoded_slashes";
    "What happens to paths with `%2F`, `%5C`, `;`, `%25` and other characters that servers read in different ways. `check` \
     answers 400 `REQUEST_MALFORMED` if a server that reads them differently would find another endpoint; `refuse` always \
     does; `pass` sends them on, for an API whose path parameters hold encoded slashes and whose server routes before it \
     decodes."

    CORS_ORIGINS = Cors "origins", Shape::Texts, Means("no page of another origin may read answers"),
    "[\"https://app.example.com\", \"https://*.example.org\"]", also "allowed_origins";
    "Origins whose pages may, as browsers write them; `*.` before a host means every host below it. `[\"*\"]` means every \
     origin, but then not `credentials`."

    CORS_METHODS = Cors "methods", Shape::Texts, Means("those that the page asks for"), "[\"GET\", \"POST\"]",
    also "allowed_methods";
    "Methods that such pages may use."

    CORS_HEADERS = Cors "headers", Shape::Texts, Means("those that the page asks for"), "[\"X-API-Key\", \"Content-Type\"]",
    also "allowed_headers";
    "Headers that such pages may send."

    CORS_EXPOSE = Cors "expose", Shape::Texts, Default("[]"), "[\"ETag\"]", also "exposed_headers";
    "Headers of answers that such pages may read, beside those that Fairgate itself tells: the limits, the request id, \
     `Retry-After` and others."

    CORS_CREDENTIALS = Cors "credentials", Shape::Boolean, Default("false"), "true", also "allow_credentials";
    "Whether such pages may send cookies and read what they get for them. Keys in headers need no credentials."

    CORS_MAX_AGE = Cors "max_age", Shape::Duration { least: 0, most: DAY }, Default("\"10m\""), "\"1h\"";
    "How long a browser may remember what a page may send."

    COMPRESSION_ENABLED = Compression "enabled", Shape::Boolean, Default("false"), "true", also "gzip";
    "Whether answers are packed. Think of BREACH first: where an answer holds a secret and, in the same body, something that \
     an attacker chooses, its packed size tells the secret bit by bit. Leave it off for such answers, or name only types that \
     hold no secrets."

    COMPRESSION_TYPES = Compression "types", Shape::Texts, Means("text, JSON, XML, YAML, JavaScript and SVG"),
    "[\"application/json\", \"text/*\"]", also "mime_types";
    "Media types that are packed, without parameters; a star stands for any letters."

    COMPRESSION_MINIMUM = Compression "minimum", Shape::Size { least: 1, most: TIB }, Default("\"1KiB\""), "\"4KiB\"",
    also "min_size";
    "Answers that are known to be smaller are not packed."
}
