//! The request target: which forms are taken, and which paths are refused before they are matched.

use super::Fault;

/// A target that was understood, as slices of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target<'t> {
    /// The host of an absolute-form target.
    pub(crate) authority: Option<&'t str>,
    /// Begins with a slash; `*` for OPTIONS.
    pub(crate) path: &'t str,
    /// Behind the question mark.
    pub(crate) query: Option<&'t str>,
}

/// Reads a target in origin-form, absolute-form (http and https) or asterisk-form.
pub(crate) fn read<'t>(method: &str, target: &'t str) -> Result<Target<'t>, Fault> {
    if target == "*" {
        return if method == "OPTIONS" {
            Ok(Target { authority: None, path: "*", query: None })
        } else {
            Err(Fault::malformed("The target `*` is only for the method OPTIONS."))
        };
    }
    let (authority, rest) = match target.strip_prefix('/') {
        Some(_) => (None, target),
        None => {
            let (authority, rest) = absolute(target)
                .ok_or(Fault::malformed("The request target is neither a path nor an absolute http URL."))?;
            (Some(authority), rest)
        }
    };
    if rest.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'\\' | b'#')) {
        return Err(Fault::malformed(
            "The request target holds a character that has to be percent-encoded there, such as a backslash or `#`.",
        ));
    }
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    if has_dot_segment(path) {
        return Err(Fault::malformed("The path has a `.` or `..` segment; send the path that is meant."));
    }
    Ok(Target { authority, path, query })
}

/// Authority and the rest of an absolute http or https URL. The rest begins with `/`, or is empty or a query.
fn absolute(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    is_host(authority.as_bytes()).then_some((authority, rest))
}

/// Whether a path has a segment `.` or `..`, plain or in any encoding that an upstream might undo.
/// Such a path could be matched as one endpoint here and served as another there.
fn has_dot_segment(path: &str) -> bool {
    let bytes = path.as_bytes();
    // Nearly every path has neither dots nor encoded ones: one quick look is enough.
    if memchr::memchr2(b'.', b'%', bytes).is_none() {
        return false;
    }
    let mut dots = 0usize;
    let mut others = false;
    let mut rest = bytes;
    loop {
        let (unit, tail) = unit(rest);
        match unit {
            None | Some(b'/' | b'\\') => {
                if !others && (dots == 1 || dots == 2) {
                    return true;
                }
                (dots, others) = (0, false);
            }
            Some(b'.') => dots += 1,
            Some(0 | b'\r' | b'\n') => return true, // encoded control characters: no upstream needs them
            Some(_) => others = true,
        }
        if unit.is_none() {
            return false;
        }
        rest = tail;
    }
}

