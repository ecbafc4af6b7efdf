//! Where files are: references split, decoded and joined to the file that they stand in.

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

/// Percent-decoded. What decodes to no text, or is no escape, stays as it is.
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

    #[test]
    fn schemes_are_told_from_files() {
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
