//! Errors in gRPC: maps the closed table to the sixteen status codes of gRPC.

mod retry_info;

pub use crate::grpc_status::GrpcStatus;
pub use retry_info::{retry_info, status_details};

use crate::{registry::ErrorCode, specification::weight};
use std::fmt::Write;

/// A client that understands only gRPC, so that errors are sent in header fields of a 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// gRPC itself.
    Native,
    /// gRPC-Web, used by browsers.
    Web,
}

impl Client {
    /// The client of a request with this `Content-Type` and this `Accept`. None: not a gRPC client.
    pub fn of(content_type: Option<&[u8]>, accept: Option<&[u8]>) -> Option<Self> {
        let names = |is: fn(&[u8]) -> bool| {
            content_type.is_some_and(is)
                || accept.is_some_and(|accept| {
                    accept.split(|&byte| byte == b',').any(|range| is(range) && weight(range) > 0.0)
                })
        };
        if names(is_grpc) {
            Some(Self::Native)
        } else if names(is_grpc_web) {
            Some(Self::Web)
        } else {
            None
        }
    }

    /// The Content-Type of an error.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Native => "application/grpc",
            Self::Web => "application/grpc-web",
        }
    }
}

/// The status of a response without one: UNKNOWN.
pub const UNKNOWN: u32 = 2;

/// The code that is recorded for an upstream's `grpc-status` other than 0: that of the
/// corresponding HTTP response. The last arm is the bottom of the table: an unknown status is an
/// unexpected error.
pub const fn recorded_as(status: u32) -> ErrorCode {
    match status {
        3 => ErrorCode::RequestMalformed,
        5 => ErrorCode::ResourceNotFound,
        6 | 9 | 10 => ErrorCode::Unprocessable,
        // The gateway has accepted the key already.
        7 | 16 => ErrorCode::PermissionDenied,
        // The upstream's own limits, not this client's.
        8 | 14 => ErrorCode::Unavailable,
        11 => ErrorCode::ParameterNotValid,
        12 => ErrorCode::MethodNotAvailable,
        _ => ErrorCode::UnexpectedError,
    }
}

/// Whether a `Content-Type` or a member of `Accept` is gRPC: `application/grpc` and its subtypes
/// such as `application/grpc+proto`. gRPC-Web is a different protocol.
pub fn is_grpc(media_type: &[u8]) -> bool {
    starts(media_type, b"application/grpc")
}

/// Whether it is gRPC-Web, whose errors look the same in HTTP/1.1.
pub fn is_grpc_web(media_type: &[u8]) -> bool {
    starts(media_type, b"application/grpc-web") || is_grpc_web_text(media_type)
}

/// Whether it is gRPC-Web in base64.
pub fn is_grpc_web_text(media_type: &[u8]) -> bool {
    starts(media_type, b"application/grpc-web-text")
}

/// Whether it is a stream of the Connect protocol: `application/connect+json` and similar.
pub fn is_connect_stream(media_type: &[u8]) -> bool {
    let start = b"application/connect+";
    media_type.trim_ascii_start().get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
}

/// The gRPC status for a code of the Connect protocol.
pub fn of_connect(code: &str) -> Option<u32> {
    Some(match code {
        "canceled" => 1,
        "unknown" => 2,
        "invalid_argument" => 3,
        "deadline_exceeded" => 4,
        "not_found" => 5,
        "already_exists" => 6,
        "permission_denied" => 7,
        "resource_exhausted" => 8,
        "failed_precondition" => 9,
        "aborted" => 10,
        "out_of_range" => 11,
        "unimplemented" => 12,
        "internal" => 13,
        "unavailable" => 14,
        "data_loss" => 15,
        "unauthenticated" => 16,
        _ => return None,
    })
}

fn starts(media_type: &[u8], wanted: &[u8]) -> bool {
    let media_type = media_type.trim_ascii_start();
    media_type.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
        && matches!(media_type.get(wanted.len()), None | Some(b'+' | b';' | b' ' | b','))
}

/// The number in a `grpc-status`. None: it is invalid.
pub fn status(value: &[u8]) -> Option<u32> {
    let value = value.trim_ascii();
    let is_number = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}

