//! Locates a fault in a head. Used only after the head was refused, so that the message can state
//! the location.

use super::Fault;
use std::fmt::Write;

/// Characters of a name that are quoted in a message.
const QUOTED: usize = 40;

/// What is wrong with a head, and where. None: not one of the faults detected here.
pub fn fault(head: &[u8]) -> Option<Fault> {
    let mut lines = head.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next()?;
    if let Some(message) = of_request_line(first) {
        return Some(Fault::at(message));
    }
    let mut lines = lines.enumerate().map(|(at, line)| (at + 2, line));
    lines.find_map(|(number, line)| of_field(number, line)).map(Fault::at)
}

fn of_request_line(line: &[u8]) -> Option<String> {
    if let Some(message) = control(line) {
        return Some(format!("The request line contains {message}."));
    }
    if let Some(at) = line.iter().position(|b| !b.is_ascii()) {
        return Some(format!(
            "The request line contains the byte 0x{:02X} at position {}, which is not ASCII; percent-encode it.",
            line.get(at).copied().unwrap_or_default(),
            at + 1
        ));
    }
    let words: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
    let &[method, _, version] = words.as_slice() else {
        return Some(format!(
            "The request line has {} parts separated by single spaces; it must be `METHOD TARGET HTTP/1.1`.",
            words.len()
        ));
    };
    if words.iter().any(|word| word.is_empty()) {
        return Some("The request line has two consecutive spaces, or begins or ends with a space.".into());
    }
    if !method.iter().all(|&b| is_token(b)) {
        return Some(format!(
            "The method {} contains a character that is not allowed in a method.",
            quoted(method)
        ));
    }
    (version != b"HTTP/1.1" && version != b"HTTP/1.0")
        .then(|| format!("The protocol version {} is neither HTTP/1.1 nor HTTP/1.0.", quoted(version)))
}

fn of_field(number: usize, line: &[u8]) -> Option<String> {
    if line.is_empty() {
        return None;
    }
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Some(format!(
            "Line {number} of the request begins with whitespace: a header is folded over several lines, or its name is indented."
        ));
    }
    let Some(colon) = memchr::memchr(b':', line) else {
        return Some(format!("Line {number} of the request is not a header: it has no colon."));
    };
    let (name, value) = line.split_at(colon);
    if name.is_empty() {
        return Some(format!("The header in line {number} of the request has no name."));
    }
    if let Some(&byte) = name.iter().find(|&&b| !is_token(b)) {
        return Some(match byte {
            b' ' | b'\t' => format!(
                "The header name {} in line {number} of the request has whitespace in it or before its colon.",
                quoted(name)
            ),
            _ => format!(
                "The header name in line {number} of the request contains the byte 0x{byte:02X}, which is not allowed in a name."
            ),
        });
    }
    control(value).map(|what| {
        format!("The value of the header {} in line {number} of the request contains {what}.", quoted(name))
    })
}

/// Describes the first control character other than a tab.
fn control(bytes: &[u8]) -> Option<String> {
    let at = bytes.iter().position(|&b| b.is_ascii_control() && b != b'\t')?;
    let byte = bytes.get(at).copied()?;
    let what = match byte {
        0 => "a NUL".to_owned(),
        b'\r' => "a carriage return without a line feed".to_owned(),
        other => format!("the control character 0x{other:02X}"),
    };
    Some(what)
}

/// Characters allowed in a method and in a field name (RFC 9110 section 5.6.2).
pub const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// A name quoted for a message: shortened, and without characters that a terminal or a page could interpret.
pub fn quoted(name: &[u8]) -> String {
    let mut text = String::from("`");
    for &byte in name.iter().take(QUOTED) {
        match byte {
            b' '..=b'~' if byte != b'`' => text.push(char::from(byte)),
            // Writing into a String cannot fail.
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    if name.len() > QUOTED {
        text.push('…');
    }
    text.push('`');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_location_is_reported() {
        for (head, expected) in [
            ("GET /a b HTTP/1.1\r\n\r\n", "has 4 parts"),
            ("GET /a  HTTP/1.1\r\n\r\n", "has 4 parts"),
            ("GET  HTTP/1.1\r\n\r\n", "two consecutive spaces"),
            ("GET /a HTTP/1.2\r\n\r\n", "`HTTP/1.2`"),
            ("G(T /a HTTP/1.1\r\n\r\n", "`G(T`"),
            ("GET /a\u{1} HTTP/1.1\r\n\r\n", "0x01"),
            ("GET /é HTTP/1.1\r\n\r\n", "0xC3 at position 6"),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "Line 3 of the request begins with whitespace"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", "Line 3 of the request is not a header"),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", "line 2 of the request has no name"),
            ("GET / HTTP/1.1\r\nX : a\r\n\r\n", "`X ` in line 2"),
            ("GET / HTTP/1.1\r\nX(: a\r\n\r\n", "0x28"),
            ("GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", "a carriage return"),
            ("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", "a NUL"),
        ] {
            let message = fault(head.as_bytes()).unwrap().message;
            assert!(message.contains(expected), "{head:?}: {message}");
        }
        assert_eq!(fault(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_can_be_shown(name: Vec<u8>) {
            let text = quoted(&name);
            prop_assert!(text.chars().all(|c| !c.is_control()) && text.chars().count() <= QUOTED * 4 + 3);
        }

        #[test]
        fn any_head_is_looked_through_without_panic(head: Vec<u8>) {
            let _ = fault(&head);
        }
    }
}
