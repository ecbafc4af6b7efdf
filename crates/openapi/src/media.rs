//! Media types: what a Content-Type names, and how a body of it is read.

use crate::schema::sentences::quoted;
use std::borrow::Cow;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Urlencoded,
    Multipart,
    Text,
    /// Nothing here looks into it.
    Other,
}

/// Whether a media type is JSON.
pub(crate) fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// How a body of this media type is read.
pub(crate) fn kind(essence: &str) -> Kind {
    if is_json(essence) {
        Kind::Json
    } else if essence == "application/x-www-form-urlencoded" {
        Kind::Urlencoded
    } else if essence == "multipart/form-data" {
        Kind::Multipart
    } else if essence.starts_with("text/") && essence != "text/xml" && !essence.ends_with("+xml") {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// Whether a type or range of the document takes a media type. Higher is more exact.
pub(crate) fn taken(range: &str, essence: &str) -> Option<u8> {
    if range == essence {
        return Some(4);
    }
    if range == "*/*" || range == "*" {
        return Some(1);
    }
    // `application/*+json`, as ASP.NET writes it: every type with that suffix (RFC 6839).
    if let Some((family, suffix)) = range.split_once("*+") {
        let subtype = essence.strip_prefix(family).or_else(|| {
            let (_, subtype) = essence.split_once('/').filter(|_| family == "*/")?;
            Some(subtype)
        })?;
        let has_suffix = subtype.rsplit_once('+').is_some_and(|(_, found)| found == suffix);
        return has_suffix.then_some(3);
    }
    let family = range.strip_suffix('*').filter(|family| family.ends_with('/'))?;
    essence.starts_with(family).then_some(2)
}

/// The parameters of a media type of the document that a request's must have: all but the charset, which distinguishes
/// no two types apart, and those of a list or of a message.
pub(crate) fn parameters(media_type: &str) -> Vec<(String, Vec<u8>)> {
    let text = media_type.as_bytes();
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let Some(behind) = rest.get(end_of_part(rest) + 1..) else { return found };
        rest = behind;
        let part = rest.get(..end_of_part(rest)).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', part) else { continue };
        let name =
            String::from_utf8_lossy(part.get(..equals).unwrap_or_default()).trim().to_ascii_lowercase();
        if name != "charset" && name != "q" && name != "boundary" && !name.is_empty() {
            let value = unquoted(part.get(equals + 1..).unwrap_or_default().trim_ascii());
            found.push((name, value));
        }
    }
}

/// Whether a media type that was sent has all of these parameters. They are compared by RFC 9110, section 8.3.1: names
/// without case, values without quotes.
pub(crate) fn has_all(parameters: &[(String, Vec<u8>)], sent: &[u8]) -> bool {
    parameters.iter().all(|(name, value)| parameter(sent, name).is_some_and(|sent| sent == *value))
}

/// Whether a type or range of the document, with its parameters, takes a media type with those that were sent.
pub(crate) fn takes(range: &str, sent: &[u8]) -> bool {
    taken(&essence(range.as_bytes()), &essence(sent)).is_some() && has_all(&parameters(range), sent)
}

/// What commas part in a list of media types; a comma between quotes parts nothing.
pub(crate) fn listed(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let (one, behind) = text.split_at_checked(end_of(text.as_bytes(), b',')).unwrap_or((text, ""));
        rest = behind.strip_prefix(',');
        Some(one)
    })
}

/// A Content-Type without its parameters, in lower case.
pub(crate) fn essence(content_type: &[u8]) -> Cow<'_, str> {
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    let essence = content_type.get(..end).unwrap_or_default().trim_ascii();
    let is_lower = essence.iter().fold(true, |all, byte| all & !byte.is_ascii_uppercase());
    match std::str::from_utf8(essence) {
        Ok(text) if is_lower => Cow::Borrowed(text),
        Ok(text) => Cow::Owned(text.to_ascii_lowercase()),
        Err(_) => Cow::Owned(String::from_utf8_lossy(essence).to_ascii_lowercase()),
    }
}

/// A parameter of a header such as Content-Type or Content-Disposition, without quotes.
pub(crate) fn parameter(header: &[u8], name: &str) -> Option<Vec<u8>> {
    memchr::memchr(b';', header)?; // most have none
    let mut rest = header;
    loop {
        let at = end_of_part(rest);
        rest = rest.get(at + 1..)?;
        let part = rest.get(..end_of_part(rest)).unwrap_or_default().trim_ascii();
        let equals = memchr::memchr(b'=', part);
        let Some((key, value)) = equals.and_then(|at| Some((part.get(..at)?, part.get(at + 1..)?))) else {
            continue;
        };
        if key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
            return Some(unquoted(value.trim_ascii()));
        }
    }
}

