//! The request target: which forms are accepted, and for which methods.

use super::{Fault, host, locate::quoted};

/// A parsed target, as slices of it. `path` and `query` check its path and query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'t> {
    /// Scheme and host of an absolute-form target.
    pub absolute: Option<(Scheme, &'t str)>,
    /// Begins with a slash; `*` for OPTIONS.
    pub path: &'t str,
    /// Without the question mark.
    pub query: Option<&'t str>,
}

/// The scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// Its name in URLs.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL may omit.
    pub const fn default_port(self) -> &'static [u8] {
        match self {
            Self::Http => b"80",
            Self::Https => b"443",
        }
    }
}

/// Parses a target in origin-form, absolute-form (http and https) or asterisk-form.
pub fn read<'t>(method: &str, target: &'t str) -> Result<Target<'t>, Fault> {
    if target == "*" {
        return if method == "OPTIONS" {
            Ok(Target { absolute: None, path: target, query: None })
        } else {
            Err(Fault::malformed("The target `*` is only allowed with the method OPTIONS."))
        };
    }
    if method == "CONNECT" {
        return Err(Fault::malformed("CONNECT is not supported: this is an API, not a proxy."));
    }
    let (absolute, rest) = match target.strip_prefix('/') {
        Some(_) => (None, target),
        None => {
            let (scheme, authority, rest) = absolute(target).ok_or_else(|| {
                Fault::at(format!(
                    "The request target {} is neither a path that begins with a slash nor an absolute http URL.",
                    quoted(target.as_bytes())
                ))
            })?;
            (Some((scheme, authority)), rest)
        }
    };
    // Most targets have neither: one search for both.
    let mark = memchr::memchr2(b'#', b'?', rest.as_bytes());
    if mark
        .is_some_and(|mark| memchr::memchr(b'#', rest.as_bytes().get(mark..).unwrap_or_default()).is_some())
    {
        return Err(Fault::malformed(
            "The request target has a fragment (`#`); clients must not send fragments.",
        ));
    }
    let (path, query) = match mark.and_then(|mark| Some((rest.get(..mark)?, rest.get(mark + 1..)?))) {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let path = match (path, query, method) {
        // RFC 9112 section 3.2.4: OPTIONS for the server as a whole.
        ("", None, "OPTIONS") => "*",
        ("", _, _) => "/",
        (path, _, _) => path,
    };
    Ok(Target { absolute, path, query })
}

/// Scheme, authority and the rest of an absolute http or https URL. The rest begins with `/`, or is empty or a query.
fn absolute(target: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    let scheme = if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else {
        return None;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    host::is_host(authority.as_bytes()).then_some((scheme, authority, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_of_target_is_read() {
        let path = |path, query| Target { absolute: None, path, query };
        assert_eq!(read("GET", "/"), Ok(path("/", None)));
        assert_eq!(read("GET", "/a?b=/../"), Ok(path("/a", Some("b=/../"))));
        assert_eq!(read("GET", "/a??"), Ok(path("/a", Some("?"))));
        assert_eq!(read("OPTIONS", "*"), Ok(path("*", None)));
        let absolute = |scheme, host, path, query| Target { absolute: Some((scheme, host)), path, query };
        assert_eq!(
            read("GET", "http://a.example:80/x?y"),
            Ok(absolute(Scheme::Http, "a.example:80", "/x", Some("y")))
        );
        assert_eq!(read("GET", "HTTPS://a"), Ok(absolute(Scheme::Https, "a", "/", None)));
        assert_eq!(read("OPTIONS", "http://a"), Ok(absolute(Scheme::Http, "a", "*", None)));
        assert_eq!(read("OPTIONS", "http://a/"), Ok(absolute(Scheme::Http, "a", "/", None)));
        assert_eq!(read("OPTIONS", "http://a?b"), Ok(absolute(Scheme::Http, "a", "/", Some("b"))));
        for refused in [
            "*",
            "a",
            "a:80",
            "ftp://a/",
            "http:///",
            "http://a b/",
            "/a#b",
            "http://a#b",
            "http://u@a/",
            "",
            "?a",
            "://a",
        ] {
            assert!(read("GET", refused).is_err(), "{refused}");
        }
        assert!(read("CONNECT", "/").is_err() && read("CONNECT", "a:80").is_err());
    }

    proptest! {
        #[test]
        fn any_target_is_judged_without_panic(target in ".*") {
            let _ = read("GET", &target);
        }
    }
}
