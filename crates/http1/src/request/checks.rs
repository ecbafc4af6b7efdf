//! Checks of single parts of a head: the version, the framing, a method, a field.

use super::super::{
    Fault,
    body::Framing,
    field::{self, RequestField},
    locate,
    locate::quoted,
    reading::Reading,
};
use crate::reading::Treatment;
use contract::ErrorCode;

/// Maximum length of a method. The longest registered one has 17 characters.
const LONGEST_METHOD: usize = 32;

/// Turns HTTP/1.2 to HTTP/1.9 into HTTP/1.1: a message with a higher minor version is processed as
/// the highest supported version (RFC 9110 section 2.5). False: another version.
pub(super) fn take_for_known_version(head: &mut [u8]) -> bool {
    let line_end = memchr::memchr(b'\r', head).unwrap_or(head.len());
    let line = head.get_mut(..line_end).unwrap_or_default();
    match line {
        [before @ .., minor @ b'2'..=b'9'] if before.ends_with(b" HTTP/1.") => {
            *minor = b'1';
            true
        }
        _ => false,
    }
}

pub(super) fn single<'v>(
    place: &mut Option<&'v [u8]>,
    value: &'v [u8],
    message: &'static str,
) -> Result<(), Fault> {
    if place.replace(value).is_some() { Err(Fault::malformed(message)) } else { Ok(()) }
}

/// RFC 9112 section 6 without its leniency: what two recipients could interpret differently is refused.
pub(super) fn framing(
    is_http11: bool,
    length: Option<&[u8]>,
    coding: Option<&[u8]>,
) -> Result<Framing, Fault> {
    match (length, coding) {
        (Some(_), Some(_)) => {
            Err(Fault::malformed("The request has both Content-Length and Transfer-Encoding."))
        }
        (None, Some(_)) if !is_http11 => {
            Err(Fault::malformed("HTTP/1.0 does not support Transfer-Encoding."))
        }
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (None, Some(_)) => {
            Err(Fault::malformed("The only supported transfer coding of a request is `chunked`."))
        }
        (Some(digits), None) => match content_length(digits) {
            Some(length) => Ok(Framing::Length(length)),
            None if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => Err(Fault::new(
                ErrorCode::BodyTooLarge,
                "The Content-Length is larger than any body may be. Send a smaller body.",
            )),
            None => Err(Fault::malformed("The Content-Length is not a number.")),
        },
        (None, None) => Ok(Framing::Length(0)),
    }
}

/// A Content-Length: digits only, no sign, no list.
pub fn content_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Classifies a field. One that is dropped is kept as if it were of this connection: nobody forwards it, but a key in
/// it is found.
pub(super) fn kind(name: &[u8], reading: &Reading) -> Result<RequestField, Fault> {
    let kind = field::of_request(name, &reading.keys);
    let treatment = match kind {
        RequestField::EndToEnd if !field::is_plain_name(name) => field::of_odd_name(name, reading),
        RequestField::Override => reading.overrides,
        RequestField::EndToEnd
        | RequestField::HopByHop
        | RequestField::Host
        | RequestField::ContentLength
        | RequestField::TransferEncoding
        | RequestField::Connection
        | RequestField::Te
        | RequestField::Expect
        | RequestField::Accept
        | RequestField::ContentType
        | RequestField::Authorization
        | RequestField::ApiKey
        | RequestField::Key(_)
        | RequestField::RequestId
        | RequestField::Via
        | RequestField::Forwarded(_)
        | RequestField::ConsumerId
        | RequestField::Single(_) => return Ok(kind),
    };
    match treatment {
        Treatment::Pass => Ok(RequestField::EndToEnd),
        Treatment::Drop => Ok(RequestField::HopByHop),
        Treatment::Refuse if kind == RequestField::Override => Err(Fault::at(format!(
            "The header {} overrides the method or path of the request line; change the request line instead.",
            quoted(name)
        ))),
        Treatment::Refuse => Err(Fault::at(format!(
            "The header name {} may contain only letters, digits and hyphens.",
            quoted(name)
        ))),
    }
}

/// Upper-case letters, digits, hyphens and underscores: all that registered methods use.
pub(super) fn check_method(method: &str) -> Result<(), Fault> {
    if method.bytes().any(|b| b.is_ascii_lowercase()) {
        return Err(Fault::at(format!(
            "The method {} is not in upper case; method names are case-sensitive.",
            quoted(method.as_bytes())
        )));
    }
    if method.len() > LONGEST_METHOD
        || !method.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    {
        return Err(Fault::at(format!(
            "Invalid method {}: use upper-case letters, digits, `-` and `_`, at most {LONGEST_METHOD} characters.",
            quoted(method.as_bytes())
        )));
    }
    Ok(())
}

/// Checks a connection option.
pub(super) fn check_option(option: &[u8], keys: &[String]) -> Result<(), Fault> {
    if !option.iter().all(|&b| locate::is_token(b)) {
        return Err(Fault::at(format!(
            "The Connection header contains {}, which is not a valid connection option.",
            quoted(option)
        )));
    }
    if !field::may_be_nominated(option, keys) {
        return Err(Fault::at(format!(
            "The Connection header lists {}, which is an end-to-end header and not an option of this connection.",
            quoted(option)
        )));
    }
    Ok(())
}

/// The error message for a tokenizer error. httparse's enum is non-exhaustive, so the last arm has
/// a general message; it is still a refusal.
pub(super) fn refusal(error: httparse::Error, bytes: &[u8]) -> Fault {
    let general = match error {
        httparse::Error::TooManyHeaders => return Fault::TOO_MANY_FIELDS,
        httparse::Error::Version => "The protocol version is not HTTP/1.1 or HTTP/1.0.",
        httparse::Error::HeaderName => {
            "A header name contains a character that is not allowed, or a space before its colon."
        }
        httparse::Error::HeaderValue => {
            "A header value contains a control character, or is folded over several lines."
        }
        httparse::Error::Token => "The request line is not `METHOD TARGET HTTP/1.1`.",
        httparse::Error::NewLine => "A line of the request headers does not end in CR LF.",
        _ => "The bytes received are not an HTTP/1.1 request.",
    };
    locate::fault(bytes).unwrap_or(Fault::malformed(general))
}
