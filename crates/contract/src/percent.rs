//! Percent-encoding (RFC 3986 section 2.1), decoded.

use std::borrow::Cow;

/// The first character of a text, decoded, and the rest.
pub(crate) fn first_decoded(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, rest) = text.split_first()?;
    let &[high, low, ref behind @ ..] = rest else { return Some((first, rest)) };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match (first, digit(high), digit(low)) {
        (b'%', Some(high), Some(low)) => Some((u8::try_from(high * 16 + low).ok()?, behind)),
        (_, _, _) => Some((first, rest)),
    }
}

/// A text with percent-encoded bytes decoded. If the result is not UTF-8, the text is unchanged.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let (mut rest, mut bytes) = (text.as_bytes(), Vec::with_capacity(text.len()));
    while let Some((byte, behind)) = first_decoded(rest) {
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_percent_encoding_is_unchanged() {
        for (text, expected) in [
            ("a%20b", "a b"),
            ("caf%c3%A9", "café"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%ff", "%ff"),
            ("", ""),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
