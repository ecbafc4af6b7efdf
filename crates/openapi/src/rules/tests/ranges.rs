//! Ranges of media types: the client chooses the type, and switches off validation by none.

use super::{
    bodies::{not_valid, sentence},
    *,
};
use crate::rules::BodyFault;

fn object() -> Value {
    json!({"schema": {"type": "object", "required": ["z"], "properties": {"z": {"type": "integer"}}}})
}

#[test]
fn no_type_within_a_range_switches_off_validation() {
    for range in ["*/*", "application/*", "text/*"] {
        let (rules, _) = body_rules(object(), Version::V31, range);
        let mut checked = 0;
        for sent in [
            None,
            Some("application/json"),
            Some("application/vnd.a+json"),
            Some("text/json"),
            Some("text/plain"),
            Some("text/csv"),
            Some("application/foo"),
            Some("application/octet-stream"),
            Some("application/xml"),
            Some("multipart/mixed"),
            Some("image/png"),
        ] {
            let sent = sent.map(str::as_bytes);
            match rules.check_body(sent, br#"{"z":"x"}"#) {
                Err(BodyFault::NotValid(_)) => checked += 1,
                Err(BodyFault::MediaType(_)) => {
                    assert!(rules.check_media_type(sent, true).is_err(), "{range} {sent:?}");
                    assert!(!rules.reads_body(sent));
                }
                other => panic!("{range} {sent:?} {other:?}"),
            }
        }
        assert!(checked > 0, "{range}");
    }
    let (rules, _) = body_rules(object(), Version::V31, "*/*");
    assert_eq!(
        sentence(rules.check_body(Some(b"application/foo"), b"{}")),
        "media type: This endpoint validates its body and can read one of type application/json, \
         application/x-www-form-urlencoded, multipart/form-data, text/json, but \"application/foo\" was sent."
    );
    assert!(sentence(rules.check_body(None, b"{}")).ends_with(", but no Content-Type was sent."));
    assert_eq!(rules.check_body(Some(b"application/x-www-form-urlencoded"), b"z=1"), Ok(()));
}

#[test]
fn text_and_bytes_may_have_any_type_within_a_range() {
    let text = json!({"schema": {"type": "string", "maxLength": 3}});
    let (rules, warnings) = body_rules(text, Version::V31, "*/*");
    assert_eq!(rules.check_body(Some(b"application/foo"), b"abcd"), Ok(()));
    assert_eq!(not_valid(rules.check_body(Some(b"text/plain"), b"abcd")).len(), 1);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`maxLength` is not enforced for a body of type */*"), "{said:?}");
    let bytes = json!({"schema": {"type": "string", "format": "binary"}});
    let (rules, _) = body_rules(bytes, Version::V30, "*/*");
    for sent in [None, Some(&b"application/foo"[..]), Some(b"image/png"), Some(b"text/plain")] {
        assert_eq!(rules.check_body(sent, b"\xff"), Ok(()), "{sent:?}");
    }
    // A family of which no type is read is what a single type of it is: accepted, with a warning.
    let (rules, warnings) = body_rules(object(), Version::V31, "image/*");
    assert_eq!(rules.check_body(Some(b"image/png"), b"x"), Ok(()));
    assert!(warnings[0].to_string().contains("Bodies of type image/* are not validated"), "{warnings:?}");
    // Without a schema nothing is asked.
    let documents = one(json!({}), Version::V31);
    let media = Media { media_type: "*/*".to_owned(), schema: None, encodings: Vec::new() };
    let body = Body { required: true, content: vec![media], at: at(&documents, "") };
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[], Some(&body));
    assert_eq!(rules.check_body(None, b"x"), Ok(()));
}
