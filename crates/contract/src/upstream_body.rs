//! What may be kept of an upstream's error body: its human message, or the whole of it if it
//! already is an error specification.

use serde_json::{Map, Value};

/// Characters of an upstream's message that are kept.
const LONGEST_MESSAGE: usize = 500;

/// What an upstream's error body held.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// An error specification: its code, message and details are the upstream's own.
    Specification {
        /// `error.code`
        code: String,
        /// `error.message`
        message: String,
        /// `error.details`
        details: Option<Value>,
    },
    /// Other JSON with a message for people.
    Message(String),
    /// HTML, binary, broken JSON, JSON without a message: nothing a client should see.
    Nothing,
}

/// Reads an upstream's error body.
pub fn read(body: &[u8]) -> Found {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else { return Found::Nothing };
    if let Some(found) = specification(&body) {
        return found;
    }
    message(&body).map_or(Found::Nothing, Found::Message)
}

fn specification(body: &Map<String, Value>) -> Option<Found> {
    if body.get("success") != Some(&Value::Bool(false)) {
        return None;
    }
    let error = body.get("error")?.as_object()?;
    let code = error.get("code")?.as_str()?;
    let stable = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let message = clean(error.get("message")?.as_str()?)?;
    stable.then(|| Found::Specification {
        code: code.to_owned(),
        message,
        details: error.get("details").filter(|details| details.is_array()).cloned(),
    })
}

/// The first text among the places where APIs put what a person should read.
fn message(body: &Map<String, Value>) -> Option<String> {
    let text = |value: &Value| value.as_str().and_then(clean);
    ["message", "detail", "title", "error"]
        .into_iter()
        .find_map(|name| body.get(name).and_then(text))
        .or_else(|| body.get("error")?.get("message").and_then(text))
        .or_else(|| {
            let errors = body.get("errors")?.as_array()?;
            let each = errors.iter().filter_map(|error| {
                text(error).or_else(|| {
                    ["message", "detail", "title"].into_iter().find_map(|name| error.get(name).and_then(text))
                })
            });
            clean(&each.collect::<Vec<_>>().join(" "))
        })
}

/// The text on one line and not too long; None if nothing is left of it, or if it is markup.
fn clean(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.is_empty() || line.starts_with('<') {
        return None;
    }
    let mut characters = line.chars();
    let mut kept: String = characters.by_ref().take(LONGEST_MESSAGE).collect();
    if characters.next().is_some() {
        kept.push('…');
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_human_message_is_found_wherever_apis_put_it() {
        for (body, message) in [
            (r#"{"message":"Out of stock"}"#, "Out of stock"),
            (r#"{"detail":"Out of stock"}"#, "Out of stock"),
            (r#"{"title":"Out of stock","status":409}"#, "Out of stock"),
            (r#"{"error":"Out of stock"}"#, "Out of stock"),
            (r#"{"error":{"message":"Out of stock"}}"#, "Out of stock"),
            (r#"{"errors":["Out of","stock"]}"#, "Out of stock"),
            (r#"{"errors":[{"detail":"Out of stock"}]}"#, "Out of stock"),
            (r#"{"message":"Out\n\tof \u0000 stock"}"#, "Out of stock"),
        ] {
            assert_eq!(read(body.as_bytes()), Found::Message(message.into()), "{body}");
        }
    }

    #[test]
    fn everything_else_is_replaced() {
        for body in [
            "",
            "<html>oops</html>",
            "null",
            "[]",
            "{}",
            "{\"message\":",
            r#"{"message":7}"#,
            r#"{"message":"<b>oops</b>"}"#,
            r#"{"errors":[]}"#,
            "\u{0}",
        ] {
            assert_eq!(read(body.as_bytes()), Found::Nothing, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe]), Found::Nothing);
    }

    #[test]
    fn an_error_specification_passes_with_its_own_code() {
        let body = br#"{"success":false,"error":{"code":"ITEM_SOLD","message":"Sold.","details":[1]}}"#;
        let details = Some(serde_json::json!([1]));
        assert_eq!(
            read(body),
            Found::Specification { code: "ITEM_SOLD".into(), message: "Sold.".into(), details }
        );
        let odd = br#"{"success":false,"error":{"code":"no good","message":"Sold."}}"#;
        assert_eq!(read(odd), Found::Message("Sold.".into()));
    }

    #[test]
    fn a_long_message_is_cut() {
        let body = serde_json::json!({ "message": "é".repeat(2000) }).to_string();
        let Found::Message(message) = read(body.as_bytes()) else { panic!() };
        assert_eq!(message.chars().count(), LONGEST_MESSAGE + 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(body: Vec<u8>) {
            read(&body);
        }
    }
}
