//! Bodies: media types, forms, parts, text, and what is never read.

use super::{parts::parts, *};
use crate::rules::{BodyFault, ReadOnly};

const JSON: Option<&[u8]> = Some(b"application/json");

pub(super) fn not_valid(result: Result<(), BodyFault>) -> Vec<String> {
    match result {
        Err(BodyFault::NotValid(details)) => details
            .into_iter()
            .map(|detail| format!("{} {}: {}", detail.name, detail.pointer.unwrap(), detail.message))
            .collect(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn sentence(result: Result<(), BodyFault>) -> String {
    match result {
        Err(BodyFault::MediaType(message)) => format!("media type: {message}"),
        Err(BodyFault::Malformed(message)) => format!("malformed: {message}"),
        Err(BodyFault::TooManyValues { most }) => format!("more than {most} values"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn media_types_are_matched_by_the_most_exact() {
    let documents = one(json!({"type": "integer"}), Version::V31);
    let media =
        |media_type: &str, schema| Media { media_type: media_type.to_owned(), schema, encodings: Vec::new() };
    let schema = Some(at(&documents, "/schema"));
    let content = vec![
        media("application/*", None),
        media("application/json", schema.clone()),
        media("application/vnd.a+json", schema),
    ];
    let body = Body { required: false, content, at: at(&documents, "") };
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[], Some(&body));
    assert!(
        rules.reads_body(Some(b"Application/JSON; charset=UTF-8"))
            && rules.reads_body(Some(b"application/vnd.a+json"))
    );
    assert!(
        !rules.reads_body(Some(b"application/pdf"))
            && !rules.reads_body(Some(b"text/plain"))
            && !rules.reads_body(None)
    );
    assert_eq!(rules.check_media_type(Some(b"application/pdf"), true), Ok(()));
    assert_eq!(rules.check_media_type(None, false), Ok(()));
    assert_eq!(rules.check_body(Some(b"application/json"), b""), Ok(()));
    assert_eq!(
        sentence(rules.check_media_type(Some(b"text/plain"), true)),
        "media type: This endpoint accepts a body of type application/*, application/json, application/vnd.a+json, but \"text/plain\" was sent."
    );
    assert_eq!(
        sentence(rules.check_media_type(None, true)),
        "media type: This endpoint accepts a body of type application/*, application/json, application/vnd.a+json, but no Content-Type was sent."
    );
    assert_eq!(
        sentence(rules.check_media_type(Some(b"application/json; charset=\"latin1\""), true)),
        "media type: The body must be UTF-8, but its Content-Type says \"latin1\"."
    );
}

#[test]
fn a_media_type_has_each_parameter_once() {
    let documents =
        Documents::inline(json!({"basic": {"required": ["b"]}, "full": {"required": ["f"]}}), Version::V31);
    let media = |name: &str| Media {
        media_type: format!("application/vnd.x+json; type={name}"),
        schema: Some(at(&documents, &format!("/{name}"))),
        encodings: Vec::new(),
    };
    let body = Body { required: true, content: vec![media("basic"), media("full")], at: at(&documents, "") };
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[], Some(&body));
    let check = |parameters: &str| {
        let content_type = format!("application/vnd.x+json{parameters}");
        rules.check_body(Some(content_type.as_bytes()), br#"{"b":1}"#)
    };
    assert_eq!(check("; type=basic; charset=utf-8"), Ok(()));
    for (parameters, name) in [
        ("; type=basic; type=full", "type"),
        ("; type=basic; TYPE=basic", "type"),
        ("; charset=utf-8; type=basic; charset=utf-16", "charset"),
    ] {
        let expected = format!("malformed: The Content-Type has the parameter \"{name}\" twice.");
        assert_eq!(sentence(check(parameters)), expected);
    }
    assert!(sentence(check("; type=basic; type*=UTF-8''full")).starts_with("malformed: "));
}

#[test]
fn malformed_json_is_not_the_same_as_wrong_json() {
    let (rules, _) = body_rules(json!({"schema": {"type": "object"}}), Version::V31, "application/json");
    assert_eq!(rules.check_body(JSON, b"{}"), Ok(()));
    assert_eq!(not_valid(rules.check_body(JSON, b"[]")), [" : Must be an object, but is an array."]);
    assert!(sentence(rules.check_body(JSON, b"{")).starts_with("malformed: The body is not valid JSON: EOF"));
    assert_eq!(
        sentence(rules.check_body(JSON, br#"{"a":1,"a":2}"#)),
        "malformed: The body is not valid JSON: duplicate property \"a\" at line 1 column 10."
    );
    // What a client calls a member is shown without its line ends, and not at length.
    let long = format!("{{\"{0}\":1,\"{0}\":2}}", "\\n".repeat(100_000));
    let shown = sentence(rules.check_body(JSON, long.as_bytes()));
    assert!(
        shown.starts_with("malformed: The body is not valid JSON: duplicate property \"\\n\\n"),
        "{shown}"
    );
    assert!(shown.len() < 500, "{}", shown.len());
    assert_eq!(
        sentence(rules.check_body(JSON, b"")),
        "malformed: This endpoint requires a body, but none was sent."
    );
    assert_eq!(
        sentence(rules.check_media_type(None, false)),
        "malformed: This endpoint requires a body, but none was sent."
    );
}

#[test]
fn only_what_can_be_checked_is_read() {
    for (schema, media_type, read) in [
        (json!({}), "application/json", false),
        (json!(true), "application/json", false),
        (json!({"description": "anything"}), "application/json", false),
        (json!({"type": "object"}), "application/json", true),
        (json!({"type": "string", "format": "binary"}), "application/octet-stream", false),
        (json!({"contentMediaType": "image/png"}), "image/png", false),
        (json!({"type": "object"}), "application/xml", false),
        (json!({"type": "string", "minLength": 1}), "text/plain", true),
        (json!({"type": "object"}), "text/csv", false),
        (json!({"type": "object"}), "multipart/form-data", true),
        (json!({"type": "object"}), "*/*", false),
    ] {
        let (rules, _) = body_rules(json!({ "schema": schema }), Version::V31, media_type);
        assert_eq!(rules.reads_body(Some(media_type.as_bytes())), read, "{schema} {media_type}");
    }
    let (rules, _) = body_rules(json!({"schema": {"type": "object"}}), Version::V31, "*/*");
    assert!(rules.reads_body(JSON), "a range is checked by what was sent");
    let (_, warnings) = body_rules(json!({"schema": {"type": "object"}}), Version::V31, "application/xml");
    assert_eq!(warnings[0].message, "Bodies of type application/xml are not validated against their schema.");
}

pub(super) fn form() -> Value {
    json!({"schema": {
        "type": "object", "required": ["name", "age"], "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}, "ok": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "integer"}},
            "address": {"type": "object", "properties": {"zip": {"type": "integer"}}, "required": ["zip"]},
            "photo": {"type": "string", "format": "binary"},
            "photos": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": 2}
        }
    }})
}

#[test]
fn forms_are_typed_by_their_schema() {
    let (rules, _) = body_rules(form(), Version::V30, "application/x-www-form-urlencoded");
    let check = |body: &str| rules.check_body(Some(b"application/x-www-form-urlencoded"), body.as_bytes());
    assert_eq!(check("name=J%C3%B6rg+M&age=7&ok=true&tags=1&tags=2&address[zip]=5"), Ok(()));
    assert_eq!(check("name=a&age=7&tags=1&address=%7B%22zip%22:5%7D"), Ok(()));
    assert_eq!(
        not_valid(check("name=&age=x&tags=1&tags=y&address[zip]=z&nme=1")),
        [
            "name /name: Must have at least 1 character, but has 0.",
            "age /age: Must be an integer, but is \"x\".",
            "1 /tags/1: Must be an integer, but is \"y\".",
            "zip /address/zip: Must be an integer, but is \"z\".",
            "nme /nme: Unknown property.",
        ]
    );
    assert_eq!(not_valid(check("name=a&age=1&age=2")), ["age /age: Must be an integer, but is an array."]);
    assert_eq!(
        sentence(check("name=%f&age=1")),
        "malformed: The body is not a valid form: field \"name\": Has a `%` that is not followed by two hexadecimal digits."
    );
    assert_eq!(
        sentence(rules.check_body(Some(b"application/x-www-form-urlencoded"), b"\xff")),
        "malformed: The body is not valid UTF-8 at byte 0."
    );
}

#[test]
fn parameters_distinguish_media_types() {
    let documents = Documents::inline(
        json!({"basic": {"type": "object", "required": ["a"]}, "full": {"type": "object", "required": ["b"]}}),
        Version::V31,
    );
    let media = |media_type: &str, pointer| Media {
        media_type: media_type.to_owned(),
        schema: Some(at(&documents, pointer)),
        encodings: Vec::new(),
    };
    let content = vec![
        media("application/vnd.x+json; type=basic", "/basic"),
        media("application/vnd.x+json; type=full", "/full"),
        media("application/json; version=1", "/basic"),
    ];
    let body = Body { required: true, content, at: at(&documents, "") };
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[], Some(&body));
    let check = |content_type: &str, body: &[u8]| rules.check_body(Some(content_type.as_bytes()), body);
    assert_eq!(check("application/vnd.x+json; type=basic", br#"{"a":1}"#), Ok(()));
    assert_eq!(check("Application/VND.x+JSON;charset=utf-8;Type=\"full\"", br#"{"b":1}"#), Ok(()));
    assert_eq!(not_valid(check("application/vnd.x+json; type=full", br#"{"a":1}"#)).len(), 1);
    assert_eq!(check("application/json; version=1", br#"{"a":1}"#), Ok(()));
    for other in ["application/json; version=2", "application/json", "application/vnd.x+json; type=FULL"] {
        assert!(sentence(check(other, b"{}")).contains("version=1"), "{other}");
    }
}

#[test]
fn a_range_with_a_suffix_takes_the_types_that_have_it() {
    let (rules, warnings) =
        body_rules(json!({"schema": {"type": "integer"}}), Version::V31, "application/*+json");
    assert_eq!(warnings, []);
    assert_eq!(rules.check_body(Some(b"application/vnd.x+json"), b"1"), Ok(()));
    assert_eq!(not_valid(rules.check_body(Some(b"application/vnd.x+json"), b"{}")).len(), 1);
    assert!(sentence(rules.check_body(Some(b"application/xml"), b"1")).starts_with("media type"));
}

#[test]
fn whole_numbers_are_compared_by_all_of_their_digits() {
    let int64 = |more: Value| {
        let mut schema = json!({"type": "integer", "format": "int64"});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body_rules(json!({ "schema": schema }), Version::V31, "application/json").0
    };
    let rules = int64(json!({}));
    for fine in ["-9223372036854775808", "9223372036854775807", "-9.0"] {
        assert_eq!(rules.check_body(JSON, fine.as_bytes()), Ok(()), "{fine}");
    }
    for wrong in
        ["-9223372036854775809", "9223372036854775808", "-9223372036854776000", "9223372036854775808.0"]
    {
        assert_eq!(not_valid(rules.check_body(JSON, wrong.as_bytes())).len(), 1, "{wrong}");
    }
    let rules = int64(json!({"maximum": 9_223_372_036_854_775_808_u64}));
    assert_eq!(not_valid(rules.check_body(JSON, b"9223372036854775808")).len(), 1);
    let rules = int64(json!({"minimum": 9_223_372_036_854_775_806_u64}));
    assert_eq!(not_valid(rules.check_body(JSON, b"9223372036854775805")).len(), 1);
}

#[test]
fn a_byte_order_mark_before_a_body_is_named() {
    let (rules, _) = body_rules(json!({"schema": {"type": "integer"}}), Version::V31, "application/json");
    for body in [&b"\xef\xbb\xbf1"[..], b"\xff\xfe1\0"] {
        assert!(sentence(rules.check_body(JSON, body)).contains("byte order mark"), "{body:?}");
    }
    let urlencoded = "application/x-www-form-urlencoded";
    let (rules, _) = body_rules(json!({"schema": {"type": "object"}}), Version::V31, urlencoded);
    assert_eq!(
        sentence(rules.check_body(Some(urlencoded.as_bytes()), "\u{feff}a=1".as_bytes())),
        "malformed: The body is not a valid form: it begins with a byte order mark (U+FEFF)."
    );
    let text = json!({"schema": {"type": "string", "maxLength": 2}});
    let (rules, _) = body_rules(text, Version::V31, "text/plain");
    let check = |body: &[u8]| rules.check_body(Some(b"text/plain"), body);
    assert_eq!(check("\u{feff}a".as_bytes()), Ok(()));
    assert_eq!(
        not_valid(check("\u{feff}ab".as_bytes())),
        [
            " : Must have at most 2 characters, but has 3. The body begins with a byte order mark (U+FEFF), which counts as a character."
        ]
    );
    assert_eq!(
        sentence(check(b"\xff\xfea\0")),
        "malformed: The body is not valid UTF-8: it begins with a byte order mark of UTF-16."
    );
}

#[test]
fn a_body_of_more_values_than_it_may_have_is_not_checked() {
    let (rules, _) = body_rules(form(), Version::V30, "application/x-www-form-urlencoded");
    let content_type = Some(&b"application/x-www-form-urlencoded"[..]);
    assert_eq!(rules.check_body_of(content_type, b"name=a&age=7&tags=1", 3), Ok(()));
    assert_eq!(sentence(rules.check_body_of(content_type, b"name=a&age=7&tags=1", 2)), "more than 2 values");
    let (rules, _) = body_rules(form(), Version::V30, "multipart/form-data");
    let body = parts(&[
        ("name=name", b"a"),
        ("name=age", b"7"),
        ("name=address\r\nContent-Type: application/json", br#"{"zip":5}"#),
    ]);
    let content_type = Some(&b"multipart/form-data; boundary=XX"[..]);
    assert_eq!(rules.check_body_of(content_type, &body, 4), Ok(()));
    assert_eq!(sentence(rules.check_body_of(content_type, &body, 3)), "more than 3 values");
}

#[test]
fn violations_are_reported_up_to_their_bound_and_that_there_are_more() {
    let schema = json!({"schema": {"type": "array", "items": {"type": "integer", "minimum": 5}}});
    let (rules, _) = body_rules(schema, Version::V31, "application/json");
    let shown = |count: usize| {
        let body = format!("[{}1]", "1,".repeat(count - 1));
        let mut shown = not_valid(rules.check_body(JSON, body.as_bytes()));
        (shown.len(), shown.pop().unwrap())
    };
    assert_eq!(shown(50), (50, "49 /49: Must be at least 5, but is 1.".to_owned()));
    assert_eq!(shown(51), (51, " : There are 1 more violation; these are the first 50.".to_owned()));
    assert_eq!(shown(900), (51, " : There are 850 more violations; these are the first 50.".to_owned()));
    let (count, last) = shown(100_000);
    assert!(count == 51 && last.contains("at least 9"), "{last}");
}

#[test]
fn text_is_held_against_its_schema() {
    let (rules, _) =
        body_rules(json!({"schema": {"type": "string", "maxLength": 3}}), Version::V31, "text/plain");
    assert_eq!(rules.check_body(Some(b"text/plain"), "äöü".as_bytes()), Ok(()));
    assert_eq!(
        not_valid(rules.check_body(Some(b"text/plain"), b"abcd")),
        [" : Must have at most 3 characters, but has 4."]
    );
}

#[test]
fn members_that_are_read_only_are_never_required() {
    let document = json!({
        "schema": {"allOf": [{"$ref": "#/Base"}, {"required": ["id", "name"], "properties": {"name": {"type": "string"}}}]},
        "Base": {"type": "object", "required": ["id", "own"], "properties": {"id": {"$ref": "#/Id"}, "own": {"allOf": [{"$ref": "#/Id"}], "readOnly": true}}},
        "Id": {"type": "integer", "readOnly": true}
    });
    let (rules, _) = body_rules(document.clone(), Version::V31, "application/json");
    assert_eq!(rules.check_body(JSON, br#"{"name":"a"}"#), Ok(()));
    assert_eq!(rules.check_body(JSON, br#"{"name":"a","id":1}"#), Ok(()));
    assert_eq!(not_valid(rules.check_body(JSON, br#"{"id":"x"}"#)).len(), 2);
    let strictness = Strictness { read_only: ReadOnly::Refused, ..Strictness::default() };
    let (rules, _) = strict_body_rules(document, Version::V31, "application/json", strictness);
    assert_eq!(rules.check_body(JSON, br#"{"name":"a"}"#), Ok(()));
    assert_eq!(
        not_valid(rules.check_body(JSON, br#"{"name":"a","id":1}"#)),
        ["id /id: Read-only; do not send it."]
    );
    // One part requires what another makes read-only.
    let document = json!({
        "schema": {"allOf": [{"$ref": "#/Base"}, {"properties": {"id": {"readOnly": true}}}]},
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {}}}
    });
    let (rules, _) = body_rules(document, Version::V31, "application/json");
    assert_eq!(rules.check_body(JSON, b"{}"), Ok(()));
}

#[test]
fn rules_that_were_never_finished_take_nothing() {
    let documents = one(json!({"type": "integer"}), Version::V31);
    let media = Media {
        media_type: "application/json".to_owned(),
        schema: Some(at(&documents, "/schema")),
        encodings: Vec::new(),
    };
    let body = Body { required: true, content: vec![media], at: at(&documents, "") };
    let rules = RuleCompiler::new(&documents, Strictness::default()).operation(&[], &[], Some(&body));
    assert!(rules.check_body(JSON, b"1").is_err());
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    const TYPES: [&str; 4] =
        ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "text/plain"];

    thread_local! {
        static RULES: Vec<(&'static str, RequestRules)> =
            TYPES.iter().map(|&name| (name, body_rules(form(), Version::V31, name).0)).collect();
    }

    fn judge(body: &[u8]) {
        RULES.with(|rules| {
            for (media_type, rules) in rules {
                let content_type = format!("{media_type}; boundary=XX");
                let _ = rules.check_body(Some(content_type.as_bytes()), body);
            }
        });
    }

    proptest! {
        #[test]
        fn are_judged_without_panic(mut body: Vec<u8>, cut in 0_usize..600) {
            judge(&body);
            let mut whole = parts(&[("name=age", b"x"), ("name=\"a\\\"b;c\"; filename=\"", &body)]);
            whole.truncate(cut);
            body.extend(whole);
            judge(&body);
        }
    }
}
