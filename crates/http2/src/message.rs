//! Requests, responses and trailers as lists of fields: which of them are malformed (RFC 9113 section 8).

use crate::Fields;

/// Why a message is malformed. The text may be sent to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The field section exceeds the limit. That does not violate the protocol: the request gets an
    /// ordinary response.
    TooLarge,
    /// It violates the protocol.
    Broken(&'static str),
}

/// A valid request head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'f> {
    /// The method: a token.
    pub method: &'f [u8],
    /// The scheme of the target. CONNECT has none.
    pub scheme: Option<&'f [u8]>,
    /// `:authority`, else Host.
    pub authority: Option<&'f [u8]>,
    /// Path and query, without white space and control characters; or `*`. CONNECT has none.
    pub path: Option<&'f [u8]>,
    /// The value of Content-Length, if present.
    pub content_length: Option<u64>,
}

/// A valid response head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// 100 to 599, never 101.
    pub status: u16,
    /// The value of Content-Length, if present.
    pub content_length: Option<u64>,
}

const BROKEN_NAME: Malformed = Malformed::Broken(
    "A header name is empty, or contains an upper-case letter or a character that is not allowed.",
);
const PSEUDO_LATE: Malformed =
    Malformed::Broken("A pseudo-header field appears after a regular header field.");
const PSEUDO_UNKNOWN: Malformed =
    Malformed::Broken("A pseudo-header field is unknown or not allowed in this message.");
const PSEUDO_TWICE: Malformed = Malformed::Broken("A pseudo-header field appears twice.");
const NO_NUMBER: Malformed = Malformed::Broken("The Content-Length is not a number.");

impl<'f> Request<'f> {
    /// Parses the head of a request (section 8.3.1).
    ///
    /// # Errors
    /// It is malformed.
    pub fn of(fields: &'f Fields) -> Result<Self, Malformed> {
        if fields.is_too_large() {
            return Err(Malformed::TooLarge);
        }
        let (mut method, mut scheme, mut authority, mut path) = (None, None, None, None);
        let (mut host, mut content_length) = (None, None);
        let mut is_pseudo = true;
        for (name, value) in fields.iter() {
            if name.first() == Some(&b':') {
                let place = match name {
                    b":method" => &mut method,
                    b":scheme" => &mut scheme,
                    b":authority" => &mut authority,
                    b":path" => &mut path,
                    _ => return Err(PSEUDO_UNKNOWN),
                };
                if !is_pseudo {
                    return Err(PSEUDO_LATE);
                }
                check_value(value)?;
                if place.replace(value).is_some() {
                    return Err(PSEUDO_TWICE);
                }
                continue;
            }
            is_pseudo = false;
            check_field(name, value)?;
            match name {
                b"te" if !value.eq_ignore_ascii_case(b"trailers") => {
                    return Err(Malformed::Broken("The only value of TE allowed in HTTP/2 is `trailers`."));
                }
                b"host" if host.replace(value).is_some() => {
                    return Err(Malformed::Broken("The request has two Host headers."));
                }
                b"content-length" => length(&mut content_length, value)?,
                _ => {}
            }
        }
        let method = method
            .filter(|method| is_token(method))
            .ok_or(Malformed::Broken("`:method` is missing or is not a valid method."))?;
        if method == b"CONNECT" {
            if scheme.is_some() || path.is_some() || authority.is_none() {
                return Err(Malformed::Broken(
                    "CONNECT must have `:authority` and must not have `:scheme` or `:path`.",
                ));
            }
        } else {
            check_target(method, scheme, path)?;
        }
        if let (Some(authority), Some(host)) = (authority, host)
            && !authority.eq_ignore_ascii_case(host)
        {
            return Err(Malformed::Broken("`:authority` and the Host header name different hosts."));
        }
        Ok(Self { method, scheme, authority: authority.or(host), path, content_length })
    }
}

impl Response {
    /// Parses the head of a response (section 8.3.2).
    ///
    /// # Errors
    /// It is malformed.
    pub fn of(fields: &Fields) -> Result<Self, Malformed> {
        if fields.is_too_large() {
            return Err(Malformed::TooLarge);
        }
        let (mut status, mut content_length) = (None, None);
        let mut is_pseudo = true;
        for (name, value) in fields.iter() {
            if name.first() == Some(&b':') {
                match name {
                    _ if !is_pseudo => return Err(PSEUDO_LATE),
                    b":status" if status.is_none() => status = Some(value),
                    b":status" => return Err(PSEUDO_TWICE),
                    _ => return Err(PSEUDO_UNKNOWN),
                }
                continue;
            }
            is_pseudo = false;
            check_field(name, value)?;
            if name == b"content-length" {
                length(&mut content_length, value)?;
            }
        }
        let status = status
            .filter(|digits| digits.len() == 3)
            .and_then(number)
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (100..600).contains(status) && *status != 101);
        let status = status.ok_or(Malformed::Broken("`:status` is missing or is not a status of HTTP/2."))?;
        Ok(Self { status, content_length })
    }
}

