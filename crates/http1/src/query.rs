//! The query: characters that browsers leave unencoded are encoded, so that the upstream gets a
//! query valid by RFC 3986.

use super::Fault;
use std::fmt::Write;

/// The query to forward. None: it is valid already.
///
/// Browsers send `{`, `}`, `|`, `\`, `^`, backticks and lone percent signs unencoded (URL
/// standard), which RFC 3986 does not allow. Encoding them does not change the meaning for anyone
/// who decodes a query.
pub(crate) fn normal(query: &str) -> Result<Option<String>, Fault> {
    if query.bytes().all(is_fine) {
        return Ok(None);
    }
    let mut normal = String::with_capacity(query.len() + 16);
    let mut has_changed = false;
    for (at, character) in query.char_indices() {
        match character {
            '%' if !is_escape(query.as_bytes().get(at + 1..).unwrap_or_default()) => {
                normal.push_str("%25");
                has_changed = true;
            }
            '{' | '}' | '|' | '\\' | '^' | '`' => {
                // Writing into a String cannot fail.
                let _ = write!(normal, "%{:02X}", u32::from(character));
                has_changed = true;
            }
            '%' => normal.push('%'),
            fine if fine.is_ascii() && is_fine(fine as u8) => normal.push(fine),
            _ => {
                return Err(Fault::at(format!(
                    "The query contains a character at byte {} that must be percent-encoded.",
                    at + 1
                )));
            }
        }
    }
    Ok(has_changed.then_some(normal))
}

/// Characters that RFC 3986 allows in a query, except the percent sign; and square brackets, which
/// are accepted everywhere.
const fn is_fine(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
                | b'?'
                | b'['
                | b']'
        )
}

fn is_escape(behind: &[u8]) -> bool {
    matches!(behind, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_that_browsers_leave_are_encoded_and_all_others_kept() {
        assert_eq!(normal("a=b&c[]=%26;/?:@!$'()*+,"), Ok(None));
        assert_eq!(normal("q={\\}|^`100%&r=%4"), Ok(Some("q=%7B%5C%7D%7C%5E%60100%25&r=%254".into())));
        for refused in ["a b", "a=\"b\"", "<a>", "a#b", "\u{7f}", "é", "a\0"] {
            assert!(normal(refused).is_err(), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_query_is_unchanged(query in ".*") {
            if let Ok(Some(once)) = normal(&query) {
                prop_assert_eq!(normal(&once), Ok(None));
            }
        }
    }
}
