//! The row 200: what works, and what the gateway adds to it.

use super::{KeyFor, ORDER, Plan, Promise};
use crate::demo::shell_line::ShellLine;

pub(super) const PLANS: [Plan; 19] = [
    Plan {
        name: "read",
        promise: Promise::Success(200),
        shows: "An item; the headers show what is left of the key's limits.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items/7").key(key),
    },
    Plan {
        name: "list",
        promise: Promise::Success(200),
        shows: "A list, with parameters that are checked.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items?limit=3&sort=price").key(key),
    },
    Plan {
        name: "filter",
        promise: Promise::Success(200),
        shows: "A parameter that is a list, and one that is an object.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items?tags=living,wood&price%5Bmin%5D=50&price%5Bmax%5D=200").key(key),
    },
    Plan {
        name: "create",
        promise: Promise::Success(201),
        shows: "A new item; it costs 2 units. All other 2xx codes pass untouched.",
        key: KeyFor::Holder(&["items:write"]),
        command: |at, key| at.to("/items").key(key).json(r#"{"name":"Bowl","price":14.5}"#),
    },
    Plan {
        name: "update",
        promise: Promise::Success(200),
        shows: "An item is changed.",
        key: KeyFor::Holder(&["items:write"]),
        command: |at, key| {
            at.to("/items/5").raw("-X PUT").key(key).json(r#"{"name":"Vase","price":19,"stock":6}"#)
        },
    },
    Plan {
        name: "delete",
        promise: Promise::Success(204),
        shows: "An item is deleted; the response has no body.",
        key: KeyFor::Holder(&["items:write"]),
        command: |at, key| at.to("/items/900000").raw("-X DELETE").key(key),
    },
    Plan {
        name: "order",
        promise: Promise::Success(201),
        shows: "A nested body, checked by the document's schema before the API sees it.",
        key: KeyFor::Holder(&["orders:write"]),
        command: |at, key| at.to("/orders").key(key).header("Idempotency-Key: order-0002").json(ORDER),
    },
    Plan {
        name: "form",
        promise: Promise::Success(201),
        shows: "What an HTML form sends is checked by a schema, too.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items/7/reviews").key(key).raw("-d stars=4 -d 'text=Stands well.'"),
    },
    Plan {
        name: "deprecated",
        promise: Promise::Success(200),
        shows: "Deprecated by the document: see the headers Deprecation and Link.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/catalogue").key(key),
    },
    Plan {
        name: "limits",
        promise: Promise::Success(200),
        shows: "The state of all limits of the key. Requesting it is free.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/_limits").key(key),
    },
    Plan {
        name: "received",
        promise: Promise::Success(200),
        shows: "The headers that reach the API: who asks, but no key.",
        key: KeyFor::Holder(&[]),
        command: |at, key| at.to("/received").key(key),
    },
    Plan {
        name: "bearer",
        promise: Promise::Success(200),
        shows: "The key as a bearer token.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items/7").header(&format!("Authorization: Bearer {key}")),
    },
    Plan {
        name: "basic",
        promise: Promise::Success(200),
        shows: "The key as a user name, for tools that can send nothing else.",
        key: KeyFor::Holder(&["items:read"]),
        command: |at, key| at.to("/items/7").raw(&format!("-u {key}:")),
    },
    Plan {
        name: "imported",
        promise: Promise::Success(200),
        shows: "A key of another format that was imported.",
        key: KeyFor::Imported,
        command: |at, key| at.to("/items/7").key(key),
    },
    Plan {
        name: "stream",
        promise: Promise::Success(200),
        shows: "A stream of lines, passed on as they come.",
        key: KeyFor::Holder(&[]),
        command: |at, key| ShellLine::curl_with("-iN", &at.url("/events")).key(key),
    },
    Plan {
        name: "open",
        promise: Promise::Success(200),
        shows: "An endpoint that is open to everyone: no key, no limits.",
        key: KeyFor::Nobody,
        command: |at, _| at.to("/health"),
    },
    Plan {
        name: "error-page",
        promise: Promise::Success(200),
        shows: "The page behind `check` of an error; a browser gets it as HTML.",
        key: KeyFor::Nobody,
        command: |at, _| at.to("/_docs/errors/API_LIMIT_EXCEEDED.md"),
    },
    Plan {
        name: "document",
        promise: Promise::Success(200),
        shows: "The API's document, with all errors, limits and the key added to it.",
        key: KeyFor::Nobody,
        command: |at, _| at.to("/_docs/openapi.yaml"),
    },
    Plan {
        name: "document-json",
        promise: Promise::Success(200),
        shows: "The same as JSON, for programs.",
        key: KeyFor::Nobody,
        command: |at, _| at.to("/_docs/openapi.json"),
    },
];