/// Checks trailers (section 8.1): ordinary fields, no pseudo-header fields.
///
/// # Errors
/// They are malformed.
pub fn check_trailers(fields: &Fields) -> Result<(), Malformed> {
    if fields.is_too_large() {
        return Err(Malformed::TooLarge);
    }
    for (name, value) in fields.iter() {
        if name.first() == Some(&b':') {
            return Err(Malformed::Broken("A pseudo-header field appears in the trailers."));
        }
        check_field(name, value)?;
    }
    Ok(())
}

fn check_target(method: &[u8], scheme: Option<&[u8]>, path: Option<&[u8]>) -> Result<(), Malformed> {
    let scheme = scheme.ok_or(Malformed::Broken("`:scheme` is missing."))?;
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(Malformed::Broken("`:scheme` is neither http nor https."));
    }
    let path = path.ok_or(Malformed::Broken("`:path` is missing."))?;
    // Text after a space would end up outside the target of an HTTP/1.1 request line.
    let is_clean = all(path, |byte| byte > b' ' && byte != 0x7f);
    let has_form = path.first() == Some(&b'/') || path == b"*" && method == b"OPTIONS";
    if is_clean && has_form {
        Ok(())
    } else {
        Err(Malformed::Broken(
            "`:path` must begin with a slash and must not contain spaces or control characters.",
        ))
    }
}

/// Checks a field that is not a pseudo-header field (sections 8.2.1 and 8.2.2).
fn check_field(name: &[u8], value: &[u8]) -> Result<(), Malformed> {
    if !is_of(name, &NAME) {
        return Err(BROKEN_NAME);
    }
    if matches!(name, b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade")
    {
        return Err(Malformed::Broken(
            "A header belongs to HTTP/1.1's connections: Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding or \
             Upgrade.",
        ));
    }
    check_value(value)
}

fn check_value(value: &[u8]) -> Result<(), Malformed> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_blank(value.first())
        || is_blank(value.last())
        || !all(value, |byte| !matches!(byte, 0 | b'\r' | b'\n'))
    {
        return Err(Malformed::Broken(
            "A header value begins or ends with white space, or contains a line break or a NUL.",
        ));
    }
    Ok(())
}

/// The characters of a token (RFC 9110 section 5.6.2), and those allowed in a name: all but
/// upper-case letters.
const TOKEN: [bool; 256] = characters(true);
const NAME: [bool; 256] = characters(false);

#[allow(clippy::indexing_slicing, reason = "computed when it is compiled: a wrong index does not compile")]
const fn characters(with_upper_case: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let marks = b"!#$%&'*+-.^_`|~";
    let mut place = 0;
    while place < marks.len() {
        table[marks[place] as usize] = true;
        place += 1;
    }
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] |=
            byte.is_ascii_alphanumeric() && (with_upper_case || !byte.is_ascii_uppercase());
        byte += 1;
    }
    table
}

fn is_token(bytes: &[u8]) -> bool {
    is_of(bytes, &TOKEN)
}

/// Whether `bytes` is not empty and has only characters of `table`.
fn is_of(bytes: &[u8], table: &[bool; 256]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| table.get(usize::from(byte)).copied().unwrap_or(false))
}

/// Whether `holds` is true for all bytes. It does not stop at the first failure, so that it is vectorized.
fn all(bytes: &[u8], holds: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |so_far, &byte| so_far & holds(byte))
}

fn length(seen: &mut Option<u64>, value: &[u8]) -> Result<(), Malformed> {
    let length = number(value).ok_or(NO_NUMBER)?;
    if seen.replace(length).is_some() {
        return Err(Malformed::Broken("The message has two Content-Length headers."));
    }
    Ok(())
}

