//! Text is converted by all keywords of its schema: right values pass, and wrong ones do not.

use super::{
    bodies::{not_valid, sentence},
    query_names::refuses_unknown,
    *,
};
use crate::{api::Encoding, rules::BodyFault};

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// Whether a query is right for the parameter `p`.
fn query(schema: &Value, style: Style, explode: bool, query: &str) -> bool {
    let documents = one(schema.clone(), Version::V31);
    let parameter = styled(&documents, In::Query, style, explode);
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
    rules.check_parameters(&sent(&[], Some(query), &Lines(vec![]))).is_empty()
}

/// The result of a form whose member `c` has this encoding.
fn form(
    schema: &Value,
    media_type: &str,
    (style, explode): (Style, bool),
    content_type: &[u8],
    body: &[u8],
) -> Result<(), BodyFault> {
    let documents = one(schema.clone(), Version::V31);
    let encoding = Encoding {
        name: "c".to_owned(),
        content_types: Vec::new(),
        style: Some(style),
        explode: Some(explode),
        allow_reserved: false,
    };
    let schema = Some(at(&documents, "/schema"));
    let media = Media { media_type: media_type.to_owned(), schema, encodings: vec![encoding] };
    let body_of = Body { required: true, content: vec![media], at: at(&documents, "") };
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &[], Some(&body_of));
    rules.check_body(Some(content_type), body)
}

#[test]
fn encoded_commas_separate_items_wherever_the_list_is() {
    let integers = json!({"type": "array", "items": {"type": "integer"}});
    let named = |schema: Value| json!({"$defs": {"l": integers}, "allOf": [schema]});
    for schema in [
        integers.clone(),
        named(json!({"$ref": "#/schema/$defs/l"})),
        named(json!({"anyOf": [{"$ref": "#/schema/$defs/l"}, {"type": "null"}]})),
        named(json!({"oneOf": [integers, {"type": "null"}]})),
        json!({"type": ["array", "null"], "items": {"enum": [1, 2]}}),
        json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "items": false}),
    ] {
        for text in ["p=1%2C2", "p=1,2", "p=1%2c2"] {
            assert!(query(&schema, Style::Form, false, text), "{schema} {text}");
        }
        assert!(!query(&schema, Style::Form, false, "p=1%2Cx"), "{schema}");
        let form_schema = json!({"properties": {"c": schema}, "$defs": {"l": integers}});
        for text in ["c=1%2C2", "c=1,2"] {
            let result = form(
                &form_schema,
                "application/x-www-form-urlencoded",
                (Style::Form, false),
                FORM,
                text.as_bytes(),
            );
            assert_eq!(result, Ok(()), "{form_schema} {text}");
        }
    }
    // Where one alternative may have a comma in an item, only the comma that is written parts.
    let either = json!({"anyOf": [{"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 1},
        {"type": "array", "items": {"type": "integer"}}]});
    assert!(query(&either, Style::Form, false, "p=a%2Cb") && query(&either, Style::Form, false, "p=1,2"));
    assert!(!query(&either, Style::Form, false, "p=abc%2Cdef"));
}

