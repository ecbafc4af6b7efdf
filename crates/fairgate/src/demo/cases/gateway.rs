//! What the gateway refuses by itself: the API never sees these requests.

use super::{KeyFor, ORDER, Plan, Promise};
use crate::demo::shell_line::ShellLine;
use contract::ErrorCode;

const READER: KeyFor = KeyFor::Holder(&["items:read"]);
const WRITER: KeyFor = KeyFor::Holder(&["items:write"]);
const BUYER: KeyFor = KeyFor::Holder(&["orders:write"]);

const fn refused(
    name: &'static str,
    code: ErrorCode,
    shows: &'static str,
    key: KeyFor,
    command: fn(super::Places, &str) -> ShellLine,
) -> Plan {
    Plan { name, promise: Promise::Error(code), shows, key, command }
}

pub(super) const PLANS: [Plan; 33] = [
    refused(
        "moved",
        ErrorCode::EndpointMoved,
        "The path has moved; with -L curl follows.",
        READER,
        |at, key| at.to("/old-items/7").key(key),
    ),
    refused(
        "slash",
        ErrorCode::TrailingSlash,
        "A slash at the end of the path; the query stays.",
        READER,
        |at, key| at.to("/items/7/?a=b").key(key),
    ),
    refused("no-host", ErrorCode::RequestMalformed, "A request without a Host.", READER, |at, key| {
        at.to("/items/7").key(key).header("Host:")
    }),
    refused(
        "not-http",
        ErrorCode::RequestMalformed,
        "Bytes that are not HTTP (curl sends any bytes by gopher).",
        KeyFor::Nobody,
        |at, _| ShellLine::curl_with("-sS", &format!("gopher://{}/_HELLO%20THERE%0D%0A%0D%0A", at.gateway)),
    ),
    refused(
        "large-head",
        ErrorCode::HeadersTooLarge,
        "A cookie of 9000 bytes, where a head may have 8 KiB.",
        READER,
        |at, key| at.to("/items/7").key(key).raw(r#"-H "Cookie: c=$(printf '%09000d' 0)""#),
    ),
    refused(
        "large-body",
        ErrorCode::BodyTooLarge,
        "A body of 2000 bytes, where this endpoint takes 1 KiB.",
        WRITER,
        |at, key| {
            let request = at.to("/items").key(key).header("Content-Type: application/json");
            request.raw(r#"-d "{\"name\":\"$(printf '%02000d' 0)\"}""#)
        },
    ),
    refused(
        "slow-body",
        ErrorCode::RequestTimeout,
        "A body that stops half-way; the answer comes after 2 seconds.",
        WRITER,
        |at, key| at.to("/items").key(key).header("Content-Length: 100").json(r#"{"name":"Bowl""#),
    ),
    refused("no-parameter", ErrorCode::ParameterMissing, "`q` is required.", READER, |at, key| {
        at.to("/search").key(key)
    }),
    refused(
        "bad-parameters",
        ErrorCode::ParameterNotValid,
        "Two wrong parameters; `details` names both.",
        READER,
        |at, key| at.to("/items?limit=1000&sort=weight").key(key),
    ),
    refused(
        "bad-list",
        ErrorCode::ParameterNotValid,
        "A list with a value that is not allowed, and the one that was meant.",
        READER,
        |at, key| at.to("/items?tags=living,wod").key(key),
    ),
    refused(
        "unknown-parameter",
        ErrorCode::ParameterNotValid,
        "An unknown parameter, and the one that was meant.",
        READER,
        |at, key| at.to("/items?limt=3").key(key),
    ),
    refused("no-header", ErrorCode::HeaderMissing, "Idempotency-Key is required.", BUYER, |at, key| {
        at.to("/orders").key(key).json(ORDER)
    }),
    refused(
        "bad-header",
        ErrorCode::HeaderNotValid,
        "An Idempotency-Key of the wrong form.",
        BUYER,
        |at, key| at.to("/orders").key(key).header("Idempotency-Key: no").json(ORDER),
    ),
    refused("bad-json", ErrorCode::BodyMalformed, "A body that is not JSON.", WRITER, |at, key| {
        at.to("/items").key(key).json(r#"{"name": Bowl}"#)
    }),
    refused("xml", ErrorCode::MediaTypeNotSupported, "XML, where JSON is taken.", WRITER, |at, key| {
        at.to("/items").key(key).header("Content-Type: text/xml").raw("-d '<item/>'")
    }),
    refused(
        "key-format",
        ErrorCode::KeyFormatIncorrect,
        "A key that was not copied whole; detected without a lookup.",
        READER,
        |at, key| at.to("/items/7").key(key.split_at_checked(20).map_or(key, |(begin, _)| begin)),
    ),
    refused(
        "no-permission",
        ErrorCode::PermissionDenied,
        "A key that may only read tries to write.",
        READER,
        |at, key| at.to("/items").key(key).json(r#"{"name":"Bowl"}"#),
    ),
    refused("no-key", ErrorCode::KeyNotSet, "No key.", KeyFor::Nobody, |at, _| at.to("/items/7")),
    refused(
        "problem-json",
        ErrorCode::KeyNotSet,
        "The same as RFC 9457 problem details.",
        KeyFor::Nobody,
        |at, _| at.to("/items/7").header("Accept: application/problem+json"),
    ),
    refused(
        "unknown-key",
        ErrorCode::KeyNotValid,
        "A key of the right form that is unknown.",
        KeyFor::Unknown,
        |at, key| at.to("/items/7").key(key),
    ),
    refused("revoked-key", ErrorCode::KeyRevoked, "A key that was revoked.", KeyFor::Revoked, |at, key| {
        at.to("/items/7").key(key)
    }),
    refused(
        "expired-key",
        ErrorCode::KeyExpired,
        "A key that expired yesterday.",
        KeyFor::Expired,
        |at, key| at.to("/items/7").key(key),
    ),
    refused("no-endpoint", ErrorCode::EndpointNotFound, "An unknown path.", READER, |at, key| {
        at.to("/itmes/7").key(key)
    }),
    refused(
        "no-method",
        ErrorCode::MethodNotAvailable,
        "A method that this path does not accept; `Allow` names those it does.",
        READER,
        |at, key| at.to("/items/7").raw("-X PATCH").key(key),
    ),
    refused(
        "bad-body",
        ErrorCode::BodyNotValid,
        "Well-formed JSON with two wrong members; `details` points at both.",
        WRITER,
        |at, key| at.to("/items").key(key).json(r#"{"name":"","price":"cheap"}"#),
    ),
    refused(
        "unknown-member",
        ErrorCode::BodyNotValid,
        "An unknown member, and the one that was meant.",
        WRITER,
        |at, key| at.to("/items").key(key).json(r#"{"name":"Bowl","prise":14.5}"#),
    ),
    refused(
        "bad-order",
        ErrorCode::BodyNotValid,
        "Several violations deep in a body, each with its JSON pointer.",
        BUYER,
        |at, key| {
            let order = r#"{"customer":{"email":"ada"},"lines":[{"item":4,"quantity":0},{"item":"7"}]}"#;
            at.to("/orders").key(key).header("Idempotency-Key: order-0003").json(order)
        },
    ),
    refused(
        "bad-payment",
        ErrorCode::BodyNotValid,
        "An empty list where a line is needed, and an unknown way to pay.",
        BUYER,
        |at, key| {
            let order = r#"{"customer":{"email":"a@b.example"},"lines":[],"payment":{"method":"cards"}}"#;
            at.to("/orders").key(key).header("Idempotency-Key: order-0004").json(order)
        },
    ),
    refused("bad-form", ErrorCode::BodyNotValid, "A form with too many stars.", READER, |at, key| {
        at.to("/items/7/reviews").key(key).raw("-d stars=6")
    }),
    refused(
        "limit-used-up",
        ErrorCode::ApiLimitExceeded,
        "A key that has used all 100 requests of this month.",
        KeyFor::UsedUp,
        |at, key| at.to("/items/7").key(key),
    ),
    refused(
        "too-fast",
        ErrorCode::RateExceeded,
        "Five requests at once, where two per second are granted.",
        KeyFor::Slow,
        |at, key| ShellLine::curl_with("-si", &at.url("/items/[1-5]")).key(key),
    ),
    refused(
        "too-many-errors",
        ErrorCode::TooManyErrors,
        "20 requests that fail, then a good one; the key's limits are untouched.",
        READER,
        |at, key| {
            let failing =
                ShellLine::curl_with("-s -o /dev/null", &at.url("/items/no-number-[1-20]")).key(key);
            failing.next("-si", &at.url("/items/7")).key(key)
        },
    ),
    refused(
        "maintenance",
        ErrorCode::Maintenance,
        "A second gateway in maintenance; Retry-After counts down to its end.",
        KeyFor::Nobody,
        |at, _| ShellLine::curl(&format!("http://{}/items/7", at.in_maintenance)),
    ),
];
