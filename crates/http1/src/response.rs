//! The head of an upstream's response: parsed, and refused if it is ambiguous.

use super::{
    MAX_FIELDS, Span,
    body::Framing,
    field::{self, Field, ResponseField},
    request::content_length,
};

/// Maximum size of the head of a response.
pub const LARGEST: usize = 64 * 1024;

/// The head of a response. Its fields are offsets into the buffer that it was parsed from.
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The reason phrase, which may be empty.
    pub reason: Span,
    /// The header fields.
    pub fields: Vec<Field<ResponseField>>,
    /// Bytes of the head, including the empty line.
    pub length: usize,
    /// How the body is delimited.
    pub framing: Framing,
    /// The value of Content-Length, also if there is no body (HEAD, 304).
    pub content_length: Option<u64>,
    /// Whether the upstream wants to keep the connection open.
    pub keep_alive: bool,
    /// HTTP/1.1; otherwise HTTP/1.0.
    pub is_http11: bool,
    /// It was received over HTTP/2.
    pub is_http2: bool,
    /// It has a `Date` field.
    pub has_date: bool,
    /// How its body is compressed for the client.
    pub coding: Coding,
}

/// How a body is compressed for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// Not compressed for any client.
    #[default]
    Identity,
    /// Not compressed for this client, but for others.
    Varies,
    /// By gzip.
    Gzip,
}

/// Why a response is invalid. It is recorded in the incident and never sent to the client.
pub type Garbled = &'static str;

impl ResponseHead {
    /// Parses the head at the front of `bytes`; None if it is not complete. `to_head`: the request
    /// method is HEAD. `fields` is reused memory.
    pub fn read(
        bytes: &[u8],
        to_head: bool,
        mut fields: Vec<Field<ResponseField>>,
    ) -> Result<Option<Self>, Garbled> {
        let mut storage = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let length = match config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut storage) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() >= LARGEST => {
                return Err("the response headers are larger than 64 KiB");
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err("the response has more than 100 header fields");
            }
            Err(httparse::Error::Version) => {
                return match as_known_version(bytes) {
                    Some(bytes) => Self::read(&bytes, to_head, fields),
                    None => Err("the response is not HTTP/1.1"),
                };
            }
            Err(_) => return Err("the response is not HTTP/1.1"),
        };
        fields.clear();
        for header in parsed.headers.iter() {
            let name = header.name.as_bytes();
            fields.push(Field {
                name: Span::of(name, bytes),
                value: Span::of(header.value, bytes),
                kind: field::of_response(name),
            });
        }
        let mut head = Self {
            status: parsed.code.unwrap_or_default(),
            reason: Span::of(parsed.reason.unwrap_or_default().as_bytes(), bytes),
            fields,
            length,
            is_http11: parsed.version == Some(1),
            ..Self::default()
        };
        head.check(bytes, to_head)?;
        Ok(Some(head))
    }

    fn check(&mut self, bytes: &[u8], to_head: bool) -> Result<(), Garbled> {
        let mut chunked = false;
        let (mut close, mut keep_alive, mut nominates) = (false, false, false);
        for field in &self.fields {
            let value = field.value.get(bytes);
            match field.kind {
                ResponseField::ContentLength => {
                    let length =
                        content_length(value).ok_or("the Content-Length of the response is not a number")?;
                    if self.content_length.is_some_and(|earlier| earlier != length) {
                        return Err("the response has two different Content-Lengths");
                    }
                    self.content_length = Some(length);
                }
                ResponseField::TransferEncoding if value.eq_ignore_ascii_case(b"chunked") && !chunked => {
                    chunked = true
                }
                ResponseField::TransferEncoding => {
                    return Err("the response has a Transfer-Encoding other than chunked");
                }
                ResponseField::Connection => {
                    for option in field::list(value) {
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                        nominates = true;
                    }
                }
                ResponseField::EndToEnd => {
                    self.has_date |= field.name.get(bytes).eq_ignore_ascii_case(b"date")
                }
                ResponseField::HopByHop
                | ResponseField::Via
                | ResponseField::Location
                | ResponseField::Cors
                | ResponseField::RetryAfter
                | ResponseField::Limiter
                | ResponseField::GatewayOnly => {}
            }
        }
        if chunked && self.content_length.is_some() {
            return Err("the response has both Content-Length and Transfer-Encoding");
        }
        let without_body = to_head || self.status < 200 || self.status == 204 || self.status == 304;
        self.framing = match self.content_length {
            _ if without_body => Framing::Length(0),
            _ if chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        };
        if self.status == 204 || self.status < 200 {
            self.content_length = None;
        }
        // What follows is undefined below 200 (an unrequested protocol switch) and above 599.
        let is_final = (200..600).contains(&self.status);
        self.keep_alive = is_final
            && self.framing != Framing::UntilClose
            && if self.is_http11 { !close } else { keep_alive && !close };
        if nominates {
            field::drop_nominated(&mut self.fields, bytes);
        }
        Ok(())
    }
}

