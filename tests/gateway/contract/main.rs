//! The contract on the wire: one file for each error code, and one for each promise that is not a code.
//!
//! `stage_of` is exhaustive over the registry: a new code does not compile until a file here provokes it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    unreachable_pub,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod endpoint_moved_301;
mod trailing_slash_301;

mod body_malformed_400;
mod body_too_large_400;
mod header_missing_400;
mod header_not_valid_400;
mod headers_too_large_400;
mod https_required_400;
mod key_format_incorrect_400;
mod media_type_not_supported_400;
mod parameter_missing_400;
mod parameter_not_valid_400;
mod request_malformed_400;
mod request_timeout_400;

mod permission_denied_401;

mod key_expired_403;
mod key_not_set_403;
mod key_not_valid_403;
mod key_revoked_403;

mod endpoint_not_found_404;
mod method_not_available_404;
mod resource_not_found_404;

mod body_not_valid_422;
mod unprocessable_422;

mod api_limit_exceeded_429;
mod rate_exceeded_429;
mod too_many_errors_429;

mod unexpected_error_500;

mod maintenance_503;
mod unavailable_503;

mod extra_codes;

mod bodies_and_streams;
mod connections;
mod foreign_limiters;
mod forwarded_headers;
mod hop_by_hop;
mod key_import;
mod keys_in_every_place;
mod limit_headers;
mod malformed;
mod problem_json;
mod reference;
mod request_ids;
mod statuses_rfc9110;
mod success_200;

#[path = "../fairness/errors_are_free.rs"]
mod errors_are_free;

use contract::{ErrorCode, Statuses};
use std::sync::Mutex;
use support::{Stage, get};

/// The setup that provokes a code. No wildcard arm: the compiler demands the case of a new code.
pub(crate) fn stage_of(code: ErrorCode) -> Stage {
    match code {
        ErrorCode::EndpointMoved => endpoint_moved_301::stage(),
        ErrorCode::TrailingSlash => trailing_slash_301::stage(),
        ErrorCode::RequestMalformed => request_malformed_400::stage(),
        ErrorCode::HeadersTooLarge => headers_too_large_400::stage(),
        ErrorCode::BodyTooLarge => body_too_large_400::stage(),
        ErrorCode::RequestTimeout => request_timeout_400::stage(),
        ErrorCode::ParameterMissing => parameter_missing_400::stage(),
        ErrorCode::ParameterNotValid => parameter_not_valid_400::stage(),
        ErrorCode::HeaderMissing => header_missing_400::stage(),
        ErrorCode::HeaderNotValid => header_not_valid_400::stage(),
        ErrorCode::BodyMalformed => body_malformed_400::stage(),
        ErrorCode::MediaTypeNotSupported => media_type_not_supported_400::stage(),
        ErrorCode::KeyFormatIncorrect => key_format_incorrect_400::stage(),
        ErrorCode::HttpsRequired => https_required_400::stage(),
        ErrorCode::PermissionDenied => permission_denied_401::stage(),
        ErrorCode::KeyNotSet => key_not_set_403::stage(),
        ErrorCode::KeyNotValid => key_not_valid_403::stage(),
        ErrorCode::KeyRevoked => key_revoked_403::stage(),
        ErrorCode::KeyExpired => key_expired_403::stage(),
        ErrorCode::EndpointNotFound => endpoint_not_found_404::stage(),
        ErrorCode::MethodNotAvailable => method_not_available_404::stage(),
        ErrorCode::ResourceNotFound => resource_not_found_404::stage(),
        ErrorCode::BodyNotValid => body_not_valid_422::stage(),
        ErrorCode::Unprocessable => unprocessable_422::stage(),
        ErrorCode::ApiLimitExceeded => api_limit_exceeded_429::stage(),
        ErrorCode::RateExceeded => rate_exceeded_429::stage(),
        ErrorCode::TooManyErrors => too_many_errors_429::stage(),
        ErrorCode::UnexpectedError => unexpected_error_500::stage(),
        ErrorCode::Maintenance => maintenance_503::stage(),
        ErrorCode::Unavailable => unavailable_503::stage(),
        ErrorCode::PaymentRequired => extra_codes::stage(402, "PAYMENT_REQUIRED"),
        ErrorCode::MethodNotAllowed => extra_codes::stage(405, "METHOD_NOT_ALLOWED"),
        ErrorCode::NotAcceptable => extra_codes::stage(406, "NOT_ACCEPTABLE"),
        ErrorCode::Conflict => extra_codes::stage(409, "CONFLICT"),
        ErrorCode::Gone => extra_codes::stage(410, "GONE"),
        ErrorCode::PreconditionFailed => extra_codes::stage(412, "PRECONDITION_FAILED"),
        ErrorCode::ContentTooLarge => extra_codes::stage(413, "CONTENT_TOO_LARGE"),
        ErrorCode::UnsupportedMediaType => extra_codes::stage(415, "UNSUPPORTED_MEDIA_TYPE"),
        ErrorCode::RangeNotSatisfiable => extra_codes::stage(416, "RANGE_NOT_SATISFIABLE"),
        ErrorCode::Locked => extra_codes::stage(423, "LOCKED"),
        ErrorCode::FailedDependency => extra_codes::stage(424, "FAILED_DEPENDENCY"),
        ErrorCode::PreconditionRequired => extra_codes::stage(428, "PRECONDITION_REQUIRED"),
        ErrorCode::UnavailableForLegalReasons => extra_codes::stage(451, "UNAVAILABLE_FOR_LEGAL_REASONS"),
    }
}

/// Runs something for every code of the registry on a few threads, and names every code that failed.
pub(crate) fn for_every_code(deed: impl Fn(ErrorCode) + Sync) {
    let rest = Mutex::new(ErrorCode::ALL.to_vec());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(code) = rest.lock().unwrap().pop() else { return };
                    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| deed(code)));
                    if done.is_err() {
                        failed.lock().unwrap().push(code.name());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "these codes failed (the reasons are above): {failed:?}");
}

#[test]
fn every_code_of_the_registry_is_shown_on_the_wire_and_explains_itself() {
    for_every_code(|code| {
        assert!(code.meaning().len() > 15, "{} has no meaning", code.name());
        assert!(code.what_to_do().len() > 15, "{} has no advice", code.name());
        let stage = stage_of(code);
        assert_eq!(stage.expected, (code.status().on_the_wire(Statuses::Fairgate), code.name()));
        let shown = stage.provoke();
        assert_eq!(shown.answer.json()["error"]["code"], code.name());

        let path = format!("/_docs/errors/{}", code.name());
        let page = stage.gateway.send(&get(&path).header("Accept", "text/html"));
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("Content-Type").unwrap().starts_with("text/html"), "{path}: {page:?}");
        assert!(page.text().contains(code.name()) && page.text().contains(code.meaning()), "{path}");
        let page = stage.gateway.send(&get(&path).header("Accept", "application/json"));
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("Content-Type").unwrap().starts_with("application/json"), "{path}: {page:?}");
        let page = page.json().to_string();
        assert!(page.contains(code.name()) && page.contains(code.what_to_do()), "{path}: {page}");
    });
}
