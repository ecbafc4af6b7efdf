//! Hosts: what may stand in a `Host` header and in an absolute target, and when two of them are the same.

/// Whether these bytes are a host with an optional port.
///
/// RFC 3986 would allow more in a name (`!$&'()*+;=` and escapes). No name in DNS has such a character, and
/// links, redirects and the upstream's own virtual hosts are made of it; so they are refused.
pub(crate) fn is_host(host: &[u8]) -> bool {
    let (name, port) = if host.starts_with(b"[") {
        let Some(end) = memchr::memchr(b']', host) else { return false };
        let (literal, rest) = host.split_at(end + 1);
        let address = literal.get(1..end).unwrap_or_default();
        if !std::str::from_utf8(address).is_ok_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok()) {
            return false;
        }
        match rest {
            [] => return true,
            [b':', port @ ..] => return is_port(port),
            [_, ..] => return false,
        }
    } else {
        // No name has a colon, and no port either: whichever is taken, a second one is refused. Hosts are short.
        match host.iter().position(|&byte| byte == b':') {
            Some(colon) => {
                let (name, port) = host.split_at(colon);
                (name, port.get(1..))
            }
            None => (host, None),
        }
    };
    is_name(name) && port.is_none_or(is_port)
}

/// Letters, digits, hyphens and underscores with single dots between them, and perhaps one at the end.
fn is_name(name: &[u8]) -> bool {
    let mut before = b'.';
    for &byte in name {
        let is_fit = IN_NAMES.get(usize::from(byte)).copied().unwrap_or(false);
        if !is_fit || byte == b'.' && before == b'.' {
            return false;
        }
        before = byte;
    }
    !name.is_empty()
}

/// The bytes that names have. A table, because each request has a host.
static IN_NAMES: [bool; 256] = {
    let mut fit = [false; 256];
    let mut rest: &[u8] = b"-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    while let [byte, behind @ ..] = rest {
        #[allow(clippy::indexing_slicing, reason = "a byte is below 256, and the compiler runs this")]
        {
            fit[*byte as usize] = true;
        }
        rest = behind;
    }
    fit
};

/// A port may be empty (RFC 3986 section 3.2.3).
fn is_port(port: &[u8]) -> bool {
    port.is_empty()
        || port.len() <= 5
            && port.iter().all(u8::is_ascii_digit)
            && std::str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok())
}

/// Whether two hosts are the same one, `default` being the port that need not be written.
pub(crate) fn is_same(one: &[u8], other: &[u8], default: &[u8]) -> bool {
    without(one, default).eq_ignore_ascii_case(without(other, default))
}

fn without<'h>(host: &'h [u8], default: &[u8]) -> &'h [u8] {
    let host = host.strip_suffix(b":").unwrap_or(host);
    host.strip_suffix(default).and_then(|host| host.strip_suffix(b":")).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for host in [
            "a",
            "a.example",
            "a.example.",
            "a:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "[::1]:",
            "a_b.example",
            "a:",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "a@b",
            "a:b",
            "a:99999",
            "[::1",
            "[::1]x",
            "[zz]",
            "[]",
            "a,b",
            "a\"",
            "a%zz",
            "a%4",
            "a%41",
            "a:1:2",
            "é",
            "a..b",
            ".a",
            "..",
            ".",
            "a;b",
            "a'b",
            "a$b",
            "a(b)",
            "*",
            "[::1]:x",
            "[fe80::1%25eth0]",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_host_is_the_same_with_and_without_the_port_that_is_meant() {
        for (one, other) in [("a", "A"), ("a", "a:80"), ("a:", "a"), ("[::1]:80", "[::1]"), ("a:81", "a:81")]
        {
            assert!(is_same(one.as_bytes(), other.as_bytes(), b"80"), "{one} {other}");
        }
        for (one, other) in [("a", "b"), ("a:81", "a"), ("a", "a.")] {
            assert!(!is_same(one.as_bytes(), other.as_bytes(), b"80"), "{one} {other}");
        }
    }
}
