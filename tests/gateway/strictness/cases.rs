//! The catalogue: requests that known attacks are made of, generated from lists.

mod lists;

use lists::{CHUNKED, CODINGS, FIELDS, HOSTS, LENGTHS, LINES};

/// The expected outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// 400, and the connection is closed.
    Refused,
    /// One request arrives, with this body.
    Taken(&'static [u8]),
    /// One of the two; the rules of `catalogue` apply either way.
    Either,
}

#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub method: &'static str,
    pub bytes: Vec<u8>,
    pub wanted: Wanted,
}

/// A request without a key: if it reaches the upstream, it was smuggled.
pub const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/// All cases. The sender fills in the key for `{}`.
pub fn all(key: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |kind: &str, method: &'static str, bytes: Vec<u8>, wanted: Wanted| {
        let shown = String::from_utf8_lossy(&bytes).chars().take(120).collect::<String>();
        let name = format!("{kind} {}: {shown:?}", cases.len());
        let number = cases.len().to_string();
        let text = replace(&bytes, b"{case}", number.as_bytes());
        let bytes = replace(&text, b"{key}", key.as_bytes());
        cases.push(Case { name, method, bytes, wanted });
    };
    let head = |method: &str, fields: &[u8]| {
        let start = format!("{method} /c HTTP/1.1\r\nHost: x\r\nX-Case: {{case}}\r\nX-API-Key: {{key}}\r\n");
        [start.as_bytes(), fields, b"\r\n\r\n"].concat()
    };

    for (coding, is_fine) in CODINGS {
        for (length, position) in [
            (None, 0),
            (Some(&b"Content-Length: 4"[..]), 0),
            (Some(b"Content-Length: 4"), 1),
            (Some(b"Content-Length: 0"), 0),
        ] {
            let fields = match (length, position) {
                (None, _) => coding.to_vec(),
                (Some(length), 0) => [length, &b"\r\n"[..], *coding].concat(),
                (Some(length), _) => [*coding, &b"\r\n"[..], length].concat(),
            };
            let sized = format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len());
            for body in [format!("0\r\n\r\n{SMUGGLED}"), sized] {
                let wanted = match (is_fine, length) {
                    (Some(true), _) => Wanted::Either,
                    (Some(false), _) | (None, Some(_)) => Wanted::Refused,
                    (None, None) if body.starts_with("0\r\n") => Wanted::Taken(b""),
                    (None, None) => Wanted::Taken(SMUGGLED.as_bytes()),
                };
                case("coding", "POST", [head("POST", &fields), body.into_bytes()].concat(), wanted);
            }
        }
    }
    for (length, is_fine) in LENGTHS {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "GET", "HEAD"] {
            let has_body = !matches!(method, "GET" | "HEAD");
            let wanted = match (is_fine, has_body) {
                (true, true) if !length.ends_with(b"\r\n\r\n\r\n") => Wanted::Taken(b"hello"),
                (true, true) => Wanted::Taken(b"\r\n\r\n\r"),
                (true, false) => Wanted::Either,
                (false, _) => Wanted::Refused,
            };
            case(
                "length",
                method,
                [&head(method, length)[..], b"hello", SMUGGLED.as_bytes()].concat(),
                wanted,
            );
        }
    }
    for (body, taken) in CHUNKED {
        for behind in ["", SMUGGLED] {
            // Truncated, a body is incomplete; with more bytes after it, it is another body.
            let wanted = taken.map_or(Wanted::Refused, Wanted::Taken);
            let head = head("POST", b"Transfer-Encoding: chunked");
            case("chunked", "POST", [&head[..], body, behind.as_bytes()].concat(), wanted);
        }
    }
    for line in LINES {
        for behind in ["", SMUGGLED] {
            let head = b"\r\nHost: x\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n";
            case("line", "GET", [line, &head[..], behind.as_bytes()].concat(), Wanted::Refused);
        }
    }
    for field in FIELDS {
        for behind in ["", SMUGGLED] {
            case("field", "GET", [&head("GET", field)[..], behind.as_bytes()].concat(), Wanted::Refused);
            let first = [
                b"GET /c HTTP/1.1\r\n",
                *field,
                b"\r\nHost: x\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n",
                behind.as_bytes(),
            ];
            case("first field", "GET", first.concat(), Wanted::Refused);
        }
    }
    for host in HOSTS {
        for start in ["GET /c HTTP/1.1", "GET http://x/c HTTP/1.1", "GET /c HTTP/1.0"] {
            let bytes = [
                start.as_bytes(),
                b"\r\nHost: ",
                host,
                b"\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n",
                SMUGGLED.as_bytes(),
            ];
            case("host", "GET", bytes.concat(), Wanted::Refused);
        }
    }
    for (name, bytes) in [
        (
            "chunked in HTTP/1.0",
            "POST /c HTTP/1.0\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("no Host", "GET /c HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n"),
        (
            "a body of GET",
            "GET /c HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a body of TRACE",
            "TRACE /c HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Length: 5\r\n\r\nhello",
        ),
    ] {
        // The framing of these two was understood, so their connection may continue.
        let wanted = if name.starts_with("a body") { Wanted::Either } else { Wanted::Refused };
        case(name, "GET", bytes.as_bytes().to_vec(), wanted);
    }
    for (fields, body) in [
        (&b"X_A: b"[..], &b""[..]),
        (b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings", b""),
        (b"Expect: 100-continue\r\nContent-Length: 5", b"hello"),
        (b"Expect: 100-Continue\r\nContent-Length: 5", b"hello"),
        // No header of that name: there is no body, and the bytes are the next request.
        (b"Content_Length: 5", b""),
        (b"X-Content-Length: 5", b""),
        (b"Connection: keep-alive, X-Own\r\nX-Own: 1", b""),
        (b"TE: trailers, chunked\r\nConnection: TE", b""),
        (b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive", b""),
        (b"X-Obs: caf\xe9", b""),
        (b"X-Tab: a\tb", b""),
    ] {
        let bytes = [&head("POST", fields)[..], body, SMUGGLED.as_bytes()].concat();
        case("taken", "POST", bytes, Wanted::Taken(body));
    }
    cases
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(from.len()).position(|window| window == from) else { return bytes.to_vec() };
    [&bytes[..at], to, &replace(&bytes[at + from.len()..], from, to)].concat()
}
