//! The head of an upstream's answer: parsed, and refused if two parties could read it in two ways.

use super::{
    MAX_FIELDS, Span,
    body::Framing,
    field::{self, AnswerField, Field},
    request::content_length,
};

/// Bytes that the head of an answer may have.
pub const LARGEST: usize = 64 * 1024;

/// The head of an answer. Its fields are offsets into the buffer that it was read from.
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// Its status.
    pub status: u16,
    /// Its reason phrase, which may be empty.
    pub reason: Span,
    /// Its fields.
    pub fields: Vec<Field<AnswerField>>,
    /// Bytes of the head, empty line included.
    pub length: usize,
    /// How the body is delimited.
    pub framing: Framing,
    /// The Content-Length that was told, also where there is no body (HEAD, 304).
    pub told_length: Option<u64>,
    /// Whether the upstream wants the connection to go on.
    pub keep_alive: bool,
    /// HTTP/1.1, else HTTP/1.0.
    pub is_http11: bool,
    /// It came by HTTP/2.
    pub is_http2: bool,
    /// It has a `Date`.
    pub has_date: bool,
    /// How its body is compressed for the client.
    pub coding: Coding,
}

/// How a body is compressed for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// It is not, for no client.
    #[default]
    Identity,
    /// It is not, but would be for another client.
    Varies,
    /// By gzip.
    Gzip,
}

/// Why an answer is not understood. Told in the incident, never to the client.
pub type Garbled = &'static str;

impl ResponseHead {
    /// Reads the head at the front of `bytes`; None if it is not complete yet.
    /// `to_head` is true if the request was a HEAD. `fields` lends its memory.
    pub fn read(
        bytes: &[u8],
        to_head: bool,
        mut fields: Vec<Field<AnswerField>>,
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
                kind: field::of_answer(name),
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
                AnswerField::ContentLength => {
                    let length =
                        content_length(value).ok_or("the Content-Length of the response is not a number")?;
                    if self.told_length.is_some_and(|told| told != length) {
                        return Err("the response has two different Content-Lengths");
                    }
                    self.told_length = Some(length);
                }
                AnswerField::TransferEncoding if value.eq_ignore_ascii_case(b"chunked") && !chunked => {
                    chunked = true
                }
                AnswerField::TransferEncoding => {
                    return Err("the response has a Transfer-Encoding other than chunked");
                }
                AnswerField::Connection => {
                    for option in field::list(value) {
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                        nominates = true;
                    }
                }
                AnswerField::EndToEnd => self.has_date |= field.name.get(bytes).eq_ignore_ascii_case(b"date"),
                AnswerField::HopByHop
                | AnswerField::Via
                | AnswerField::Location
                | AnswerField::Cors
                | AnswerField::RetryAfter
                | AnswerField::Limiter
                | AnswerField::GatewayOnly => {}
            }
        }
        if chunked && self.told_length.is_some() {
            return Err("the response has both Content-Length and Transfer-Encoding");
        }
        let without_body = to_head || self.status < 200 || self.status == 204 || self.status == 304;
        self.framing = match self.told_length {
            _ if without_body => Framing::Length(0),
            _ if chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        };
        if self.status == 204 || self.status < 200 {
            self.told_length = None;
        }
        // Below 200 (a protocol switched unasked) and above 599 nobody knows what follows.
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

/// An answer of HTTP/1.2 to HTTP/1.9 as one of HTTP/1.1, which it is understood as (RFC 9110 section 2.5). Each byte stands
/// where it stood. None: it is no such version.
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
    fn the_body_is_delimited_as_the_head_says() {
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