/// Why servers may read the parameters of a header in two ways, as a predicate: one of them is there twice (an error by
/// RFC 6838, section 4.3), in a form of RFC 2231 that only some servers know (`name*`, `name*0`), or quoted by halves.
/// Then what is checked here would be another value than the one that is used.
pub(crate) fn ambiguity(header: &[u8]) -> Option<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut rest = header.get(end_of_part(header)..).unwrap_or_default();
    while let Some(behind) = rest.get(1..) {
        let end = end_of_part(behind);
        let part = behind.get(..end).unwrap_or_default().trim_ascii();
        rest = behind.get(end..).unwrap_or_default();
        let equals = memchr::memchr(b'=', part).unwrap_or(part.len());
        let name =
            String::from_utf8_lossy(part.get(..equals).unwrap_or_default()).trim().to_ascii_lowercase();
        let shown = quoted(&name);
        let value = part.get(equals + 1..).unwrap_or_default().trim_ascii();
        if name.contains('"') || !is_whole(value) {
            return Some(format!("has a quotation mark out of place at its parameter {shown}"));
        }
        // The extended form of a filename may be beside the plain one: .NET always sends both.
        if name.contains('*') && name != "filename*" {
            return Some(format!("has the parameter {shown}, a form that is not accepted"));
        }
        if !name.is_empty() && seen.contains(&name) {
            return Some(format!("has the parameter {shown} twice"));
        }
        seen.push(name);
    }
    None
}

/// Whether a value is quoted as a whole, or not at all.
fn is_whole(value: &[u8]) -> bool {
    let Some(inner) = value.strip_prefix(b"\"") else { return !value.contains(&b'"') };
    let mut escaped = false;
    let end = inner.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.is_some_and(|end| end + 1 == inner.len())
}

/// Where a part that `;` ends is over.
fn end_of_part(text: &[u8]) -> usize {
    end_of(text, b';')
}

/// Where a part that a delimiter ends is over; a quoted one does not end it.
fn end_of(text: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            byte if byte == delimiter && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        // Browsers send a backslash in a filename unescaped; only a quote or another one is escaped.
        if byte == b'\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && byte != b'"' && byte != b'\\' {
            plain.push(b'\\');
        }
        escaped = false;
        plain.push(byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_behind_quotes() {
        let header = br#"form-data; x="a;name=no"; Name="a\"b"; filename="c:\d""#;
        assert_eq!(parameter(header, "name").unwrap(), b"a\"b");
        assert_eq!(parameter(header, "filename").unwrap(), b"c:\\d");
        assert_eq!(parameter(b"text/plain;charset=UTF-8", "charset").unwrap(), b"UTF-8");
        assert_eq!(parameter(b"text/plain; charset", "charset"), None);
        assert_eq!(parameter(b"", "charset"), None);
    }

    #[test]
    fn what_servers_may_read_in_two_ways_is_named() {
        for header in [
            &b"multipart/form-data"[..],
            b"multipart/form-data; boundary=\"a;b=\\\"\"; charset=x;",
            br#"form-data; name="a"; filename="x"; filename*=UTF-8''x"#,
            b"form-data; name=; filename=a b.txt",
        ] {
            assert_eq!(ambiguity(header), None, "{}", String::from_utf8_lossy(header));
        }
        for (header, why) in [
            (&br#"form-data; name="r"; Name="i""#[..], "has the parameter \"name\" twice"),
            (b"form-data; filename*=a; filename*=b", "has the parameter \"filename*\" twice"),
            (
                b"form-data; name=r; name*=UTF-8''i",
                "has the parameter \"name*\", a form that is not accepted",
            ),
            (b"form-data; filename*0=a", "has the parameter \"filename*0\", a form that is not accepted"),
            (b"a/b; x; x=1; X", "has the parameter \"x\" twice"),
            (br#"form-data; name="i"#, "has a quotation mark out of place at its parameter \"name\""),
            (
                br#"form-data; name=a"; name="i"#,
                "has a quotation mark out of place at its parameter \"name\"",
            ),
            (br#"form-data; name="r"i; x=1"#, "has a quotation mark out of place at its parameter \"name\""),
            (br#"form-data; x="c:\"; name=i"#, "has a quotation mark out of place at its parameter \"x\""),
        ] {
            assert_eq!(ambiguity(header).as_deref(), Some(why), "{}", String::from_utf8_lossy(header));
        }
    }

    #[test]
    fn parameters_of_a_type_are_those_that_distinguish_it() {
        let found = parameters("application/x; Type=\"a;b\"; charset=utf-8;v=2");
        assert_eq!(found, [("type".to_owned(), b"a;b".to_vec()), ("v".to_owned(), b"2".to_vec())]);
        assert_eq!(parameters("application/json"), []);
    }

    #[test]
    fn ranges_take_what_they_name() {
        assert_eq!(taken("application/json", "application/json"), Some(4));
        assert_eq!(taken("application/*+json", "application/vnd.x+json"), Some(3));
        assert_eq!(taken("*/*+json", "model/gltf+json"), Some(3));
        for other in ["application/json", "application/x+xml", "text/x+json", "application/x+json-seq"] {
            assert_eq!(taken("application/*+json", other), None, "{other}");
        }
        assert_eq!(taken("text/*", "text/plain"), Some(2));
        assert_eq!(taken("*/*", "image/png"), Some(1));
        assert_eq!(taken("text/*", "textual/plain"), None);
        assert_eq!(taken("application/json", "application/problem+json"), None);
        assert_eq!(essence(b" Text/HTML ; charset=x"), "text/html");
        assert_eq!(kind("application/merge-patch+json"), Kind::Json);
    }
}
