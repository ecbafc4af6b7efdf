//! Heads between their two forms: a list of fields, and the text of HTTP/1.1.

use super::incoming::Body;
use ::http2::{Fields, Request, Response};
use contract::status::reason_phrase;
use std::io::Write;

/// Appends a request's head as HTTP/1.1 has it, and tells how the body behind it is to be framed. What was
/// understood holds no line breaks, and no spaces in what becomes the request line.
pub(crate) fn write_request(fields: &Fields, request: &Request<'_>, ended: bool, out: &mut Vec<u8>) -> Body {
    // A CONNECT names an authority; as a target it is refused like every other.
    let target = request.path.or(request.authority).unwrap_or_default();
    for part in [request.method, b" ", target, b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    if let Some(authority) = request.authority {
        write_line(b"Host", authority, out);
    }
    // HTTP/1.1 has trailers behind chunks alone, so a request that announces some gives up its length.
    let announces_trailers = !ended && fields.iter().any(|(name, _)| name == b"trailer");
    let mut cookie: Option<Vec<u8>> = None;
    for (name, value) in fields.iter() {
        match name {
            [b':', ..] | b"host" => {}
            b"content-length" if announces_trailers => {}
            // RFC 9113 section 8.2.3: crumbs become one header again.
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

/// Appends an answer's head as HTTP/1.1 has it, and tells how the body behind it is to be framed.
pub(crate) fn write_answer(
    fields: &Fields,
    answer: &Response,
    ended: bool,
    is_to_head: bool,
    out: &mut Vec<u8>,
) -> Body {
    let _ = write!(out, "HTTP/1.1 {} {}\r\n", answer.status, reason_phrase(answer.status)); // into a Vec: cannot fail
    for (name, value) in fields.iter().filter(|(name, _)| name.first() != Some(&b':')) {
        write_line(name, value, out);
    }
    let has_no_body = is_to_head || matches!(answer.status, 204 | 304);
    let body = match (ended, answer.content_length) {
        _ if answer.status < 200 => Body::Waiting,
        (true, None) if !has_no_body => {
            // Without a word about it, the body would end with the connection.
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

/// The text of a request's head as HTTP/2 has it: the Host becomes `:authority`.
pub(crate) fn read_request(head: &[u8], scheme: &[u8]) -> Fields {
    let (line, lines) = head.split_at(memchr::memchr(b'\n', head).unwrap_or(0));
    let mut words = line.trim_ascii().split(|&byte| byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut rest = Fields::default();
    read_lines(lines, &mut rest);
    let host = rest.iter().find(|(name, _)| *name == b"host").map(|(_, value)| value).unwrap_or_default();
    let pseudo: [(&[u8], &[u8]); 4] =
        [(b":method", method), (b":scheme", scheme), (b":path", target), (b":authority", host)];
    pseudo.into_iter().chain(rest.iter().filter(|(name, _)| *name != b"host")).collect()
}

/// Appends a line of a head.
pub(crate) fn write_line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The fields of lines that each end in CR LF, as HTTP/2 has them: lower-case names, and nothing that belongs
/// to a connection of HTTP/1.1 (RFC 9113 section 8.2.2). The lines were written by us, or checked when they were read.
pub(crate) fn read_lines(lines: &[u8], fields: &mut Fields) {
    let mut name_memory = Vec::new();
    for line in lines.split(|&byte| byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, rest) = line.split_at(colon);
        let value = rest.get(1..).unwrap_or_default().trim_ascii();
        name_memory.clear();
        name_memory.extend(name.iter().map(u8::to_ascii_lowercase));
        let is_of_connection = matches!(
            name_memory.as_slice(),
            b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade"
        );
        if !is_of_connection {
            fields.push(&name_memory, value);
        }
    }
}
