//! Where files are, and what URIs name: references split, decoded and resolved against their location.

use std::borrow::Cow;

/// A reference, taken apart at its first `#`.
pub(super) fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('#') {
        Some((file, fragment)) => (file, Some(fragment)),
        None => (reference, None),
    }
}

/// Whether a reference begins with a scheme (RFC 3986), so that it names no file beside this one.
/// One letter is a drive.
pub(super) fn has_scheme(file: &str) -> bool {
    file.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each))
    })
}

/// What a reference without a fragment names (RFC 3986, section 5.2), seen from a base: a URI, or the location of a
/// file if both are none.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if has_scheme(reference) {
        return without_dots(reference);
    }
    if !has_scheme(base) {
        return join(base, reference);
    }
    let (scheme, authority, path) = parts(base);
    if reference.starts_with("//") {
        return without_dots(&format!("{scheme}{reference}"));
    }
    if reference.starts_with('?') {
        return format!("{scheme}{authority}{path}{reference}");
    }
    let folder = path.rfind('/').and_then(|end| path.get(..=end));
    let folder = if reference.starts_with('/') {
        ""
    } else {
        folder.unwrap_or(if authority.is_empty() { "" } else { "/" })
    };
    without_dots(&format!("{scheme}{authority}{folder}{reference}"))
}

/// A URI as its scheme with the colon, its authority with the slashes before it, and its path.
fn parts(uri: &str) -> (&str, &str, &str) {
    let (scheme, rest) = uri.split_at(uri.find(':').map_or(0, |colon| colon + 1));
    let rest = rest.find('?').and_then(|end| rest.get(..end)).unwrap_or(rest);
    let Some(behind) = rest.strip_prefix("//") else { return (scheme, "", rest) };
    let (authority, path) = rest.split_at(behind.find('/').map_or(rest.len(), |end| end + 2));
    (scheme, authority, path)
}

/// A URI without the segments `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(uri: &str) -> String {
    let (scheme, authority, path) = parts(uri);
    let query = uri.find('?').and_then(|begin| uri.get(begin..)).unwrap_or_default();
    if !path.starts_with('/') {
        return uri.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("{scheme}{authority}/{}{query}", kept.join("/"))
}

/// The location of a file that a reference in another file names.
pub(super) fn join(base: &str, file: &str) -> String {
    let file = percent_decode(file);
    if file.starts_with('/') {
        return normal(&file);
    }
    match base.rfind('/') {
        Some(end) => normal(&format!("{}/{file}", base.get(..end).unwrap_or_default())),
        None => normal(&file),
    }
}

/// A location without `.` and `..`, as far as they can be resolved: each file has one.
pub(super) fn normal(location: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in location.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if location.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if location.starts_with('/') { format!("/{joined}") } else { joined }
}

/// Percent-decoded. What does not decode to text, or is not an escape, stays unchanged.
pub(super) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'%').then(|| {
            let mut ahead = bytes.clone();
            let digits = (hexadecimal(ahead.next()?)?, hexadecimal(ahead.next()?)?);
            Some((digits.0 * 16 + digits.1, ahead))
        });
        match escape.flatten() {
            Some((value, ahead)) => {
                decoded.push(value);
                bytes = ahead;
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_to_their_file() {
        for (base, file, joined) in [
            ("api.yaml", "pets.yaml", "pets.yaml"),
            ("api.yaml", "./pets.yaml", "pets.yaml"),
            ("docs/api.yaml", "pets.yaml", "docs/pets.yaml"),
            ("./docs/api.yaml", "../pets.yaml", "pets.yaml"),
            ("docs/a/b.yaml", "../c/./d.yaml", "docs/c/d.yaml"),
            ("api.yaml", "../../x.yaml", "../../x.yaml"),
            ("../api.yaml", "../x.yaml", "../../x.yaml"),
            ("/srv/api.yaml", "../../x.yaml", "/x.yaml"),
            ("docs/api.yaml", "/srv/x.yaml", "/srv/x.yaml"),
            ("api.yaml", "my%20pets.yaml", "my pets.yaml"),
            ("api.yaml", "100%.yaml", "100%.yaml"),
        ] {
            assert_eq!(join(base, file), joined, "{base} + {file}");
        }
    }

    /// RFC 3986, section 5.4, as far as it goes without fragments, and URNs.
    #[test]
    fn references_are_resolved_against_uris() {
        for (reference, resolved) in [
            ("gg:h", "gg:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("g;x?y", "http://a/b/c/g;x?y"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference), resolved, "{reference}");
        }
        for (base, reference, resolved) in [
            ("https://e.org", "a", "https://e.org/a"),
            ("https://e.org/x?y=/z/", "a", "https://e.org/a"),
            ("urn:example:a", "urn:example:b", "urn:example:b"),
            ("file:///a/b", "c", "file:///a/c"),
            ("docs/api.yaml", "https://e.org/a/../b", "https://e.org/b"),
            ("docs/api.yaml", "../b%20c", "b c"),
            ("", "node", "node"),
        ] {
            assert_eq!(resolve(base, reference), resolved, "{base} + {reference}");
        }
    }

    #[test]
    fn schemes_are_distinguished_from_files() {
        for file in ["http://a/b", "https://a", "urn:x:y", "file:///a"] {
            assert!(has_scheme(file), "{file}");
        }
        for file in ["a.yaml", "./a:b.yaml", "C:/a.yaml", "", ":a"] {
            assert!(!has_scheme(file), "{file}");
        }
    }

    #[test]
    fn escapes_are_decoded() {
        for (text, decoded) in
            [("a%7Bb%7d", "a{b}"), ("%C3%A9", "é"), ("%zz%", "%zz%"), ("%ff", "%ff"), ("é%41", "éA")]
        {
            assert_eq!(percent_decode(text), decoded, "{text}");
        }
    }
}
