//! A request head: parsed, checked more strictly than RFC 9112 requires, and owned.

mod checks;
mod remains;
#[cfg(test)]
mod tests;

pub use self::checks::content_length;
use self::checks::{check_method, check_option, framing, kind, refusal, single, take_for_known_version};
use super::{
    Fault, MAX_FIELDS, Span,
    body::Framing,
    field::{self, Field, RequestField},
    host,
    locate::quoted,
    path, query,
    reading::Reading,
    target::{self, Scheme},
};
use contract::ErrorCode;
use std::{borrow::Cow, mem::MaybeUninit};

/// Memory for the results of parsing, reused from one request to the next.
#[derive(Debug, Default)]
pub struct Notes {
    /// Its fields.
    pub fields: Vec<Field<RequestField>>,
    /// Method, path, query and host.
    pub text: String,
}

/// A valid request head. It owns the bytes it was parsed from.
#[derive(Debug, Default)]
pub struct RequestHead {
    bytes: Vec<u8>,
    /// Bytes of the head; more bytes may follow it.
    length: usize,
    fields: Vec<Field<RequestField>>,
    /// Method, path, query and host, one after the other, with path and query in normal form. A
    /// String, so that UTF-8 is validated only once.
    text: String,
    /// Where each of the first three ends in `text`.
    method_end: usize,
    path_end: usize,
    query_end: usize,
    has_query: bool,
    /// The scheme of an absolute target, or of an HTTP/2 stream.
    scheme: Option<Scheme>,
    /// Some servers could read the path as another one.
    has_other_views: bool,
    /// HTTP/1.1; otherwise HTTP/1.0.
    pub is_http11: bool,
    /// It was received on an HTTP/2 stream and converted to HTTP/1.1.
    pub is_http2: bool,
    /// How the body is delimited.
    pub framing: Framing,
    /// Whether the client wants to keep the connection open.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The client accepts trailers.
    pub takes_trailers: bool,
}

impl RequestHead {
    /// Parses the head in the first `length` bytes of `bytes`, reusing the memory of `notes`.
    ///
    /// # Errors
    /// The fault, and the memory.
    #[inline] // the head is made where it stays
    pub fn parse(
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

    /// Moves the head to memory of its own size and returns the read buffer: for requests that take long.
    pub fn shrink(&mut self) -> Vec<u8> {
        let own = self.bytes.get(..self.length).unwrap_or_default().to_vec();
        std::mem::replace(&mut self.bytes, own)
    }

    /// Returns the memory for the next head.
    #[inline]
    pub fn into_memory(self) -> (Vec<u8>, Notes) {
        (self.bytes, Notes { fields: self.fields, text: self.text })
    }

    fn read(&mut self, bytes: &[u8], reading: &Reading) -> Result<(), Fault> {
        let mut storage = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(bytes, &mut storage) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Ok(httparse::Status::Complete(_) | httparse::Status::Partial) => {
                return Err(Fault::malformed("The request headers are incomplete."));
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
            let kind = kind(name, reading)?;
            let (name, value) = (Span::of(name, bytes), Span::of(header.value, bytes));
            self.fields.push(Field { name, value, kind });
        }
        self.check(bytes, authority, reading)
    }

    /// Stores path and query. Returns the host of an absolute target.
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

    /// Checks fields that affect the message as a whole.
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
                    // The body could be validated as one type and read as the other.
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
                    // It would be ambiguous which one is the credential; the upstream may choose the other.
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
                            "The header {} was sent twice; send it once.",
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
                            "The only supported expectation in `Expect` is 100-continue.",
                        ));
                    }
                    // RFC 9110 section 10.1.1: Expect is ignored in HTTP/1.0 requests.
                    self.expects_continue = self.is_http11;
                }
                RequestField::Te => {
                    self.takes_trailers |=
                        field::list(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
                }
                RequestField::EndToEnd
                | RequestField::HopByHop
                | RequestField::Accept
                | RequestField::ApiKey
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

    /// The requested host: of an absolute target, otherwise of the Host header. Empty only in HTTP/1.0.
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
        // RFC 9112 section 3.2.2: both must be the same. A proxy before us may have used the other one.
        match (authority, self.scheme) {
            (Some(authority), Some(scheme))
                if !host::is_same(authority.as_bytes(), host, scheme.default_port()) =>
            {
                Err(Fault::at(format!(
                    "The Host header {} does not match the host of the request target, {}.",
                    quoted(host),
                    quoted(authority.as_bytes())
                )))
            }
            (authority, _) => Ok(authority.unwrap_or(text)),
        }
    }

    // === accessors ===

    /// The method.
    #[inline]
    pub fn method(&self) -> &str {
        self.text.get(..self.method_end).unwrap_or_default()
    }

    /// The path, beginning with a slash (`*` for OPTIONS), percent-encoded only where necessary.
    #[inline]
    pub fn path(&self) -> &str {
        self.text.get(self.method_end..self.path_end).unwrap_or_default()
    }

    /// The query, without the question mark.
    #[inline]
    pub fn query(&self) -> Option<&str> {
        self.has_query.then(|| self.text.get(self.path_end..self.query_end).unwrap_or_default())
    }

    /// Whether some servers could read the path as another one: `path::other_views` lists these.
    #[inline]
    pub const fn has_other_views(&self) -> bool {
        self.has_other_views
    }

    /// Sets the scheme to https, for an HTTP/2 stream.
    #[inline]
    pub const fn set_https(&mut self) {
        self.scheme = Some(Scheme::Https);
    }

    /// The scheme of an absolute target, or of an HTTP/2 stream.
    #[inline]
    pub const fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// The host with its port, of an absolute target or of the Host header. Empty only in HTTP/1.0.
    #[inline]
    pub fn host(&self) -> &str {
        self.text.get(self.query_end..).unwrap_or_default()
    }

    /// All fields: name, value, kind.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8], RequestField)> {
        self.fields
            .iter()
            .map(|field| (field.name.get(&self.bytes), field.value.get(&self.bytes), field.kind))
    }

    /// The values of the fields of this kind, in order.
    #[inline]
    pub fn values(&self, kind: RequestField) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.fields.iter().filter(move |field| field.kind == kind).map(|field| field.value.get(&self.bytes))
    }

    /// The value of the first field of this kind.
    #[inline]
    pub fn value(&self, kind: RequestField) -> Option<&[u8]> {
        self.values(kind).next()
    }

    /// The value of Accept: several lines form one list (RFC 9110 section 5.3).
    pub fn accept(&self) -> Option<Cow<'_, [u8]>> {
        let mut lines = self.values(RequestField::Accept);
        let first = lines.next()?;
        let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
        let all: Vec<&[u8]> = [first, second].into_iter().chain(lines).collect();
        Some(Cow::Owned(all.join(&b", "[..])))
    }

    /// The values of the fields with this name, whatever their kind.
    #[inline]
    pub fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields()
            .filter(move |(field, _, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value, _)| value)
    }
}
