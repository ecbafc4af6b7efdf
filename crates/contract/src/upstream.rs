//! The mapping of upstream statuses: one row for each status.

use crate::{
    registry::ErrorCode,
    status::{ExtraStatus, Status},
};

/// How an upstream's response is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The response is passed on unchanged, and is charged.
    Pass,
    /// The response is replaced by the error specification with this code, and is free.
    Replace(ErrorCode),
}

/// How an upstream's final status is treated. `extra` are the statuses added with `extra_codes`.
///
/// The last arm is the bottom of the closed table: an unlisted status fails closed as
/// `UNEXPECTED_ERROR`. `tests::every_status_number_is_decided` tests all numbers.
pub fn disposition(status: u16, extra: &[ExtraStatus]) -> Disposition {
    if let Some(added) = ExtraStatus::from_number(status).filter(|added| extra.contains(added)) {
        return Disposition::Replace(ErrorCode::of_extra(added));
    }
    Disposition::Replace(match status {
        200..=299 | 300 | 302..=308 => return Disposition::Pass,
        301 => ErrorCode::EndpointMoved,
        // The gateway has already accepted the key: the permission is missing.
        401 | 403 => ErrorCode::PermissionDenied,
        404 | 410 => ErrorCode::ResourceNotFound,
        405 => ErrorCode::MethodNotAvailable,
        406 | 417 => ErrorCode::HeaderNotValid,
        408 => ErrorCode::RequestTimeout,
        409 | 412 | 422 | 428 => ErrorCode::Unprocessable,
        411 => ErrorCode::HeaderMissing,
        413 => ErrorCode::BodyTooLarge,
        414 | 431 => ErrorCode::HeadersTooLarge,
        415 => ErrorCode::MediaTypeNotSupported,
        // The upstream limits the gateway, not this client.
        429 | 503 => ErrorCode::Unavailable,
        400..=499 => ErrorCode::RequestMalformed,
        _ => ErrorCode::UnexpectedError,
    })
}

/// The message for the client if the upstream sent none that is useful to a person.
///
/// The texts of the registry are about what the gateway detects; some of them would be misleading here.
pub const fn default_message(status: u16, code: ErrorCode) -> &'static str {
    match (code, status) {
        (ErrorCode::RequestMalformed, _) => {
            "The API could not process this request and gave no reason. Check its parameters, headers and body against the API documentation."
        }
        (ErrorCode::Unprocessable, 412 | 428) => {
            "The API requires a condition, such as `If-Match`, that this request does not meet. Fetch the resource again, and repeat the request with its current version."
        }
        (ErrorCode::Unprocessable, _) => {
            "The API understood this request but could not process it and gave no reason. Check its values against the API documentation and the current state of the resource."
        }
        (ErrorCode::HeaderMissing, _) => "The API requires a `Content-Length` header on this request.",
        (ErrorCode::HeaderNotValid, 417) => "The API does not support the `Expect` header of this request.",
        (ErrorCode::HeaderNotValid, _) => {
            "The API has no representation that the `Accept` headers of this request allow. Accept a media type that the \
             API offers."
        }
        (ErrorCode::MethodNotAvailable, _) => {
            "The resource does not support this method. The `Allow` header names the methods that it supports, if the API \
             sends one."
        }
        (ErrorCode::MediaTypeNotSupported, _) => {
            "The API does not support the media type of this body. Send one that its documentation names, with a matching \
             `Content-Type`."
        }
        (code, _) => code.explanation(),
    }
}

/// Whether the human-readable message of an upstream's error may be sent to the client.
///
/// A 500 may contain a stack trace, a host name or a query: its message stays in the incident.
pub const fn may_keep_message(status: Status) -> bool {
    match status {
        Status::Unexpected => false,
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::LimitExceeded
        | Status::Unavailable
        | Status::Extra(_) => true,
    }
}