#[test]
fn encoded_commas_part_the_members_of_an_object() {
    let object = json!({"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}});
    for (text, is_right) in [
        ("p=x%2C1", true),
        ("p=x%2C1%2Cy%2Ca", true),
        ("p=x,1,y,a%2Cb", true),
        ("p=x%2Ca", false),
        ("p=x,1%2C2", false),
        ("p=x%2C1%2Cy", false),
    ] {
        assert_eq!(query(&object, Style::Form, false, text), is_right, "{text}");
    }
}

#[test]
fn a_part_of_a_form_is_split_by_its_style() {
    let schema = json!({"type": "object", "properties": {"c": {
        "type": "array", "items": {"type": "integer"}, "maxItems": 3}}});
    let check = |style: (Style, bool), parts: &[&str]| {
        let parts: Vec<_> = parts.iter().map(|text| ("name=c", text.as_bytes())).collect();
        let body = super::parts::parts(&parts);
        form(&schema, "multipart/form-data", style, b"multipart/form-data; boundary=XX", &body)
    };
    for (style, text) in [
        (Style::Form, "1,2"),
        (Style::Form, "1"),
        (Style::SpaceDelimited, "1 2"),
        (Style::TabDelimited, "1\t2"),
        (Style::PipeDelimited, "1|2"),
    ] {
        assert_eq!(check((style, false), &[text]), Ok(()), "{text}");
    }
    assert_eq!(not_valid(check((Style::Form, false), &["1,x"])).len(), 1);
    assert_eq!(
        not_valid(check((Style::Form, false), &["1,2,3,4"])),
        ["c /c: Must have at most 3 items, but has 4."]
    );
    assert_eq!(not_valid(check((Style::SpaceDelimited, false), &["1+2"])).len(), 1);
    assert_eq!(
        sentence(check((Style::Form, false), &["1", "2"])),
        "malformed: The body is not valid multipart/form-data: part \"c\" is there more than once."
    );
    let files = json!({"properties": {"c": {"type": "array", "items": {"type": "file"}}}});
    let body = super::parts::parts(&[("name=c; filename=a", b"1,2"), ("name=c; filename=b", b"\xff")]);
    let result =
        form(&files, "multipart/form-data", (Style::Form, false), b"multipart/form-data; boundary=XX", &body);
    assert_eq!(result, Ok(()));
    assert_eq!(check((Style::Form, true), &["1", "2"]), Ok(()));
    assert_eq!(not_valid(check((Style::Form, true), &["1,2"])).len(), 1);
}

#[test]
fn every_keyword_of_2020_12_types_text() {
    let integer = json!({"type": "integer"});
    let rows = [
        (json!({"type": "array", "prefixItems": [integer, {"type": "boolean"}]}), "p=1&p=true&p=x", "p=x"),
        (json!({"type": "array", "contains": integer}), "p=x&p=1", "p=x"),
        (json!({"type": "array", "unevaluatedItems": integer}), "p=1&p=2", "p=x"),
        (json!({"type": "object", "patternProperties": {"^y": integer}}), "y1=1&z=a", "y1=a"),
        (
            json!({"type": "object", "properties": {"y1": {"maximum": 5}}, "patternProperties": {"^y": integer}}),
            "y1=1",
            "y1=6",
        ),
        (
            json!({"type": "object", "properties": {"a": {}}, "unevaluatedProperties": integer}),
            "a=x&b=1",
            "b=x",
        ),
        (
            json!({"type": "object", "properties": {"k": {"type": "string"}, "n": {}},
                "if": {"properties": {"k": {"const": "a"}}}, "then": {"properties": {"n": integer}},
                "else": {"properties": {"n": {"type": "boolean"}}}}),
            "k=a&n=1",
            "k=a&n=true",
        ),
        (
            json!({"type": "object", "properties": {"k": {"type": "string"}, "n": {}},
                "if": {"properties": {"k": {"const": "a"}}}, "then": {"properties": {"n": integer}}}),
            "k=b&n=x",
            "k=a&n=x",
        ),
        (
            json!({"type": "object", "properties": {"k": {}}, "dependentSchemas": {"k": {"properties": {"n": integer}}}}),
            "k=1&n=2",
            "k=1&n=x",
        ),
        (
            json!({"type": "object", "properties": {"n": {"type": "integer"}},
                "allOf": [{"properties": {"n": {"minimum": 3}}}]}),
            "n=3",
            "n=2",
        ),
    ];
    for (schema, right, wrong) in rows {
        assert!(query(&schema, Style::Form, true, right), "{schema} {right}");
        assert!(!query(&schema, Style::Form, true, wrong), "{schema} {wrong}");
        if schema["type"] == "object" {
            let (rules, _) =
                body_rules(json!({ "schema": schema }), Version::V31, "application/x-www-form-urlencoded");
            assert_eq!(rules.check_body(Some(FORM), right.as_bytes()), Ok(()), "{schema} {right}");
            assert!(
                !not_valid(rules.check_body(Some(FORM), wrong.as_bytes())).is_empty(),
                "{schema} {wrong}"
            );
        }
    }
}

#[test]
fn bounds_of_numbers_hold_without_a_type() {
    for schema in [json!({"minimum": 3}), json!({"allOf": [{"minimum": 3}]}), json!({"multipleOf": 3})] {
        for (text, is_right) in [("p=3", true), ("p=1", false), ("p=1.5", false), ("p=abc", true)] {
            assert_eq!(query(&schema, Style::Form, true, text), is_right, "{schema} {text}");
        }
    }
    let no_text = json!({"not": {"type": "string"}});
    assert!(query(&no_text, Style::Form, true, "p=1") && !query(&no_text, Style::Form, true, "p=x"));
    let text = json!({"type": ["string", "integer"], "minimum": 3});
    assert!(query(&text, Style::Form, true, "p=1"), "it is text as well");
}

#[test]
fn names_that_a_pattern_takes_are_known() {
    for schema in [
        json!({"type": "object", "properties": {"x": {}}, "patternProperties": {"^y": {"type": "integer"}}}),
        json!({"type": "object", "patternProperties": {"^y|^x$": {"type": "integer"}}, "additionalProperties": false}),
    ] {
        let rules = refuses_unknown(json!({ "schema": schema }), |documents| {
            vec![styled(documents, In::Query, Style::Form, true)]
        });
        let run = |query: &str| listed(&rules.check_parameters(&sent(&[], Some(query), &Lines(vec![]))));
        assert_eq!(run("y1=1&x=1"), [""; 0], "{schema}");
        assert_eq!(run("y1=1&z=1"), ["PARAMETER_NOT_VALID query z: Unknown parameter."], "{schema}");
    }
}
