//! What the API behind the gateway answers, or fails to answer, and how it is mapped.

use super::{KeyFor, Plan, Promise};
use crate::demo::shell_line::ShellLine;
use contract::ErrorCode;

const ANY: KeyFor = KeyFor::Holder(&[]);

const fn failing(
    name: &'static str,
    code: ErrorCode,
    shows: &'static str,
    command: fn(super::Places, &str) -> ShellLine,
) -> Plan {
    Plan { name, promise: Promise::Error(code), shows, key: ANY, command }
}

pub(super) const PLANS: [Plan; 13] = [
    failing(
        "teapot",
        ErrorCode::RequestMalformed,
        "The API answers 418: other 4xx codes become 400.",
        |at, key| at.to("/fail/teapot").key(key),
    ),
    failing(
        "forbidden",
        ErrorCode::PermissionDenied,
        "The API answers 403: the key was right, so it is 401.",
        |at, key| at.to("/fail/forbidden").key(key),
    ),
    Plan {
        name: "no-item",
        promise: Promise::Error(ErrorCode::ResourceNotFound),
        shows: "The API has no such item; its message is kept, and nothing is charged.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items/999999").key(key),
    },
    failing("gone", ErrorCode::ResourceNotFound, "The API answers 410.", |at, key| {
        at.to("/fail/gone").key(key)
    }),
    Plan {
        name: "duplicate",
        promise: Promise::Error(ErrorCode::Unprocessable),
        shows: "The API answers 409: this sku is taken.",
        key: KeyFor::Holder(&["items:write"]),
        command: |at, key| at.to("/items").key(key).json(r#"{"name":"Lamp","sku":"LAMP-1"}"#),
    },
    Plan {
        name: "out-of-stock",
        promise: Promise::Error(ErrorCode::Unprocessable),
        shows: "The API answers 422 and says why.",
        key: KeyFor::Holder(&["orders:write"]),
        command: |at, key| {
            at.to("/orders")
                .key(key)
                .header("Idempotency-Key: order-0001")
                .json(r#"{"customer":{"email":"ada@example.com"},"lines":[{"item":9,"quantity":50}]}"#)
        },
    },
    failing(
        "crash",
        ErrorCode::UnexpectedError,
        "A 500 with a stack trace and a password in it: none of it gets out.",
        |at, key| at.to("/fail/crash").key(key),
    ),
    failing(
        "closed",
        ErrorCode::UnexpectedError,
        "The API closes the connection without an answer.",
        |at, key| at.to("/fail/closed").key(key),
    ),
    failing(
        "half",
        ErrorCode::UnexpectedError,
        "The API breaks off in the middle of its answer.",
        |at, key| at.to("/fail/half").key(key),
    ),
    failing("garbage", ErrorCode::UnexpectedError, "The API's response is not HTTP.", |at, key| {
        at.to("/fail/garbage").key(key)
    }),
    failing(
        "silent",
        ErrorCode::UnexpectedError,
        "The API never answers; the gateway waits 2 seconds.",
        |at, key| at.to("/fail/silent").key(key),
    ),
    failing("busy", ErrorCode::Unavailable, "The API answers 503; its Retry-After is kept.", |at, key| {
        at.to("/fail/busy").key(key)
    }),
    failing(
        "throttled",
        ErrorCode::Unavailable,
        "The API's own 429: not this client's limit, so it is 503.",
        |at, key| at.to("/fail/throttled").key(key),
    ),
];
