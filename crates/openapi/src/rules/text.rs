//! Text of a request becomes values: percent-encoding, and numbers, flags and null by their types.

use crate::{
    rules::shape::Types,
    schema::{
        scalar::{integer, is_integer},
        sentences::quoted,
    },
};
use serde_json::{Number, Value};
use std::borrow::Cow;

/// Percent-decoded text. `plus`: a plus is a space, as in forms.
///
/// # Errors
/// A sentence: a percent sign without two digits, or bytes that are not UTF-8.
pub(super) fn decoded(text: &str, plus: bool) -> Result<Cow<'_, str>, String> {
    if !text.bytes().any(|byte| byte == b'%' || (plus && byte == b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = (rest.next().and_then(digit), rest.next().and_then(digit));
                let (Some(high), Some(low)) = digits else {
                    return Err("Has a `%` that is not followed by two hexadecimal digits.".to_owned());
                };
                bytes.push(high << 4 | low);
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Owned(text)),
        Err(_) => Err("Must be UTF-8 when percent-decoded, but is not.".to_owned()),
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A number as JSON writes it, but for zeros at its start.
fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = match mantissa.split_once('.') {
        Some((before, after)) => (before, Some(after)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    if !digits(before) || !after.is_none_or(digits) || !exponent.is_none_or(digits) {
        return None;
    }
    if after.is_none() && exponent.is_none() {
        return whole_number(text).or_else(|| Number::from_f64(text.parse().ok()?));
    }
    Number::from_f64(text.parse().ok()?)
}

fn whole_number(text: &str) -> Option<Number> {
    let number = integer(text)?;
    i64::try_from(number).map(Number::from).ok().or_else(|| u64::try_from(number).map(Number::from).ok())
}

/// A text as a value of the types that it may have. `narrow`: numbers, flags and null before strings,
/// where it may be either.
///
/// # Errors
/// A sentence.
pub(super) fn typed(text: &str, types: Types, narrow: bool) -> Result<Value, String> {
    if types.are_firm()
        && let Some(number) = number(text)
    {
        return Ok(Value::Number(number));
    }
    let may_be_text = types.is_empty() || types.has(Types::STRING);
    if may_be_text && (!narrow || types == Types::STRING || types.is_empty()) {
        return Ok(Value::String(text.to_owned()));
    }
    if types.has(Types::INTEGER)
        && !types.has(Types::NUMBER)
        && let Some(number) = whole_number(text)
    {
        return Ok(Value::Number(number));
    }
    if types.has(Types::NUMBER)
        && let Some(number) = number(text)
    {
        return Ok(Value::Number(number));
    }
    if types.has(Types::BOOLEAN)
        && let Ok(flag) = text.parse()
    {
        return Ok(Value::Bool(flag));
    }
    // Null has no text of its own; servers read either of these.
    if types.has(Types::NULL) && (text == "null" || (text.is_empty() && !may_be_text)) {
        return Ok(Value::Null);
    }
    if may_be_text {
        return Ok(Value::String(text.to_owned()));
    }
    Err(no_type(text, types))
}

fn no_type(text: &str, types: Types) -> String {
    let found = quoted(text);
    if types.has(Types::INTEGER) && !types.has(Types::NUMBER) && is_integer(text) {
        return format!("Must be an integer of at most 64 bits, but is {found}.");
    }
    let mut nouns = Vec::new();
    for (kind, noun) in [
        (Types::INTEGER, "an integer"),
        (Types::NUMBER, "a number"),
        (Types::BOOLEAN, "true or false"),
        (Types::NULL, "null"),
        (Types::ARRAY, "an array"),
        (Types::OBJECT, "an object"),
    ] {
        if types.has(kind) && !(kind == Types::INTEGER && types.has(Types::NUMBER)) {
            nouns.push(noun);
        }
    }
    format!("Must be {}, but is {found}.", nouns.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn percent_signs_are_decoded_once_and_strictly() {
        assert_eq!(decoded("a%20b+c", true).unwrap(), "a b c");
        assert_eq!(decoded("a+%2B", false).unwrap(), "a++");
        assert_eq!(decoded("%2525", false).unwrap(), "%25");
        assert!(matches!(decoded("plain", true), Ok(Cow::Borrowed("plain"))));
        for wrong in ["%", "%1", "%zz", "%ff", "%c3%28"] {
            assert!(decoded(wrong, true).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_becomes_a_value_of_its_type_or_is_refused() {
        let fine = |text: &str, types: Types| typed(text, types, true).unwrap();
        assert_eq!(fine("7", Types::INTEGER), json!(7));
        assert_eq!(fine("18446744073709551615", Types::INTEGER), json!(18_446_744_073_709_551_615_u64));
        assert_eq!(fine("-1.5e1", Types::NUMBER), json!(-15.0));
        assert_eq!(fine("7", Types::NUMBER), json!(7));
        assert_eq!(fine("true", Types::BOOLEAN), json!(true));
        assert_eq!(fine("7", Types::STRING), json!("7"));
        assert_eq!(fine("null", Types::STRING | Types::NULL), json!(null));
        assert_eq!(fine("", Types::INTEGER | Types::NULL), json!(null));
        assert_eq!(typed("7", Types::STRING | Types::INTEGER, false).unwrap(), json!("7"));
        for (text, types, message) in [
            ("x", Types::INTEGER, "Must be an integer, but is \"x\"."),
            ("1.0", Types::INTEGER, "Must be an integer, but is \"1.0\"."),
            ("+1", Types::INTEGER, "Must be an integer, but is \"+1\"."),
            (
                "18446744073709551616",
                Types::INTEGER,
                "Must be an integer of at most 64 bits, but is \"18446744073709551616\".",
            ),
            ("NaN", Types::NUMBER, "Must be a number, but is \"NaN\"."),
            ("1e999", Types::NUMBER, "Must be a number, but is \"1e999\"."),
            (".5", Types::NUMBER, "Must be a number, but is \".5\"."),
            ("True", Types::BOOLEAN, "Must be true or false, but is \"True\"."),
        ] {
            assert_eq!(typed(text, types, true).unwrap_err(), message);
        }
    }
}
