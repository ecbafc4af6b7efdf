//! A request head: parsed, checked against RFC 9112 more strictly than it asks for, and owned.

mod remains;

use super::{
    Fault, MOST_FIELDS, Span,
    body::Framing,
    field::{self, Field, RequestField},
    host, locate,
    locate::quoted,
    path, query,
    reading::Reading,
    target::{self, Scheme},
};
use crate::settings::Treatment;
use contract::ErrorCode;
use std::mem::MaybeUninit;

/// Characters that a method may have. The longest that is registered has 17.
const LONGEST_METHOD: usize = 32;

/// Memory that what was understood of a head is written into, lent from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) fields: Vec<Field<RequestField>>,
    pub(crate) text: String,
}

/// A request head that was understood. It owns the bytes it was read from.
#[derive(Debug, Default)]
pub(crate) struct RequestHead {
    bytes: Vec<u8>,
    /// Bytes of the head; behind them may stand more.
    length: usize,
    fields: Vec<Field<RequestField>>,
    /// Method, path, query and host, one behind the other: path and query as they are matched and sent on. Text, so that it
    /// is looked at once whether it is.
    text: String,
    /// Where each of the first three ends in the text.
    method_end: usize,
    path_end: usize,
    query_end: usize,
    has_query: bool,
    /// Of an absolute target, or of a stream.
    scheme: Option<Scheme>,
    /// Some server could take the path for another one.
    has_other_views: bool,
    /// HTTP/1.1, else HTTP/1.0.
    pub(crate) is_http11: bool,
    /// It came on a stream of HTTP/2, and was made to read like HTTP/1.1.
    pub(crate) is_http2: bool,
    /// How the body is delimited.
    pub(crate) framing: Framing,
    /// Whether the client wants the connection to go on.
    pub(crate) keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// The client takes trailers.
    pub(crate) takes_trailers: bool,
}

impl RequestHead {
    /// Parses the head in the first `length` bytes of `bytes`. `notes` lends its memory.
    ///
    /// # Errors
    /// The fault, and the memory back.
    pub(crate) fn parse(
        mut bytes: Vec<u8>,
        length: usize,
        mut notes: Notes,
        reading: &Reading,
    ) -> Result<Self, (Fault, Vec<u8>, Notes)> {
        notes.fields.clear();
        notes.text.clear();
        let mut head =
            Self { bytes: Vec::new(), length, fields: notes.fields, text: notes.text, ..Self::default() };
        let mut read = head.read(bytes.get(..length).unwrap_or_default(), reading);
        if read.is_err() && take_for_known_version(bytes.get_mut(..length).unwrap_or_default()) {
            let Self { mut fields, mut text, .. } = head;
            fields.clear();
            text.clear();
            head = Self { length, fields, text, ..Self::default() };
            read = head.read(bytes.get(..length).unwrap_or_default(), reading);
        }
        match read {
            Ok(()) => {
                head.bytes = bytes;
                Ok(head)
            }
            Err(fault) => Err((fault, bytes, Notes { fields: head.fields, text: head.text })),
        }
    }

    /// Keeps what the head holds in memory of its own size, and gives that back which it was read into: for a
    /// request that goes on for long.
    pub(crate) fn shrink(&mut self) -> Vec<u8> {
        let own = self.bytes.get(..self.length).unwrap_or_default().to_vec();
        std::mem::replace(&mut self.bytes, own)
    }

    /// Gives the memory back for the next head.
    pub(crate) fn into_memory(self) -> (Vec<u8>, Notes) {
        (self.bytes, Notes { fields: self.fields, text: self.text })
    }

