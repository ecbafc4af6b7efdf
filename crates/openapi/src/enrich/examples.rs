//! An example of each error code: the body that a client of an API of items gets.

use super::facts::Facts;
use contract::{Detail, ErrorCode, Specification, Status, specification::Form};
use serde_json::Value;

/// Where the gateway is if nobody said: its default address.
const LOCAL: &str = "http://127.0.0.1:8080";
/// A request's id as the gateway makes it.
pub(super) const REQUEST_ID: &str = "req_01kb8r3xv2n4q6s8t0w2y4z6a8";

/// Place, name, pointer and sentence of a violation.
type Violation = (&'static str, &'static str, Option<&'static str>, &'static str);

/// What the gateway says, and the violation behind it. A code that is not here has the words that an
/// upstream's error gets if it has none of its own.
const SAID: [(ErrorCode, &str, Option<Violation>); 14] = [
    (ErrorCode::EndpointMoved, "This endpoint has moved to /items/7. Use that address from now on.", None),
    (ErrorCode::TrailingSlash, "The path ends in a slash. Send the request to /items/7, without it.", None),
    (
        ErrorCode::ParameterMissing,
        "The query parameter \"limit\" is required, but not there.",
        Some(("query", "limit", None, "It is required, but not there.")),
    ),
    (
        ErrorCode::ParameterNotValid,
        "The query parameter \"limit\" is not right: It has to be at least 1, but is 0.",
        Some(("query", "limit", None, "It has to be at least 1, but is 0.")),
    ),
    (
        ErrorCode::HeaderMissing,
        "The header \"X-Tenant\" is required, but not there.",
        Some(("header", "X-Tenant", None, "It is required, but not there.")),
    ),
    (
        ErrorCode::HeaderNotValid,
        "The header \"X-Tenant\" is not right: It has to be one of north, south, but is \"up\".",
        Some(("header", "X-Tenant", None, "It has to be one of north, south, but is \"up\".")),
    ),
    (
        ErrorCode::PermissionDenied,
        "Your API key is correct, but it does not have the permission \"items:write\". Use a key that has it, or ask for it.",
        None,
    ),
    (
        ErrorCode::EndpointNotFound,
        "There is no endpoint at /itmes/7. Compare the path with the documentation of the API.",
        None,
    ),
    (
        ErrorCode::MethodNotAvailable,
        "The endpoint /items/7 does not take the method PATCH, but GET, HEAD.",
        None,
    ),
    (
        ErrorCode::BodyNotValid,
        "The body is not right at /quantity: It has to be at least 1, but is 0.",
        Some(("body", "quantity", Some("/quantity"), "It has to be at least 1, but is 0.")),
    ),
    (
        ErrorCode::ApiLimitExceeded,
        "You have used all 1000 requests of the limit \"1000 per day\". It resets in 12812 seconds, at 2026-11-23T00:00:00Z.",
        None,
    ),
    (
        ErrorCode::RateExceeded,
        "You have used all 20 requests of the limit \"20 per second\". It resets in 1 second, at 2026-11-22T20:26:28Z.",
        None,
    ),
    (
        ErrorCode::TooManyErrors,
        "100 requests of this key ended in an error within this minute. Correct the requests that fail, then go on in 23 seconds. Nothing was charged.",
        None,
    ),
    (
        ErrorCode::Maintenance,
        "The database moves. It ends at 2026-11-23T00:00:00Z. You can go on requesting until it is over; nothing is charged.",
        None,
    ),
];

/// The body that a client gets with this code, as the gateway writes it.
pub(super) fn body(code: ErrorCode, number: u16, form: Form, facts: &Facts<'_>) -> Value {
    let base = facts.public_url.unwrap_or(LOCAL).trim_end_matches('/');
    let check = format!("{base}{}/errors/{}", facts.docs_path, code.name());
    let row = SAID.iter().find(|(row, ..)| *row == code);
    let message = match row {
        Some((_, message, _)) => (*message).to_owned(),
        None if code == ErrorCode::KeyNotSet => key_not_set(facts),
        None => format!("{} {}", code.meaning(), code.what_to_do()),
    };
    let details = row.and_then(|(.., violation)| *violation).map(|(place, name, pointer, message)| Detail {
        place,
        name: name.to_owned(),
        pointer: pointer.map(str::to_owned),
        message: message.to_owned(),
    });
    let mut specification = Specification::new(code, number, &message, &check, REQUEST_ID);
    specification.details = details.as_slice();
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
