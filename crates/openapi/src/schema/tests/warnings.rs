//! What no author can mean in a schema: a warning names it, and right values pass.

use super::judged_at;
use crate::{documents::Version, rules::ReadOnly};
use serde_json::{Value, json};

/// What is wrong with values of a schema, by their pointers, and what is warned of.
fn checked(schema: &Value, version: Version, value: &Value) -> (Vec<String>, Vec<String>) {
    let document =
        json!({ "schema": schema, "Pet": {"type": "integer"}, "Named": {"$ref": "#/Pet", "minimum": 5} });
    let (found, warnings) = judged_at(&document, "/schema", version, ReadOnly::Ignored, value).unwrap();
    (
        found.into_iter().map(|found| format!("{} {}", found.pointer, found.message)).collect(),
        warnings.into_iter().map(|warning| format!("{} {}", warning.spot.pointer, warning.message)).collect(),
    )
}

#[test]
fn what_no_author_can_mean_is_a_warning() {
    for (schema, warning) in [
        (json!({"type": []}), "/schema `type` is empty; it is not enforced."),
        (json!({"oneOf": []}), "/schema `oneOf` is empty; it is not enforced."),
        (json!({"allOf": []}), "/schema `allOf` is empty; it is not enforced."),
        (
            json!({"minimum": 5, "maximum": 3}),
            "/schema `minimum` is 5 and `maximum` is 3, so no value is valid.",
        ),
        (
            json!({"minLength": 2, "maxLength": 1}),
            "/schema `minLength` is 2 and `maxLength` is 1, so no value is valid.",
        ),
        (
            json!({"properties": {"a": {"readOnly": "true"}}}),
            "/schema/properties/a `readOnly` must be a boolean, but is \"true\"; it is not enforced.",
        ),
        (json!({"required": [200]}), "/schema `required` has 200, which is not a string; it is read as one."),
        (
            json!({"required": [{}]}),
            "/schema `required` must be an array of names, but is an object; it is not enforced.",
        ),
        (
            json!({"pattern": "^[[:alpha:]]+$"}),
            "/schema The pattern \"^[[:alpha:]]+$\" has a POSIX class, which JSON Schema does not know: its characters \
             are matched literally. Write a range such as [A-Za-z].",
        ),
        (
            json!({"pattern": "^\\\\d+$"}),
            "/schema The pattern \"^\\\\d+$\" matches a backslash: it is escaped twice, so hardly any value matches. Write \
             \"^\\d+$\".",
        ),
        (
            json!({"pattern": "^a$/i"}),
            "/schema The pattern \"^a$/i\" looks like a JavaScript literal: its delimiters and flags are matched as text, \
             so hardly any value matches. Write \"^a$\".",
        ),
    ] {
        assert_eq!(checked(&schema, Version::V31, &json!(true)).1, [warning], "{schema}");
    }
    assert_eq!(
        checked(&json!({"required": [200]}), Version::V31, &json!({})).0,
        ["/200 Required but missing."]
    );
}

#[test]
fn values_of_another_type_are_converted_one_by_one() {
    for (schema, right, wrong, warning) in [
        (
            json!({"type": "string", "enum": [1.5, "latest"]}),
            json!("1.5"),
            json!(1.5),
            "`enum` has values that are not of type string; they are converted.",
        ),
        (
            json!({"type": "string", "enum": [true, "auto", null]}),
            json!("true"),
            json!("false"),
            "`enum` has values that are not of type string; they are converted.",
        ),
        (
            json!({"type": "string", "const": 1.5}),
            json!("1.5"),
            json!("1.50"),
            "The value of `const` is not of type string; it is converted.",
        ),
        (
            json!({"type": "integer", "enum": ["1", 2]}),
            json!(1),
            json!("1"),
            "`enum` has values that are not of type integer; they are converted.",
        ),
    ] {
        let (found, warnings) = checked(&schema, Version::V31, &right);
        assert_eq!((found.len(), warnings), (0, vec![format!("/schema {warning}")]), "{schema} {right}");
        assert_ne!(checked(&schema, Version::V31, &wrong).0, [""; 0], "{schema} {wrong}");
    }
    assert_eq!(
        checked(&json!({"type": "string", "enum": ["a", null]}), Version::V31, &json!("a")).1,
        [""; 0]
    );
}

#[test]
fn keywords_beside_a_reference_are_named_where_they_are_ignored() {
    let schema = json!({"properties": {
        "a": {"$ref": "#/Pet", "nullable": true, "maximum": 3, "description": "x"}, "b": {"$ref": "#/Named"},
        "c": {"$ref": "#/Pet", "description": "x"}
    }});
    let warning = |place: &str, names: &str| {
        format!(
            "{place} OpenAPI 3.0 ignores the keywords beside a `$ref`: {names}. To apply it, write the `$ref` within `allOf`."
        )
    };
    let (found, warnings) = checked(&schema, Version::V30, &json!({"a": 5, "b": 1, "c": 1}));
    assert_eq!(found, [""; 0]);
    assert_eq!(
        warnings,
        [warning("/schema/properties/a", "nullable, maximum"), warning("/Named", "minimum")]
    );
    let (found, _) = checked(&schema, Version::V31, &json!({"a": 5, "b": 1}));
    assert_eq!(found, ["/a Must be at most 3, but is 5.", "/b Must be at least 5, but is 1."]);
}

#[test]
fn an_object_without_other_members_names_each_of_them() {
    let closed = json!({"type": "object", "additionalProperties": false});
    let nested =
        json!({"properties": {"a": closed, "b": {"properties": {"p": {}}, "additionalProperties": false}}});
    assert_eq!(
        checked(&nested, Version::V31, &json!({"a": {"q": 1, "r": {}}, "b": {"q": 1}})).0,
        ["/a/q Unknown property.", "/a/r Unknown property.", "/b/q Unknown property."]
    );
    assert_eq!(checked(&closed, Version::V31, &json!({"q": 1})).0, ["/q Unknown property."]);
    let named = json!({"properties": {"additionalProperties": false}});
    assert_eq!(
        checked(&named, Version::V31, &json!({"additionalProperties": {"x": 1}})).0,
        ["/additionalProperties Must not be present."]
    );
    // Required, but not named: it cannot be sent, and it is not missing.
    for required in [json!(["q"]), json!(["q", "p"])] {
        let schema = json!({"required": required, "properties": {"p": {}}, "additionalProperties": false});
        for schema in [schema.clone(), json!({"oneOf": [schema, {"type": "integer"}]})] {
            assert_eq!(
                checked(&schema, Version::V31, &json!({"q": 1, "p": 1})).0,
                ["/q Unknown property."],
                "{schema}"
            );
        }
    }
}