    fn read(&mut self, bytes: &[u8], reading: &Reading) -> Result<(), Fault> {
        let mut storage = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(bytes, &mut storage) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Ok(httparse::Status::Complete(_) | httparse::Status::Partial) => {
                return Err(Fault::malformed("The head of the request is incomplete."));
            }
            Err(error) => return Err(refusal(error, bytes)),
        }
        let method = parsed.method.unwrap_or_default();
        check_method(method)?;
        self.text.push_str(method);
        self.method_end = self.text.len();
        self.is_http11 = parsed.version == Some(1);
        let authority = self.read_target(method, parsed.path.unwrap_or_default(), reading)?;
        for header in parsed.headers.iter() {
            let name = header.name.as_bytes();
            if let Some(kind) = kind(name, reading)? {
                let (name, value) = (Span::of(name, bytes), Span::of(header.value, bytes));
                self.fields.push(Field { name, value, kind });
            }
        }
        self.check(bytes, authority, reading)
    }

    /// Writes path and query down. The host of an absolute target.
    fn read_target<'t>(
        &mut self,
        method: &str,
        target: &'t str,
        reading: &Reading,
    ) -> Result<Option<&'t str>, Fault> {
        let target = target::read(method, target)?;
        if target.path == "*" {
            self.text.push('*');
        } else {
            let normal = path::normal(target.path, reading.slashes)?;
            self.text.push_str(normal.text.as_deref().unwrap_or(target.path));
            self.has_other_views = normal.has_other_views;
        }
        self.path_end = self.text.len();
        if let Some(query) = target.query {
            self.text.push_str(query::normal(query)?.as_deref().unwrap_or(query));
            self.has_query = true;
        }
        self.query_end = self.text.len();
        self.scheme = target.absolute.map(|(scheme, _)| scheme);
        Ok(target.absolute.map(|(_, authority)| authority))
    }

    /// What single fields mean for the message as a whole.
    #[allow(clippy::too_many_lines, reason = "a table, one row a kind of field")]
    fn check(&mut self, bytes: &[u8], authority: Option<&str>, reading: &Reading) -> Result<(), Fault> {
        let mut host = None;
        let mut length = None;
        let mut chunked = None;
        let (mut content_type, mut authorization, mut expect) = (None, None, None);
        let (mut close, mut keep_alive, mut nominates) = (false, false, false);
        let mut seen = 0u32;
        for field in &self.fields {
            let value = field.value.get(bytes);
            match field.kind {
                RequestField::Host => single(&mut host, value, "The request has two Host headers.")?,
                RequestField::ContentLength => {
                    single(&mut length, value, "The request has two Content-Length headers.")?
                }
                RequestField::TransferEncoding => {
                    single(&mut chunked, value, "The request has two Transfer-Encoding headers.")?;
                }
                RequestField::ContentType => {
                    // The body would be checked as one of the two, and perhaps read as the other.
                    single(&mut content_type, value, "The request has two Content-Type headers.")?;
                }
                RequestField::Connection => {
                    for option in field::list(value) {
                        check_option(option, &reading.keys)?;
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                        nominates = true;
                    }
                }
                RequestField::Authorization => {
                    // Which of the two is the credential? The upstream may think otherwise.
                    if authorization.replace(value).is_some() {
                        return Err(Fault::new(
                            ErrorCode::KeyFormatIncorrect,
                            "The header Authorization was sent twice; send one API key.",
                        ));
                    }
                }
                RequestField::Single(bit) => {
                    let bit = 1u32.checked_shl(bit.into()).unwrap_or_default();
                    if seen & bit != 0 {
                        return Err(Fault::at(format!(
                            "The header {} was sent twice; it may be sent once.",
                            quoted(field.name.get(bytes))
                        )));
                    }
                    seen |= bit;
                }
                RequestField::Expect => {
                    single(&mut expect, value, "The request has two Expect headers.")?;
                    if !value.eq_ignore_ascii_case(b"100-continue") {
                        return Err(Fault::new(
                            ErrorCode::HeaderNotValid,
                            "The only expectation that `Expect` may name is 100-continue.",
                        ));
                    }
                    // RFC 9110 section 10.1.1: of HTTP/1.0 clients it is ignored.
                    self.expects_continue = self.is_http11;
                }
                RequestField::Te => {
                    self.takes_trailers |=
                        field::list(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
                }
                RequestField::EndToEnd
                | RequestField::HopByHop
                | RequestField::Accept
                | RequestField::Key(_)
                | RequestField::RequestId
                | RequestField::Via
                | RequestField::Forwarded(_)
                | RequestField::ConsumerId
                | RequestField::Override => {}
            }
        }
        let host = self.check_host(host, authority)?;
        self.text.push_str(host);
        self.keep_alive = if self.is_http11 { !close } else { keep_alive && !close };
        self.framing = framing(self.is_http11, length, chunked)?;
        // Without a body there is nothing to wait for (RFC 9110 section 10.1.1).
        self.expects_continue &= self.framing != Framing::Length(0);
        if nominates {
            field::drop_nominated(&mut self.fields, bytes);
        }
        Ok(())
    }

    /// The host that is asked: of an absolute target, else of the header. Empty only in HTTP/1.0.
    fn check_host<'h>(&self, host: Option<&'h [u8]>, authority: Option<&'h str>) -> Result<&'h str, Fault> {
        let Some(host) = host else {
            return if self.is_http11 {
                Err(Fault::malformed("The request has no Host header."))
            } else {
                Ok(authority.unwrap_or_default())
            };
        };
        let text = std::str::from_utf8(host).ok().filter(|_| host::is_host(host)).ok_or_else(|| {
            let quoted = quoted(host);
            Fault::at(format!("The Host header {quoted} is not a host name with an optional port."))
        })?;
        // RFC 9112 section 3.2.2: a client has to send the same; a proxy before us may have looked at the other one.
        match (authority, self.scheme) {
            (Some(authority), Some(scheme))
                if !host::is_same(authority.as_bytes(), host, scheme.default_port()) =>
            {
                Err(Fault::at(format!(
                    "The Host header {} is not the host of the absolute target, {}.",
                    quoted(host),
                    quoted(authority.as_bytes())
                )))
            }
            (authority, _) => Ok(authority.unwrap_or(text)),
        }
    }

    // === what was understood ===

    pub(crate) fn method(&self) -> &str {
        self.text.get(..self.method_end).unwrap_or_default()
    }

    /// The path, beginning with a slash (`*` for OPTIONS), percent-encoded only where it must be.
    pub(crate) fn path(&self) -> &str {
        self.text.get(self.method_end..self.path_end).unwrap_or_default()
    }

    /// What stands behind the question mark.
    pub(crate) fn query(&self) -> Option<&str> {
        self.has_query.then(|| self.text.get(self.path_end..self.query_end).unwrap_or_default())
    }

    /// Whether some server could take the path for another one: `path::other_views` tells which.
    pub(crate) const fn has_other_views(&self) -> bool {
        self.has_other_views
    }

    /// It came on a stream whose `:scheme` is https.
    pub(crate) const fn set_https(&mut self) {
        self.scheme = Some(Scheme::Https);
    }

    /// The scheme of an absolute target, or of a stream.
    pub(crate) const fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// The host with its port, of an absolute target or of the Host header. Empty only in HTTP/1.0.
    pub(crate) fn host(&self) -> &str {
        self.text.get(self.query_end..).unwrap_or_default()
    }

    /// All fields: name, value, kind.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8], RequestField)> {
        self.fields
            .iter()
            .map(|field| (field.name.get(&self.bytes), field.value.get(&self.bytes), field.kind))
    }

    /// The values of the fields of this kind, in their order.
    pub(crate) fn values(&self, kind: RequestField) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.fields.iter().filter(move |field| field.kind == kind).map(|field| field.value.get(&self.bytes))
    }

    /// The value of the first field of this kind.
    pub(crate) fn value(&self, kind: RequestField) -> Option<&[u8]> {
        self.values(kind).next()
    }

    /// The values of the fields with this name, whatever the gateway takes them for.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields()
            .filter(move |(field, _, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value, _)| value)
    }
}

