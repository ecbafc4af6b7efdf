//! JSON of a request: why it cannot be read, as a clause, and how many values it has. A member that is named twice is
//! refused, because an upstream may take the other one of the two.

use crate::schema::sentences::quoted;
use instance::{Tree, Unread, read_value};
use serde_json::Value;

/// Reads a JSON text.
///
/// # Errors
/// A clause with the position of the fault.
pub(super) fn read(text: &[u8]) -> Result<Value, String> {
    read_value(text).map_err(|why| clause(text, why))
}

/// Reads a JSON text that is not kept.
///
/// # Errors
/// As [`read`].
pub(super) fn read_tree(text: &[u8]) -> Result<Tree<'_>, String> {
    Tree::read(text).map_err(|why| match why {
        // A second pass finds the duplicate's position; in a long text the end of its object is reported.
        Unread::Twice { .. } if text.len() <= SHORT => read(text).err().unwrap_or_default(),
        why @ (Unread::NotText { .. } | Unread::NotJson(_) | Unread::Twice { .. }) => clause(text, why),
    })
}

fn clause(text: &[u8], why: Unread) -> String {
    if let Some(mark) = marked(text) {
        return mark;
    }
    match why {
        Unread::NotText { at } => format!("it is not valid UTF-8 at byte {at}"),
        Unread::NotJson(error) => error.to_string(),
        Unread::Twice { name, line, column } => {
            format!("duplicate property {} at line {line} column {column}", quoted(&name))
        }
    }
}

/// A text that may be read twice.
const SHORT: usize = 64 << 10;

/// What is wrong with a text that begins with a byte order mark.
fn marked(text: &[u8]) -> Option<String> {
    let mark = super::marked(text)?;
    Some(format!("it begins with {mark}; JSON is UTF-8 without one (RFC 8259, section 8.1)"))
}

/// Whether a JSON text has more values than this, members and items included.
pub(super) fn has_more_values(text: &[u8], most: usize) -> bool {
    // No value is shorter than a byte; and each but the first follows one of these.
    if text.len() <= most || separators(text) < most {
        return false;
    }
    let (mut count, mut is_first, mut is_text, mut is_escaped) = (1_usize, false, false, false);
    for &byte in text {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'"' => is_text = true,
            b',' | b'[' | b'{' => count += 1,
            b']' | b'}' if is_first => count -= 1,
            _ => {}
        }
        is_first = matches!(byte, b'[' | b'{');
    }
    count > most
}

/// As many as there are values, or more.
pub(super) fn separators(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| matches!(byte, b',' | b'[' | b'{')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert!(read(text.as_bytes()).unwrap_err().contains("duplicate property \"a\""), "{text}");
        }
    }

    #[test]
    fn the_position_of_broken_json_is_reported() {
        for text in ["", "{", "{\"a\":1,}", "[1 2]", "nul", "{}x", "{\"a\":NaN}", "\"\\ud800\""] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains("line") && error.contains("column"), "{text}: {error}");
        }
        assert!(read(&[b'"', 0xff, b'"']).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        for text in [&b"\xef\xbb\xbf{}"[..], b"\xff\xfe{\0}\0", b"\xfe\xff\0{\0}"] {
            assert!(read(text).unwrap_err().contains("byte order mark"), "{text:?}");
            assert!(read_tree(text).unwrap_err().contains("byte order mark"), "{text:?}");
        }
    }

    #[test]
    fn values_are_counted_at_any_depth() {
        for (text, count) in [
            ("1", 1),
            ("[]", 1),
            ("[ ]", 1),
            ("{}", 1),
            ("[1]", 2),
            ("[1,1,[],{}]", 5),
            (r#"{"a,b":[1,"[{,\\\",,"],"c":{"d":null}}"#, 6),
        ] {
            assert!(has_more_values(text.as_bytes(), count - 1), "{text}");
            assert!(!has_more_values(text.as_bytes(), count), "{text}");
        }
    }
}