/// A text encoded for `grpc-message`: bytes other than printable ASCII, and the percent sign, are
/// percent-encoded.
pub fn message(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..b' ' | 0x7f.. => {
                // Writing into a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            b' '..=b'~' => encoded.push(char::from(byte)),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_status_that_fits_its_row() {
        for code in ErrorCode::ALL {
            let number = code.grpc_status().number();
            let fits: &[u8] = match code.status() {
                Status::Moved => &[12],
                Status::NotValid => &[3, 4, 9, 16],
                Status::NoPermission => &[7],
                Status::KeyRefused => &[16],
                Status::NotFound => &[5, 12],
                Status::Unprocessable => &[3, 9],
                Status::LimitExceeded => &[8],
                Status::Unexpected => &[13],
                Status::Unavailable => &[14],
                Status::Extra(_) => &[3, 5, 7, 9, 10, 11, 12],
            };
            assert!(fits.contains(&number), "{} became {number}", code.name());
            // None of them means success or an unknown status.
            assert!((3..=16).contains(&number));
        }
    }

    #[test]
    fn numbers_and_names_are_those_of_grpc() {
        let of = |code: ErrorCode| (code.grpc_status().number(), code.grpc_status().name());
        let used: BTreeSet<_> = ErrorCode::ALL.into_iter().map(of).collect();
        let registered = [
            (3, "INVALID_ARGUMENT"),
            (4, "DEADLINE_EXCEEDED"),
            (5, "NOT_FOUND"),
            (7, "PERMISSION_DENIED"),
            (8, "RESOURCE_EXHAUSTED"),
            (9, "FAILED_PRECONDITION"),
            (10, "ABORTED"),
            (11, "OUT_OF_RANGE"),
            (12, "UNIMPLEMENTED"),
            (13, "INTERNAL"),
            (14, "UNAVAILABLE"),
            (16, "UNAUTHENTICATED"),
        ];
        assert_eq!(used.into_iter().collect::<Vec<_>>(), registered);
    }

    #[test]
    fn each_client_is_answered_in_its_own_media_type() {
        for client in [Client::Native, Client::Web] {
            assert_eq!(Client::of(Some(client.content_type().as_bytes()), None), Some(client));
        }
    }

    #[test]
    fn statuses_of_an_upstream_are_recorded_as_the_same_answer_of_http() {
        let expected = |status| match status {
            3 => ErrorCode::RequestMalformed,
            5 => ErrorCode::ResourceNotFound,
            6 | 9 | 10 => ErrorCode::Unprocessable,
            7 | 16 => ErrorCode::PermissionDenied,
            8 | 14 => ErrorCode::Unavailable,
            11 => ErrorCode::ParameterNotValid,
            12 => ErrorCode::MethodNotAvailable,
            _ => ErrorCode::UnexpectedError,
        };
        for status in 0..100 {
            assert_eq!(recorded_as(status), expected(status), "{status}");
        }
    }

    #[test]
    fn no_status_of_an_upstream_is_recorded_as_a_denial_of_ours() {
        for status in 1..=20 {
            let row = recorded_as(status).status();
            assert!(!matches!(row, Status::LimitExceeded | Status::KeyRefused | Status::Moved), "{status}");
        }
    }

    #[test]
    fn grpc_is_distinguished_from_grpc_web_and_from_everything_else() {
        for (media_type, grpc, web) in [
            ("application/grpc", true, false),
            ("Application/GRPC+proto", true, false),
            ("application/grpc; charset=utf-8", true, false),
            ("application/grpc-web", false, true),
            ("application/grpc-web+proto", false, true),
            ("application/grpc-web-text", false, true),
            ("application/grpcx", false, false),
            ("application/json", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (is_grpc(media_type.as_bytes()), is_grpc_web(media_type.as_bytes())),
                (grpc, web),
                "{media_type}"
            );
        }
    }

    #[test]
    fn a_client_of_grpc_is_known_by_what_it_sends_or_accepts() {
        for (content_type, accept, client) in [
            (Some("application/grpc"), None, Some(Client::Native)),
            (Some("application/grpc+proto"), Some("application/json"), Some(Client::Native)),
            (None, Some("text/plain, application/grpc"), Some(Client::Native)),
            (Some("application/grpc-web+proto"), Some("*/*"), Some(Client::Web)),
            (Some("application/json"), Some("application/grpc-web-text"), Some(Client::Web)),
            (Some("application/json"), Some("application/problem+json"), None),
            (None, None, None),
        ] {
            let found = Client::of(content_type.map(str::as_bytes), accept.map(str::as_bytes));
            assert_eq!(found, client, "{content_type:?} {accept:?}");
        }
    }

    #[test]
    fn a_status_is_a_number_and_nothing_else() {
        for (value, found) in [
            ("0", Some(0)),
            (" 13 ", Some(13)),
            ("00", Some(0)),
            ("", None),
            ("+0", None),
            ("-0", None),
            ("0x0", None),
            ("0,0", None),
            ("999999999", Some(999_999_999)),
            ("1000000000", None),
            ("99999999999", None),
        ] {
            assert_eq!(status(value.as_bytes()), found, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_message_is_printable_and_round_trips(text in ".*") {
            let encoded = message(&text);
            prop_assert!(encoded.bytes().all(|b| (b' '..=b'~').contains(&b)));
            let mut bytes = Vec::new();
            let mut rest = encoded.as_bytes();
            while let Some((first, behind)) = rest.split_first() {
                if *first == b'%' {
                    let hex = std::str::from_utf8(&behind[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &behind[2..];
                } else {
                    bytes.push(*first);
                    rest = behind;
                }
            }
            prop_assert_eq!(bytes, text.as_bytes());
        }
    }
}