/// Makes HTTP/1.1 of HTTP/1.2 to HTTP/1.9: whoever speaks a later minor version is understood as one who speaks the highest
/// that we know (RFC 9110 section 2.5). False: it is no such version.
fn take_for_known_version(head: &mut [u8]) -> bool {
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

fn single<'v>(place: &mut Option<&'v [u8]>, value: &'v [u8], message: &'static str) -> Result<(), Fault> {
    if place.replace(value).is_some() { Err(Fault::malformed(message)) } else { Ok(()) }
}

/// RFC 9112 section 6, without its leniencies: what two parties could read in two ways is refused.
fn framing(is_http11: bool, length: Option<&[u8]>, coding: Option<&[u8]>) -> Result<Framing, Fault> {
    match (length, coding) {
        (Some(_), Some(_)) => {
            Err(Fault::malformed("The request has both Content-Length and Transfer-Encoding."))
        }
        (None, Some(_)) if !is_http11 => Err(Fault::malformed("HTTP/1.0 has no Transfer-Encoding.")),
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (None, Some(_)) => {
            Err(Fault::malformed("The only transfer coding that a request may have is `chunked`."))
        }
        (Some(digits), None) => content_length(digits)
            .map(Framing::Length)
            .ok_or(Fault::malformed("The Content-Length is not a number.")),
        (None, None) => Ok(Framing::Length(0)),
    }
}