/// The headers, in lower case, of a replaced response that the client still gets.
pub fn survives_replacement(header: &[u8]) -> bool {
    const KEPT: [&str; 5] = ["retry-after", "www-authenticate", "allow", "link", "vary"];
    const CORS: &[u8] = b"access-control-";
    KEPT.iter().any(|kept| header.eq_ignore_ascii_case(kept.as_bytes()))
        || header.get(..CORS.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Statuses;

    #[test]
    fn every_status_number_is_decided_and_stays_in_the_table() {
        for status in 0..=u16::MAX {
            match disposition(status, &[]) {
                Disposition::Pass => assert!((200..400).contains(&status) && status != 301, "{status}"),
                Disposition::Replace(code) => {
                    let sent = code.status().on_the_wire(Statuses::Fairgate);
                    assert!([301, 400, 401, 404, 422, 500, 503].contains(&sent), "{status} became {sent}");
                }
            }
        }
    }

    #[test]
    fn successes_and_redirects_but_301_pass() {
        for status in (200..=308).filter(|status| *status != 301) {
            assert_eq!(disposition(status, &[]), Disposition::Pass, "{status}");
        }
    }

    #[test]
    fn the_message_of_an_unexpected_error_is_kept_from_the_client() {
        for code in ErrorCode::ALL {
            assert_eq!(
                may_keep_message(code.status()),
                code.status() != Status::Unexpected,
                "{}",
                code.name()
            );
        }
    }

    #[test]
    fn the_rows_are_those_of_the_contract() {
        for (status, code) in [
            (301, ErrorCode::EndpointMoved),
            (400, ErrorCode::RequestMalformed),
            (401, ErrorCode::PermissionDenied),
            (402, ErrorCode::RequestMalformed),
            (403, ErrorCode::PermissionDenied),
            (404, ErrorCode::ResourceNotFound),
            (405, ErrorCode::MethodNotAvailable),
            (406, ErrorCode::HeaderNotValid),
            (408, ErrorCode::RequestTimeout),
            (409, ErrorCode::Unprocessable),
            (410, ErrorCode::ResourceNotFound),
            (411, ErrorCode::HeaderMissing),
            (412, ErrorCode::Unprocessable),
            (413, ErrorCode::BodyTooLarge),
            (414, ErrorCode::HeadersTooLarge),
            (415, ErrorCode::MediaTypeNotSupported),
            (417, ErrorCode::HeaderNotValid),
            (418, ErrorCode::RequestMalformed),
            (422, ErrorCode::Unprocessable),
            (428, ErrorCode::Unprocessable),
            (429, ErrorCode::Unavailable),
            (431, ErrorCode::HeadersTooLarge),
            (500, ErrorCode::UnexpectedError),
            (502, ErrorCode::UnexpectedError),
            (503, ErrorCode::Unavailable),
            (504, ErrorCode::UnexpectedError),
            (101, ErrorCode::UnexpectedError),
            (600, ErrorCode::UnexpectedError),
        ] {
            assert_eq!(disposition(status, &[]), Disposition::Replace(code), "{status}");
        }
    }

    #[test]
    fn a_default_message_points_at_nothing_that_is_not_there() {
        for status in 400..=599 {
            let Disposition::Replace(code) = disposition(status, &[]) else { continue };
            let message = default_message(status, code);
            assert!(message.ends_with('.') && message.len() > 15, "{status}: {message}");
            for absent in ["`details`", "the message", "valid HTTP"] {
                assert!(!message.contains(absent), "{status}: {message}");
            }
        }
    }

    #[test]
    fn an_extra_code_is_let_through_only_where_it_was_added() {
        let added = [ExtraStatus::Conflict];
        assert_eq!(disposition(409, &added), Disposition::Replace(ErrorCode::Conflict));
        assert_eq!(disposition(410, &added), Disposition::Replace(ErrorCode::ResourceNotFound));
    }

    #[test]
    fn headers_that_explain_an_error_survive_and_no_others() {
        for kept in
            ["Retry-After", "www-authenticate", "ALLOW", "Link", "Access-Control-Allow-Origin", "vary"]
        {
            assert!(survives_replacement(kept.as_bytes()), "{kept}");
        }
        for dropped in ["Server", "X-Powered-By", "Set-Cookie", "access-control", "Content-Length", ""] {
            assert!(!survives_replacement(dropped.as_bytes()), "{dropped}");
        }
    }
}