/// Digits only: no sign, no list.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection, prelude::*};

    const GOOD: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

    fn list(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }

    fn with(more: &[(&str, &str)]) -> Fields {
        list(&[&GOOD[..], more].concat())
    }

    #[test]
    fn a_request_is_understood() {
        let fields = with(&[("te", "trailers"), ("content-length", "5"), ("host", "A"), ("cookie", "a=b")]);
        let request = Request::of(&fields).unwrap();
        assert_eq!((request.method, request.path), (&b"GET"[..], Some(&b"/"[..])));
        assert_eq!((request.authority, request.content_length), (Some(&b"a"[..]), Some(5)));
        let host = list(&[GOOD[0], GOOD[1], GOOD[2], ("host", "b")]);
        assert_eq!(Request::of(&host).unwrap().authority, Some(&b"b"[..]));
        assert!(Request::of(&list(&[(":method", "CONNECT"), (":authority", "a:1")])).is_ok());
        assert!(Request::of(&list(&[(":method", "OPTIONS"), GOOD[1], (":path", "*"), GOOD[3]])).is_ok());
    }

    #[test]
    fn a_malformed_request_is_refused_with_its_reason() {
        let cases = [
            with(&[("Upper", "a")]),
            with(&[("", "a")]),
            with(&[("a b", "a")]),
            with(&[("a:", "a")]),
            with(&[("connection", "close")]),
            with(&[("keep-alive", "1")]),
            with(&[("proxy-connection", "close")]),
            with(&[("transfer-encoding", "chunked")]),
            with(&[("upgrade", "websocket")]),
            with(&[("te", "gzip")]),
            with(&[("te", "trailers, deflate")]),
            with(&[("a", " b")]),
            with(&[("a", "b\t")]),
            with(&[("a", "b\r\nc: d")]),
            with(&[("a", "b\0")]),
            with(&[("host", "other")]),
            with(&[("host", "a"), ("host", "a")]),
            with(&[("content-length", "1"), ("content-length", "1")]),
            with(&[("content-length", "+1")]),
            with(&[("content-length", "")]),
            with(&[("a", "b"), (":path", "/")]),
            with(&[(":path", "/")]),
            with(&[(":status", "200")]),
            with(&[(":unknown", "a")]),
            with(&[(":protocol", "websocket")]),
            list(&[GOOD[1], GOOD[2], GOOD[3]]),
            list(&[GOOD[0], GOOD[2], GOOD[3]]),
            list(&[GOOD[0], GOOD[1], GOOD[3]]),
            list(&[GOOD[0], GOOD[1], (":path", ""), GOOD[3]]),
            list(&[GOOD[0], GOOD[1], (":path", "a"), GOOD[3]]),
            list(&[GOOD[0], GOOD[1], (":path", "*"), GOOD[3]]),
            list(&[GOOD[0], GOOD[1], (":path", "/ HTTP/1.1"), GOOD[3]]),
            list(&[GOOD[0], (":scheme", "ftp"), GOOD[2], GOOD[3]]),
            list(&[(":method", "G ET"), GOOD[1], GOOD[2], GOOD[3]]),
            list(&[(":method", "CONNECT"), GOOD[1], GOOD[2], GOOD[3]]),
            list(&[(":method", "CONNECT"), GOOD[1], GOOD[3]]),
            list(&[(":method", "CONNECT"), GOOD[2], GOOD[3]]),
            list(&[(":method", "CONNECT")]),
            list(&[]),
        ];
        for fields in cases {
            assert!(matches!(Request::of(&fields), Err(Malformed::Broken(_))), "{fields:?}");
        }
    }

    #[test]
    fn an_answer_has_a_status_and_nothing_of_http_1() {
        let answer = Response::of(&list(&[(":status", "200"), ("content-length", "3")])).unwrap();
        assert_eq!((answer.status, answer.content_length), (200, Some(3)));
        for fields in [
            list(&[]),
            list(&[(":status", "101")]),
            list(&[(":status", "20")]),
            list(&[(":status", "+20")]),
            list(&[(":status", "600")]),
            list(&[(":status", "200"), (":status", "200")]),
            list(&[(":status", "200"), (":path", "/")]),
            list(&[("a", "b"), (":status", "200")]),
            list(&[(":status", "200"), ("connection", "close")]),
            list(&[(":status", "200"), ("A", "b")]),
        ] {
            assert!(Response::of(&fields).is_err(), "{fields:?}");
        }
        let twice = Response::of(&list(&[(":status", "200"), (":status", "200")]));
        assert_eq!(twice.unwrap_err(), PSEUDO_TWICE);
    }

    #[test]
    fn trailers_are_fields_without_pseudo_header_fields() {
        assert_eq!(check_trailers(&list(&[("grpc-status", "0")])), Ok(()));
        for bad in [(":path", "/"), ("A", "b"), ("connection", "a"), ("a", "b\n")] {
            assert!(check_trailers(&list(&[bad])).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn valid_requests_contain_nothing_that_could_end_a_line(pairs in collection::vec((collection::vec(any::<u8>(), 0..8), collection::vec(any::<u8>(), 0..8)), 0..4), path: Vec<u8>) {
            let mut fields = with(&[]);
            for (name, value) in &pairs {
                fields.push(name, value);
            }
            let mut other = list(&[GOOD[0], GOOD[1], GOOD[3]]);
            other.push(b":path", &path);
            for fields in [fields, other] {
                let is_clean = fields.iter().all(|(n, v)| !n.iter().chain(v).any(|b| matches!(b, b'\r' | b'\n' | 0)));
                prop_assert!(Request::of(&fields).is_err() || is_clean);
            }
        }
    }
}