/// A Content-Length: digits only, no sign, no list.
pub(crate) fn content_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What a field is, None if the upstream does not see it.
fn kind(name: &[u8], reading: &Reading) -> Result<Option<RequestField>, Fault> {
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
        | RequestField::Key(_)
        | RequestField::RequestId
        | RequestField::Via
        | RequestField::Forwarded(_)
        | RequestField::ConsumerId
        | RequestField::Single(_) => return Ok(Some(kind)),
    };
    match treatment {
        Treatment::Pass => Ok(Some(RequestField::EndToEnd)),
        Treatment::Drop => Ok(None),
        Treatment::Refuse if kind == RequestField::Override => Err(Fault::at(format!(
            "The header {} asks for another path or method than the request line; say it there.",
            quoted(name)
        ))),
        Treatment::Refuse => Err(Fault::at(format!(
            "The name of the header {} holds more than letters, digits and hyphens.",
            quoted(name)
        ))),
    }
}

/// Capital letters, digits, hyphens and underscores: all that a method which anybody registered has.
fn check_method(method: &str) -> Result<(), Fault> {
    if method.bytes().any(|b| b.is_ascii_lowercase()) {
        return Err(Fault::at(format!(
            "The method {} is not in capital letters, as methods are written.",
            quoted(method.as_bytes())
        )));
    }
    if method.len() > LONGEST_METHOD
        || !method.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    {
        return Err(Fault::at(format!(
            "The method {} is none: capital letters, digits, `-` and `_`, {LONGEST_METHOD} at most.",
            quoted(method.as_bytes())
        )));
    }
    Ok(())
}

/// One of the names in `Connection`.
fn check_option(option: &[u8], keys: &[String]) -> Result<(), Fault> {
    if !option.iter().all(|&b| locate::is_token(b)) {
        return Err(Fault::at(format!("The Connection header holds {}, which is no name.", quoted(option))));
    }
    if !field::may_be_nominated(option, keys) {
        return Err(Fault::at(format!(
            "The Connection header names {}, which is meant for the API and not for this connection alone.",
            quoted(option)
        )));
    }
    Ok(())
}

