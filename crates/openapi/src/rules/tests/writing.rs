//! How clients and frameworks write values: commas, items, formats; and what cannot be written in a place.

use super::{
    parameters::{Sends::Query, check},
    *,
};
use crate::rules::Formats;

#[test]
fn encoded_commas_separate_the_items_of_a_tuple_that_has_no_more() {
    let numbers = json!([{"type": "number"}, {"type": "number"}]);
    let tuple = json!({"type": "array", "prefixItems": numbers, "minItems": 2, "maxItems": 2});
    assert_eq!(check(&tuple, Style::Form, false, Query("p=1%2C2")), [""; 0]);
    assert_eq!(check(&tuple, Style::Form, false, Query("p=1,2")), [""; 0]);
    // Where more may follow, an item may have a comma.
    let open = json!({"type": "array", "prefixItems": numbers, "minItems": 2, "maxItems": 3});
    assert_eq!(check(&open, Style::Form, false, Query("p=1%2C2")).len(), 1);
}

fn warnings_of(schema: Value, place: In, style: Style, path_name: &str) -> Vec<String> {
    let documents = one(schema, Version::V31);
    let parameter = styled(&documents, place, style, true);
    let (_, warnings) = compiled(&documents, Strictness::default(), &[path_name], &[parameter], None);
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_list_in_deep_object_style_is_said_not_to_be_validated() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let warnings = warnings_of(list.clone(), In::Query, Style::DeepObject, "p");
    assert!(
        warnings.len() == 1 && warnings[0].contains("deepObject is not defined for arrays"),
        "{warnings:?}"
    );
    assert_eq!(warnings_of(list, In::Query, Style::Form, "p"), [""; 0]);
    assert_eq!(warnings_of(json!({"type": "object"}), In::Query, Style::DeepObject, "p"), [""; 0]);
}

#[test]
fn a_pattern_that_no_segment_can_match_is_named() {
    let slash = json!({"type": "string", "pattern": "shelves/[^/]+"});
    let warnings = warnings_of(slash.clone(), In::Path, Style::Simple, "p");
    assert!(warnings.len() == 1 && warnings[0].contains("no request can match it"), "{warnings:?}");
    assert_eq!(warnings_of(slash.clone(), In::Path, Style::Simple, "*p"), [""; 0]);
    assert_eq!(warnings_of(slash, In::Query, Style::Form, "p"), [""; 0]);
}

#[test]
fn formats_are_lenient_where_frameworks_write_them_otherwise() {
    for (format, values) in [
        ("duration", &["PT0.5S", "-PT1H", "P1DT2H3.5S"][..]),
        ("uri", &["https://e.org/\u{e9}"]),
        ("uri-reference", &["/\u{e9}"]),
        ("byte", &["aGk", "_-8="]),
        ("base64url", &["+/8"]),
        ("email", &["j\u{f6}rg@example.com"]),
        ("date-time", &["2026-01-31T12:30:00"]),
        ("time", &["12:30"]),
    ] {
        for value in values {
            for (formats, expected) in [(Formats::Strict, 1), (Formats::Lenient, 0)] {
                let schema = json!({"schema": {"type": "string", "format": format}});
                let strictness = Strictness { formats, ..Strictness::default() };
                let (rules, _) = strict_body_rules(schema, Version::V31, "application/json", strictness);
                let body = json!(value).to_string();
                let found = match rules.check_body(Some(b"application/json"), body.as_bytes()) {
                    Ok(()) => 0,
                    Err(_) => 1,
                };
                assert_eq!(found, expected, "{format} {value} {formats:?}");
            }
        }
    }
}

#[test]
fn an_item_that_is_an_object_or_a_list_is_json() {
    let object = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let objects = json!({"type": "array", "items": object});
    assert_eq!(check(&objects, Style::Form, true, Query("p=%7B%22a%22:1%7D&p={\"a\":2}")), [""; 0]);
    for wrong in ["p=%7B%22a%22:%22x%22%7D", "p={\"a\"}", "p=1", "p={\"a\":1,\"a\":2}"] {
        assert_eq!(check(&objects, Style::Form, true, Query(wrong)).len(), 1, "{wrong}");
    }
    let lists = json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}});
    assert_eq!(check(&lists, Style::Form, true, Query("p=[1,2]&p=3")), [""; 0]);
    assert_eq!(check(&lists, Style::Form, true, Query("p=[\"x\"]")).len(), 1);
    // A form has the same.
    let form = json!({"schema": {"type": "object", "properties": {"l": objects}}});
    let (rules, _) = body_rules(form, Version::V30, "application/x-www-form-urlencoded");
    let media_type = Some(&b"application/x-www-form-urlencoded"[..]);
    assert_eq!(rules.check_body(media_type, b"l={\"a\":1}&l={\"a\":2}"), Ok(()));
    assert!(rules.check_body(media_type, b"l={\"a\":1}&l={\"a\":\"x\"}").is_err());
}