/// The first byte, decoded if it is percent-encoded, and what follows.
fn unit(bytes: &[u8]) -> (Option<u8>, &[u8]) {
    match bytes {
        [b'%', high, low, tail @ ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => (Some(high * 16 + low), tail),
            (_, _) => (Some(b'%'), bytes.get(1..).unwrap_or_default()),
        },
        [first, tail @ ..] => (Some(*first), tail),
        [] => (None, bytes),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The path with every letter, digit and `-._~` that was percent-encoded written plainly (RFC 3986
/// section 6.2.2.2), so that one resource has one name: routes and permissions are matched on it,
/// and the upstream gets it. None: it is so already.
pub(crate) fn normal(path: &str) -> Option<String> {
    path.contains('%').then(|| {
        let mut normal = Vec::with_capacity(path.len());
        let mut rest = path.as_bytes();
        while let (Some(byte), tail) = unit(rest) {
            let taken = rest.len() - tail.len();
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => normal.push(byte),
                _ => normal.extend(
                    rest.iter()
                        .take(taken)
                        .map(u8::to_ascii_uppercase)
                        .filter(|_| taken == 3)
                        .chain(rest.first().copied().filter(|_| taken == 1)),
                ),
            }
            rest = tail;
        }
        String::from_utf8_lossy(&normal).into_owned()
    })
}

/// Whether these bytes are a host with an optional port (RFC 9110 section 7.2, RFC 3986 section 3.2.2).
pub(crate) fn is_host(host: &[u8]) -> bool {
    let (name, port) = if let Some(literal) = host.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', literal) else { return false };
        let (address, rest) = literal.split_at(end);
        let is_v6 = std::str::from_utf8(address).is_ok_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok());
        match rest.get(1..).unwrap_or_default() {
            _ if !is_v6 => return false,
            [] => (&b"v6"[..], None),
            [b':', port @ ..] => (&b"v6"[..], Some(port)),
            _ => return false,
        }
    } else {
        match memchr::memrchr(b':', host) {
            Some(colon) => {
                let (name, port) = host.split_at(colon);
                (name, port.get(1..))
            }
            None => (host, None),
        }
    };
    let name_is_fine = !name.is_empty()
        && name.iter().all(|&b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'-' | b'.'
                        | b'_'
                        | b'~'
                        | b'%'
                        | b'!'
                        | b'$'
                        | b'&'
                        | b'\''
                        | b'('
                        | b')'
                        | b'*'
                        | b'+'
                        | b';'
                        | b'='
                )
        });
    // A percent sign stands only before two hexadecimal digits.
    let encodes =
        |rest: &[u8]| matches!(rest, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    let percent_is_fine =
        memchr::memchr_iter(b'%', name).all(|at| encodes(name.get(at + 1..).unwrap_or_default()));
    let port_is_fine = port.is_none_or(|port| {
        port.len() <= 5
            && port.iter().all(u8::is_ascii_digit)
            && (port.is_empty() || std::str::from_utf8(port).is_ok_and(|p| p.parse::<u16>().is_ok()))
    });
    name_is_fine && percent_is_fine && port_is_fine
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_of_target_is_read() {
        let path = |path, query| Target { authority: None, path, query };
        assert_eq!(read("GET", "/"), Ok(path("/", None)));
        assert_eq!(read("GET", "/a?b=/../"), Ok(path("/a", Some("b=/../"))));
        assert_eq!(read("OPTIONS", "*"), Ok(path("*", None)));
        let absolute = Target { authority: Some("a.example:80"), path: "/x", query: Some("y") };
        assert_eq!(read("GET", "http://a.example:80/x?y"), Ok(absolute));
        assert_eq!(read("GET", "HTTP://a"), Ok(Target { authority: Some("a"), path: "/", query: None }));
        for refused in [
            "*",
            "a",
            "a:80",
            "ftp://a/",
            "http:///",
            "http://a b/",
            "/a\\b",
            "/a#b",
            "/\u{7f}",
            "http://u@a/",
        ] {
            assert!(read("GET", refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn dot_segments_are_seen_in_every_encoding() {
        for path in [
            "/..",
            "/.",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2E/a",
            "/.%2e",
            "/a%2f..%2fb",
            "/a/..%5cb",
            "/a%00",
            "/%2e",
        ] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in ["/", "/a.b", "/...", "/.well-known/x", "/a..b", "/%41", "/v1.2/%", "/..a", "/a%2"] {
            assert!(!has_dot_segment(path), "{path}");
        }
    }

    #[test]
    fn one_resource_has_one_name() {
        assert_eq!(normal("/items/7"), None);
        assert_eq!(normal("/%69tems/b%65st%2fx%20%zz%").as_deref(), Some("/items/best%2Fx%20%zz%"));
    }

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for host in ["a", "a.example", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a_b.example", "a:"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "a@b", "a:b", "a:99999", "[::1", "[::1]x", "[zz]", "a,b", "a\"", "a%zz",
            "a%4", "a:1:2", "é",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_target_is_judged_without_panic(target in ".*", bytes: Vec<u8>) {
            let _ = read("GET", &target);
            is_host(&bytes);
        }
    }
}
