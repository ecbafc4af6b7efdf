//! An example of each error code: the body that a client of an API of items gets.

use super::facts::Facts;
use contract::{
    Detail, ErrorCode, Specification, Status,
    detail::{MISSING, summary},
    specification::Form,
};
use serde_json::Value;

/// The gateway's address if none is configured: the default.
const LOCAL: &str = "http://127.0.0.1:8080";
/// A request's id as the gateway makes it.
pub(super) const REQUEST_ID: &str = "req_01kb8r3xv2n4q6s8t0w2y4z6a8";

/// Place, name, pointer and sentence of a violation.
type Violation = (&'static str, &'static str, Option<&'static str>, &'static str);

/// The violations that messages are about.
const VIOLATIONS: [(ErrorCode, Violation); 5] = [
    (ErrorCode::ParameterMissing, ("query", "limit", None, MISSING)),
    (ErrorCode::ParameterNotValid, ("query", "limit", None, "Must be at least 1, but is 0.")),
    (ErrorCode::HeaderMissing, ("header", "X-Tenant", None, MISSING)),
    (ErrorCode::HeaderNotValid, ("header", "X-Tenant", None, "Must be one of north, south, but is \"up\".")),
    (ErrorCode::BodyNotValid, ("body", "quantity", Some("/quantity"), "Must be at least 1, but is 0.")),
];

/// The gateway's messages for other codes. A code that is in neither list has the message that an upstream's error
/// gets if it has none of its own.
const MESSAGES: [(ErrorCode, &str); 9] = [
    (ErrorCode::EndpointMoved, "This endpoint has moved to /items/7. Use that address from now on."),
    (ErrorCode::TrailingSlash, "The path ends in a slash. Send the request to /items/7, without the slash."),
    (
        ErrorCode::PermissionDenied,
        "Your API key is correct, but it does not have the permission \"items:write\". Use a key that has it, or ask for it.",
    ),
    (
        ErrorCode::EndpointNotFound,
        "There is no endpoint at /itmes/7. Check the path against the API documentation.",
    ),
    (
        ErrorCode::MethodNotAvailable,
        "The endpoint /items/7 does not support the method PATCH. Use GET, HEAD.",
    ),
    (
        ErrorCode::ApiLimitExceeded,
        "You have used all 1000 requests of the limit \"1000 per day\". It resets in 12812 seconds, at 2026-11-23T00:00:00Z.",
    ),
    (
        ErrorCode::RateExceeded,
        "You have used all 20 requests of the limit \"20 per second\". It resets in 1 second, at 2026-11-22T20:26:28Z.",
    ),
    (
        ErrorCode::TooManyErrors,
        "100 requests from this key failed within the current minute. Correct the failing requests, then retry in 23 seconds. Nothing was charged.",
    ),
    (
        ErrorCode::Maintenance,
        "The database is being upgraded. It ends at 2026-11-23T00:00:00Z. You can keep making requests until the API is available; nothing is charged.",
    ),
];

/// The body that a client gets with this code, as the gateway writes it.
pub(super) fn body(code: ErrorCode, number: u16, form: Form, facts: &Facts<'_>) -> Value {
    let base = facts.public_url.unwrap_or(LOCAL).trim_end_matches('/');
    let check = format!("{base}{}/errors/{}", facts.docs_path, code.name());
    let details: Vec<Detail> = VIOLATIONS
        .iter()
        .filter(|(row, _)| *row == code)
        .map(|&(_, (place, name, pointer, message))| Detail {
            place,
            name: name.to_owned(),
            pointer: pointer.map(str::to_owned),
            message: message.to_owned(),
        })
        .collect();
    let message = match MESSAGES.iter().find(|(row, _)| *row == code) {
        Some((_, message)) => (*message).to_owned(),
        None if !details.is_empty() => summary(&details),
        None if code == ErrorCode::KeyNotSet => key_not_set(facts),
        None => code.explanation().to_owned(),
    };
    let mut specification = Specification::new(code, number, &message, &check, REQUEST_ID);
    specification.details = &details;
    specification.location = (code.status() == Status::Moved).then_some("/items/7");
    if code == ErrorCode::UnexpectedError {
        specification.contact = facts.support_email;
    }
    let mut body = Vec::new();
    specification.write(form, &mut body);
    serde_json::from_slice(&body).unwrap_or_default()
}

fn key_not_set(facts: &Facts<'_>) -> String {
    match facts.key_headers.first() {
        Some(header) => format!(
            "The request has no API key. Send it in the header {header}, or as `Authorization: Bearer YOUR_KEY`."
        ),
        None => "The request has no API key. Send it as `Authorization: Bearer YOUR_KEY`.".to_owned(),
    }
}