/// A response with version HTTP/1.2 to HTTP/1.9 as HTTP/1.1 (RFC 9110 section 2.5). All offsets
/// stay the same. None: another version.
fn as_known_version(bytes: &[u8]) -> Option<Vec<u8>> {
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9', b' ', ..] = bytes else { return None };
    let mut bytes = bytes.to_vec();
    *bytes.get_mut(7)? = b'1';
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(head: &str, to_head: bool) -> Result<Option<ResponseHead>, Garbled> {
        ResponseHead::read(head.replace('\n', "\r\n").as_bytes(), to_head, Vec::new())
    }

    #[test]
    fn the_body_is_delimited_by_the_head() {
        for (head, to_head, framing, keep_alive) in [
            ("HTTP/1.1 200 OK\nContent-Length: 5\n\n", false, Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5\n\n", false, Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\n\n", true, Framing::Length(0), true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n", false, Framing::Chunked, true),
            ("HTTP/1.1 200 OK\n\n", false, Framing::UntilClose, false),
            ("HTTP/1.0 200 OK\nContent-Length: 5\n\n", false, Framing::Length(5), false),
            ("HTTP/1.2 200 OK\nContent-Length: 5\n\n", false, Framing::Length(5), true),
            (
                "HTTP/1.0 200 OK\nContent-Length: 5\nConnection: keep-alive\n\n",
                false,
                Framing::Length(5),
                true,
            ),
            ("HTTP/1.1 204 No Content\nContent-Length: 5\n\n", false, Framing::Length(0), true),
            ("HTTP/1.1 304 Not Modified\nContent-Length: 5\n\n", false, Framing::Length(0), true),
            ("HTTP/1.1 101 Switching Protocols\n\n", false, Framing::Length(0), false),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nConnection: close\n\n", false, Framing::Length(5), false),
        ] {
            let read = read(head, to_head).unwrap().unwrap();
            assert_eq!((read.framing, read.keep_alive), (framing, keep_alive), "{head}");
        }
    }

    #[test]
    fn a_garbled_head_is_refused_and_a_cut_one_waited_for() {
        for head in [
            "nonsense\n\n",
            "HTTP/1.1 20 OK\n\n",
            "HTTP/1.1 200 OK\nA b\n\n",
            "HTTP/1.1 200 OK\nContent-Length: x\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
            "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n",
            "HTTP/1.1 200 OK\nA: \u{0}\n\n",
            "HTTP/1.1 200 OK\nA: b\n folded\n\n",
            "HTTP/2 200\n\n",
            "HTTP/2.0 200 OK\n\n",
            "HTTP/1.10 200 OK\n\n",
        ] {
            assert!(read(head, false).is_err(), "{head}");
        }
        assert!(read("HTTP/1.1 200 OK\nA: b\n", false).unwrap().is_none());
        assert!(read(&format!("HTTP/1.1 200 OK\nA: {}", "b".repeat(LARGEST)), false).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = ResponseHead::read(&bytes, false, Vec::new());
        }
    }
}