/// What a tokeniser's complaint means to the client. httparse's enum may grow, so its last arm is
/// the general sentence: still a refusal.
fn refusal(error: httparse::Error, bytes: &[u8]) -> Fault {
    let general = match error {
        httparse::Error::TooManyHeaders => return Fault::TOO_MANY_FIELDS,
        httparse::Error::Version => "The protocol version is not HTTP/1.1 or HTTP/1.0.",
        httparse::Error::HeaderName => {
            "A header name holds a character that is not allowed there, or a space before its colon."
        }
        httparse::Error::HeaderValue => {
            "A header value holds a control character, or is folded over several lines."
        }
        httparse::Error::Token => "The request line is not `METHOD TARGET HTTP/1.1`.",
        httparse::Error::NewLine => "A line of the head does not end in CR LF.",
        _ => "The bytes that arrived are not an HTTP/1.1 request.",
    };
    locate::fault(bytes).unwrap_or(Fault::malformed(general))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading() -> Reading {
        Reading { keys: vec!["x-api-key".into()], overrides: Treatment::Refuse, ..Reading::default() }
    }

    fn parse(head: &str) -> Result<RequestHead, Fault> {
        let bytes = head.replace('\n', "\r\n").into_bytes();
        let length = bytes.len();
        RequestHead::parse(bytes, length, Notes::default(), &reading()).map_err(|(fault, _, _)| fault)
    }

    #[test]
    fn a_head_is_understood() {
        let head = parse("POST /items?a=1 HTTP/1.1\nHost: a\nX-API-Key: k\nContent-Length: 5\nExpect: 100-continue\nTE: trailers\nConnection: TE, X-Drop\nX-Drop: 1\n\n").unwrap();
        assert_eq!(
            (head.method(), head.path(), head.query(), head.host()),
            ("POST", "/items", Some("a=1"), "a")
        );
        assert_eq!(head.framing, Framing::Length(5));
        assert!(head.is_http11 && head.keep_alive && head.expects_continue && head.takes_trailers);
        assert_eq!(head.value(RequestField::Key(0)), Some(&b"k"[..]));
        assert_eq!(head.value(RequestField::HopByHop), Some(&b"1"[..]));
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        let head = parse("GET http://b.example HTTP/1.1\nHost: b.example:80\n\n").unwrap();
        assert_eq!((head.host(), head.path(), head.query()), ("b.example", "/", None));
        let head = parse("GET http://b.example?q HTTP/1.1\nHost: B.example\n\n").unwrap();
        assert_eq!((head.host(), head.path(), head.query()), ("b.example", "/", Some("q")));
    }

    #[test]
    fn of_a_head_that_is_refused_its_origin_is_kept_if_there_is_one() {
        for (head, origin) in [
            ("GET /a b HTTP/1.1\r\nORIGIN:  https://a.example \r\nX\r\n\r\n", Some("https://a.example")),
            ("GET / HTTP/1.1\r\nX-Origin: https://a.example\r\n\r\n", None),
            ("GET / HTTP/1.1\r\nOrigin: https://a\r\nOrigin: https://b\r\n\r\n", None),
            ("GET / HTTP/1.1\r\nOrigin: a\rb\r\n\r\n", None),
            ("GET / HTTP/1.1\r\nAccept: a/b, c/d;q=0.5\r\nOrigin: https://a\r\n\r\n", Some("https://a")),
            ("Origin: a", None),
        ] {
            let head = RequestHead::of_refused(head.as_bytes());
            assert_eq!(head.named("origin").next(), origin.map(str::as_bytes));
        }
        let head = b"GET / HTTP/1.1\r\nAccept: application/problem+json\r\nX\r\nX-Request-Id: a-1\r\nOrigin: b\r\n\r\n";
        let kept = RequestHead::of_refused(head);
        assert_eq!(kept.value(RequestField::Accept), Some(&b"application/problem+json"[..]));
        assert_eq!(kept.value(RequestField::RequestId), Some(&b"a-1"[..]));
    }

    #[test]
    fn options_of_everything_has_its_star_whatever_else_stands_in_the_head() {
        for head in ["OPTIONS * HTTP/1.0\nX_A: b\nTransfe: chunked\n\n", "OPTIONS * HTTP/1.1\nHost: a\n\n"] {
            let head = parse(head).unwrap();
            assert_eq!((head.method(), head.path(), head.query()), ("OPTIONS", "*", None));
        }
    }

    #[test]
    fn headers_with_odd_names_are_treated_as_it_is_set() {
        let head = "GET / HTTP/1.1\nHost: a\nX_Forwarded_For: 1\nX_Odd: 4\napi_version: 2\nX-Kept: 3\n\n";
        let bytes = head.replace('\n', "\r\n").into_bytes();
        for (odd_names, names) in [
            (Treatment::Drop, Some("Host api_version X-Kept")),
            // A spelling of a field that the gateway speaks for never passes.
            (Treatment::Pass, Some("Host X_Odd api_version X-Kept")),
            (Treatment::Refuse, None),
        ] {
            let reading = Reading { odd_names, asked_for: vec!["api_version".into()], ..Reading::default() };
            let head = RequestHead::parse(bytes.clone(), bytes.len(), Notes::default(), &reading).ok();
            let seen = head.map(|head| {
                let names = head.fields().map(|(name, _, _)| String::from_utf8_lossy(name).into_owned());
                names.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(seen.as_deref(), names, "{odd_names:?}");
        }
    }

    #[test]
    fn nothing_of_another_message_stands_in_the_memory_that_is_lent() {
        let other = parse("POST / HTTP/1.1\nHost: other\nContent-Length: 5\n\n").unwrap();
        let (_, memory) = other.into_memory();
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
        let length = bytes.len();
        let head = RequestHead::parse(bytes, length, memory, &reading()).map_err(|_| ()).unwrap();
        assert_eq!((head.fields().count(), head.framing, head.host()), (1, Framing::Length(0), "a"));
    }

    #[test]
    fn connections_go_on_as_the_version_has_it() {
        for (head, keep_alive) in [
            ("GET / HTTP/1.1\nHost: a\n\n", true),
            ("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", false),
            ("GET / HTTP/1.0\n\n", false),
            ("GET / HTTP/1.0\nConnection: keep-alive\n\n", true),
            ("GET / HTTP/1.0\nConnection: keep-alive, close\n\n", false),
        ] {
            assert_eq!(parse(head).unwrap().keep_alive, keep_alive, "{head}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for head in [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\nHost: a\nHost: a\n\n",
            "GET / HTTP/1.1\nHost: a b\n\n",
            "GET / HTTP/1.1\nHost:\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 1\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: +1\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 1, 1\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\n",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n",
            "POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n",
            "GeT / HTTP/1.1\nHost: a\n\n",
            "GET  / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/2.0\nHost: a\n\n",
            "GET / HTTP/1.1\nHost : a\n\n",
            "GET / HTTP/1.1\nHost: a\n folded: b\n\n",
            "GET / HTTP/1.1\nHost: a\nA\n\n",
            "GET / HTTP/1.1\nHost: a\nA: \u{1}\n\n",
            "CONNECT a:80 HTTP/1.1\nHost: a:80\n\n",
            "GET http://b/ HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\nHost: a\nIf-Match: 1\nIf-Match: 2\n\n",
            "GET / HTTP/1.1\nHost: a\nConnection: X-API-Key\n\n",
            "GET / HTTP/1.1\nHost: a\nConnection: a b\n\n",
            "GET / HTTP/1.1\nHost: a\nX-HTTP-Method-Override: DELETE\n\n",
            "G!T / HTTP/1.1\nHost: a\n\n",
        ] {
            let fault = parse(head).map(|_| ()).unwrap_err();
            assert_eq!(fault.code, ErrorCode::RequestMalformed, "{head}");
        }
        let many = format!("GET / HTTP/1.1\nHost: a\n{}\n", "A: b\n".repeat(MOST_FIELDS));
        assert_eq!(parse(&many).map(|_| ()).unwrap_err().code, ErrorCode::HeadersTooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes: Vec<u8>) {
            let length = bytes.len();
            let _ = RequestHead::parse(bytes, length, Notes::default(), &reading());
        }

        #[test]
        fn any_head_of_text_is_parsed_without_panic(head in "(GET|POST) [ -~]{0,40} HTTP/1.[01]\n([A-Za-z-]{1,12}: [ -~]{0,20}\n){0,6}\n") {
            let _ = parse(&head);
        }
    }
}
