//! Converts heads between lists of fields and the text of HTTP/1.1.

use super::incoming::{Body, write_line};
use contract::status::reason_phrase;
use http1::request::content_length;
use http2::{Fields, Request, Response};
use smallvec::SmallVec;
use std::io::Write;

/// Appends a request's head as HTTP/1.1, and returns the framing of its body. A valid request
/// contains no line breaks, and no spaces in the parts of the request line.
pub fn write_request(fields: &Fields, request: &Request<'_>, ended: bool, out: &mut Vec<u8>) -> Body {
    // CONNECT has an authority instead of a path; as a target it is refused like every other.
    let target = request.path.or(request.authority).unwrap_or_default();
    reserve(fields, out);
    for part in [request.method, b" ", target, b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    if let Some(authority) = request.authority {
        write_line(b"Host", authority, out);
    }
    // HTTP/1.1 has trailers only with chunked bodies, so a request that announces trailers loses
    // its Content-Length.
    let announces_trailers = !ended && fields.iter().any(|(name, _)| name == b"trailer");
    let mut cookie: Option<Vec<u8>> = None;
    for (name, value) in fields.iter() {
        match name {
            [b':', ..] | b"host" => {}
            b"content-length" if announces_trailers => {}
            // RFC 9113 section 8.2.3: cookie crumbs are joined into one header.
            b"cookie" => match &mut cookie {
                None => cookie = Some(value.to_vec()),
                Some(cookie) => {
                    cookie.extend_from_slice(b"; ");
                    cookie.extend_from_slice(value);
                }
            },
            _ => write_line(name, value, out),
        }
    }
    if let Some(cookie) = cookie {
        write_line(b"Cookie", &cookie, out);
    }
    let body = match (ended, request.content_length.filter(|_| !announces_trailers)) {
        (true, _) => Body::None,
        (false, Some(_)) => Body::Plain,
        (false, None) => {
            write_line(b"Transfer-Encoding", b"chunked", out);
            Body::chunked()
        }
    };
    out.extend_from_slice(b"\r\n");
    body
}

/// Appends a response's head as HTTP/1.1, and returns the framing of its body.
pub fn write_answer(
    fields: &Fields,
    answer: &Response,
    ended: bool,
    is_to_head: bool,
    out: &mut Vec<u8>,
) -> Body {
    reserve(fields, out);
    let _ = write!(out, "HTTP/1.1 {} {}\r\n", answer.status, reason_phrase(answer.status)); // writing into a Vec cannot fail
    for (name, value) in fields.iter().filter(|(name, _)| name.first() != Some(&b':')) {
        write_line(name, value, out);
    }
    let has_no_body = is_to_head || matches!(answer.status, 204 | 304);
    let body = match (ended, answer.content_length) {
        _ if answer.status < 200 => Body::Waiting,
        (true, None) if !has_no_body => {
            // Without a Content-Length, the body would end with the connection.
            write_line(b"Content-Length", b"0", out);
            Body::None
        }
        (true, _) => Body::None,
        (false, _) if has_no_body => Body::None,
        (false, Some(_)) => Body::Plain,
        (false, None) => {
            write_line(b"Transfer-Encoding", b"chunked", out);
            Body::chunked()
        }
    };
    out.extend_from_slice(b"\r\n");
    body
}

/// The fields of a request's head for HTTP/2: Host becomes `:authority`.
pub(crate) fn request_list<'t>(head: &'t mut [u8], scheme: &'t [u8], framed: &mut Framed) -> List<'t> {
    let (line, lines) = first_line(head);
    let mut words = line.trim_ascii().split(|&byte| byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let pseudo: [(&[u8], &[u8]); 4] =
        [(b":method", method), (b":scheme", scheme), (b":path", target), (b":authority", b"")];
    let mut list = List::from_slice(&pseudo);
    for (name, value) in fields(lines, framed) {
        match list.get_mut(AUTHORITY) {
            // It is present: the heads that we send have one Host.
            Some(authority) if name == b"host" => authority.1 = value,
            Some(_) | None => list.push((name, value)),
        }
    }
    list
}

/// The fields of a response's head for HTTP/2.
pub(crate) fn answer_list<'t>(head: &'t mut [u8], framed: &mut Framed) -> List<'t> {
    let (line, lines) = first_line(head);
    let status: (&[u8], &[u8]) = (b":status", line.get(9..12).unwrap_or(b"500"));
    std::iter::once(status).chain(fields(lines, framed)).collect()
}

/// The first line of a head, and the rest.
fn first_line(text: &mut [u8]) -> (&[u8], &mut [u8]) {
    let (line, lines) = text.split_at_mut(memchr::memchr(b'\n', text).unwrap_or(0));
    (line, lines.get_mut(1..).unwrap_or_default())
}

/// Reserves capacity for the lines of a head, so that it is not reallocated while it is written.
fn reserve(fields: &Fields, out: &mut Vec<u8>) {
    // The overhead of each line, and some for added fields.
    out.reserve(fields.size() + fields.count() * 4 + 64);
}

/// Name and value of the fields of a head. Few heads have more.
pub(crate) type List<'t> = SmallVec<[(&'t [u8], &'t [u8]); 24]>;

/// How a head of ours frames its body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framed {
    pub(crate) length: Option<u64>,
    /// Otherwise by length: nothing that we write is delimited by the end of the connection.
    pub(crate) in_chunks: bool,
}

/// The position of `:authority` in a request's list.
const AUTHORITY: usize = 3;

/// The fields of lines that each end in CR LF, for HTTP/2: names are converted to lower case in
/// place, and connection-specific fields of HTTP/1.1 are dropped (RFC 9113 section 8.2.2). The
/// lines were written by us, or checked when they were parsed. Once all are iterated, `framed` has
/// the framing of the body.
pub(crate) fn fields<'t>(
    lines: &'t mut [u8],
    framed: &mut Framed,
) -> impl Iterator<Item = (&'t [u8], &'t [u8])> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        loop {
            let end = memchr::memchr(b'\n', rest)?;
            let (line, behind) = std::mem::take(&mut rest).split_at_mut(end + 1);
            rest = behind;
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (name, value) = line.split_at_mut(colon);
            name.make_ascii_lowercase();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            match &*name {
                b"transfer-encoding" => framed.in_chunks |= value == b"chunked",
                b"connection" | b"keep-alive" | b"proxy-connection" | b"upgrade" => {}
                name => {
                    if name == b"content-length" && framed.length.is_none() {
                        framed.length = content_length(value);
                    }
                    return Some((name, value));
                }
            }
        }
    })
}
