//! Hosts: the syntax allowed in a `Host` header and an absolute target, and when two hosts are the same.

/// Whether `host` is a host with an optional port.
///
/// RFC 3986 allows more in a name (`!$&'()*+;=` and percent-encoding). No DNS name has such
/// characters, and links, redirects and virtual hosts of the upstream are derived from the host; so
/// they are refused.
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
        // Neither a name nor a port contains a colon, so a second colon is refused wherever the
        // host is split. Hosts are short.
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

/// Letters, digits, hyphens and underscores, with single dots between them and an optional one at the end.
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

/// The bytes allowed in names. A table, because each request has a host.
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

/// Whether two hosts are the same. `default`: the port that may be omitted.
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
    fn valid_and_invalid_hosts_are_distinguished() {
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
    fn a_host_is_the_same_with_and_without_its_default_port() {
        for (one, other) in [("a", "A"), ("a", "a:80"), ("a:", "a"), ("[::1]:80", "[::1]"), ("a:81", "a:81")]
        {
            assert!(is_same(one.as_bytes(), other.as_bytes(), b"80"), "{one} {other}");
        }
        for (one, other) in [("a", "b"), ("a:81", "a"), ("a", "a.")] {
            assert!(!is_same(one.as_bytes(), other.as_bytes(), b"80"), "{one} {other}");
        }
    }
}
