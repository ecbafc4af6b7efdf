//! What the page of each error code is made of, one row a code: when this API responds with it, and an example.

use super::{
    maintenance,
    when::{self, sentences},
};
use crate::{
    document::Block,
    example::{Example, head, keys, later, values},
    facts::Facts,
    model::{Live, Place},
};
use contract::ErrorCode;

/// Codes of what is decided before the endpoint is looked for.
const BEFORE_ENDPOINTS: [ErrorCode; 6] = [
    ErrorCode::RequestMalformed,
    ErrorCode::HeadersTooLarge,
    ErrorCode::Maintenance,
    ErrorCode::TrailingSlash,
    ErrorCode::EndpointMoved,
    ErrorCode::EndpointNotFound,
];

struct Row {
    /// When the code is answered: from the API's configuration, in sentences and tables.
    when: fn(&Facts, ErrorCode, &Live) -> Vec<Block>,
    /// A request that gets it, and the answer.
    example: fn(&Facts, ErrorCode, &Live) -> Example,
}

#[expect(clippy::too_many_lines, reason = "a table, one row a code")]
fn row(code: ErrorCode) -> Row {
    match code {
        ErrorCode::EndpointMoved => Row {
            when: |facts, _, _| when::endpoint_moved(facts),
            example: |facts, _, _| head::endpoint_moved(facts),
        },
        ErrorCode::TrailingSlash => Row {
            when: |facts, _, _| when::trailing_slash(facts),
            example: |facts, _, _| head::trailing_slash(facts),
        },
        ErrorCode::RequestMalformed => Row {
            when: |_, _, _| {
                sentences([
                    "The request has no Host header or two, a Content-Length together with a Transfer-Encoding, a header with a line break in it, or is not HTTP/1.1 at all.",
                    "The API behind the gateway may also return it for a request that it does not understand.",
                ])
            },
            example: |facts, _, _| head::request_malformed(facts),
        },
        ErrorCode::HeadersTooLarge => Row {
            when: |facts, _, _| when::headers_too_large(facts),
            example: |facts, _, _| head::headers_too_large(facts),
        },
        ErrorCode::BodyTooLarge => Row {
            when: |facts, _, _| when::body_too_large(facts),
            example: |facts, _, _| values::body_too_large(facts),
        },
        ErrorCode::RequestTimeout => Row {
            when: |facts, _, _| when::request_timeout(facts),
            example: |facts, _, _| head::request_timeout(facts),
        },
        ErrorCode::ParameterMissing | ErrorCode::HeaderMissing => Row {
            when: |facts, code, _| {
                when::checked(facts, code, |check| check.required && check.place != Place::Path)
            },
            example: |facts, code, _| values::missing(facts, code),
        },
        ErrorCode::ParameterNotValid | ErrorCode::HeaderNotValid => Row {
            when: |facts, code, _| when::checked(facts, code, |check| !check.rule.is_empty()),
            example: |facts, code, _| values::not_valid(facts, code),
        },
        ErrorCode::BodyMalformed => Row {
            when: |facts, _, _| when::body_malformed(facts),
            example: |facts, _, _| values::body_malformed(facts),
        },
        ErrorCode::MediaTypeNotSupported => Row {
            when: |facts, _, _| when::media_types(facts),
            example: |facts, _, _| values::media_type_not_supported(facts),
        },
        ErrorCode::BodyNotValid => Row {
            when: |facts, _, _| when::body_not_valid(facts),
            example: |facts, _, _| values::body_not_valid(facts),
        },
        ErrorCode::KeyFormatIncorrect => Row {
            when: |facts, _, _| when::key_format(facts),
            example: |facts, _, _| keys::format_incorrect(facts),
        },
        ErrorCode::HttpsRequired => Row {
            when: |facts, _, _| when::https_required(facts),
            example: |facts, _, _| keys::https_required(facts),
        },
        ErrorCode::PermissionDenied => Row {
            when: |facts, _, _| when::permissions(facts),
            example: |facts, _, _| keys::permission_denied(facts),
        },
        ErrorCode::KeyNotSet => {
            Row { when: |facts, _, _| when::key_not_set(facts), example: |facts, _, _| keys::not_set(facts) }
        }
        ErrorCode::KeyNotValid => Row {
            when: |_, _, _| {
                sentences([
                    "The key is well formed but unknown: a character was changed, or it is a key of another API.",
                ])
            },
            example: |facts, _, _| keys::not_valid(facts),
        },
        ErrorCode::KeyRevoked => Row {
            when: |_, _, _| {
                sentences([
                    "The operator revoked the key. Every later request with it gets this response, also on open connections.",
                ])
            },
            example: |facts, code, _| keys::over(facts, code),
        },
        ErrorCode::KeyExpired => Row {
            when: |_, _, _| sentences(["The key had an expiry date, which has passed."]),
            example: |facts, code, _| keys::over(facts, code),
        },
        ErrorCode::EndpointNotFound => Row {
            when: |facts, _, _| when::endpoint_not_found(facts),
            example: |facts, _, _| head::endpoint_not_found(facts),
        },
        ErrorCode::MethodNotAvailable => Row {
            when: |_, _, _| {
                sentences([
                    "The endpoint exists, but not with this method. The Allow header of the response lists the methods that are available.",
                    "HEAD is available wherever GET is.",
                ])
            },
            example: |facts, _, _| head::method_not_available(facts),
        },
        ErrorCode::ResourceNotFound => Row {
            when: |_, _, _| {
                sentences([
                    "The API behind the gateway did not find the resource. The message is the API's own, if it sends one.",
                ])
            },
            example: |facts, code, _| later::of_the_api(facts, code),
        },
        ErrorCode::Unprocessable => Row {
            when: |_, _, _| {
                sentences([
                    "The request was well formed, but the API behind the gateway could not process it. The message is the API's own, if it sends one.",
                ])
            },
            example: |facts, code, _| later::of_the_api(facts, code),
        },
        ErrorCode::ApiLimitExceeded | ErrorCode::RateExceeded => Row {
            when: |facts, code, _| when::limits(facts, code),
            example: |facts, code, _| later::limit(facts, code),
        },
        ErrorCode::TooManyErrors => Row {
            when: |facts, _, _| when::too_many_errors(facts),
            example: |facts, _, _| later::too_many_errors(facts),
        },
        ErrorCode::UnexpectedError => Row {
            when: |facts, _, _| when::unexpected(facts),
            example: |facts, _, _| later::unexpected(facts),
        },
        ErrorCode::Maintenance => Row {
            when: |_, _, live| maintenance::now_and_next(live),
            example: |facts, _, live| later::maintenance(facts, live),
        },
        ErrorCode::Unavailable => Row {
            when: |_, _, _| {
                sentences([
                    "The API behind the gateway says that it is overloaded or not ready. Its own Retry-After is forwarded; without one, the response says 10 seconds.",
                    "No connection to the API can be made. Nothing was sent, so the request can be retried safely.",
                    "The gateway itself is overloaded, or has too many bodies to validate.",
                ])
            },
            example: |facts, code, _| later::of_the_api(facts, code),
        },
        ErrorCode::PaymentRequired
        | ErrorCode::MethodNotAllowed
        | ErrorCode::NotAcceptable
        | ErrorCode::Conflict
        | ErrorCode::Gone
        | ErrorCode::PreconditionFailed
        | ErrorCode::ContentTooLarge
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::RangeNotSatisfiable
        | ErrorCode::Locked
        | ErrorCode::FailedDependency
        | ErrorCode::PreconditionRequired
        | ErrorCode::UnavailableForLegalReasons => Row {
            when: |_, _, _| {
                sentences([
                    "The API behind the gateway returns this status. It is not in the common table, and was added for this API.",
                ])
            },
            example: |facts, code, _| later::of_the_api(facts, code),
        },
    }
}

/// When this API answers with a code.
pub(super) fn when(facts: &Facts, code: ErrorCode, live: &Live) -> Vec<Block> {
    (row(code).when)(facts, code, live)
}

/// A request to this API that gets a code, and the answer as this API would give it.
pub(super) fn example(facts: &Facts, code: ErrorCode, live: &Live) -> Example {
    let example = (row(code).example)(facts, code, live);
    if facts.has_no_endpoint() && !BEFORE_ENDPOINTS.contains(&code) {
        return example.not_now("This API has no endpoints: every path gets a 404.");
    }
    example
}
