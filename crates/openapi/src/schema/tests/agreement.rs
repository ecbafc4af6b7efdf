//! What a family of schemas generates passes, what breaks it is refused; and the quick check of scalars
//! agrees with the validator.

use super::{judged, judged_at};
use crate::{
    documents::Version,
    rules::ReadOnly,
    schema::{keywords, scalar::Scalar},
};
use instance::Part;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A schema, a value that it takes, and a value that it does not.
#[derive(Debug, Clone)]
struct Case {
    schema: Value,
    right: Value,
    wrong: Value,
}

fn leaf() -> impl Strategy<Value = Case> {
    prop_oneof![
        (-1_000_i64..1_000, 0_i64..50).prop_map(|(least, span)| Case {
            schema: json!({"type": "integer", "minimum": least, "maximum": least + span}),
            right: json!(least + span / 2),
            wrong: json!(least - 1),
        }),
        (1_usize..5, 0_usize..5).prop_map(|(least, span)| Case {
            schema: json!({"type": "string", "minLength": least, "maxLength": least + span}),
            right: json!("ä".repeat(least + span)),
            wrong: json!("ä".repeat(least + span + 1)),
        }),
        "[a-z]{1,8}".prop_map(|name| Case {
            schema: json!({"enum": [name, 7]}),
            right: json!(7),
            wrong: json!(format!("{name}!")),
        }),
        Just(Case { schema: json!({"type": ["boolean", "null"]}), right: json!(null), wrong: json!(0) }),
        Just(Case {
            schema: json!({"type": "string", "format": "date"}),
            right: json!("2024-02-29"),
            wrong: json!("2023-02-29")
        }),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            // An object of members, one of which is broken; another case, and an unknown member.
            (prop::collection::btree_map("[a-z]{1,6}", inner.clone(), 1..4), any::<prop::sample::Index>(), 0..3).prop_map(
                |(members, which, how)| {
                    let schemas: Map<String, Value> =
                        members.iter().map(|(name, case)| (name.clone(), case.schema.clone())).collect();
                    let right: Map<String, Value> =
                        members.iter().map(|(name, case)| (name.clone(), case.right.clone())).collect();
                    let names: Vec<&String> = members.keys().collect();
                    let name = names[which.index(names.len())];
                    let mut wrong = right.clone();
                    match how {
                        0 => wrong.insert(name.clone(), members[name].wrong.clone()),
                        1 => wrong.shift_remove(name),
                        _ => wrong.insert("UNKNOWN".to_owned(), json!(1)),
                    };
                    Case {
                        schema: json!({
                            "type": "object", "properties": schemas, "required": names, "additionalProperties": false
                        }),
                        right: Value::Object(right),
                        wrong: Value::Object(wrong),
                    }
                }
            ),
            (inner.clone(), 1_usize..4).prop_map(|(item, count)| {
                let right = vec![item.right.clone(); count];
                let mut wrong = right.clone();
                wrong[count - 1] = item.wrong.clone();
                Case { schema: json!({"type": "array", "items": item.schema}), right: json!(right), wrong: json!(wrong) }
            }),
            (inner.clone(), any::<bool>()).prop_map(|(case, any)| {
                // The other branch is for what no case generates.
                let branches = json!([{"type": "object", "required": ["NEVER"]}, case.schema]);
                let schema = if any { json!({ "anyOf": branches }) } else { json!({ "oneOf": branches }) };
                Case { schema, ..case }
            }),
            inner.prop_map(|case| Case {
                schema: json!({"allOf": [{"$ref": "#/inner"}], "inner": case.schema}),
                ..case
            }),
        ]
    })
}

/// References must resolve: what was nested moves to the root of the document.
fn document(schema: &Value) -> Value {
    fn hoist(value: &Value, found: &mut Vec<Value>) -> Value {
        match value {
            Value::Object(map) => {
                if let Some(inner) = map.get("inner").filter(|_| map.contains_key("allOf")) {
                    let inner = hoist(inner, found);
                    found.push(inner);
                    let pointer = format!("#/named/{}", found.len() - 1);
                    return json!({ "allOf": [{ "$ref": pointer }] });
                }
                Value::Object(map.iter().map(|(name, value)| (name.clone(), hoist(value, found))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| hoist(item, found)).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    let mut named = Vec::new();
    let schema = hoist(schema, &mut named);
    json!({ "schema": schema, "named": named })
}

fn scalar_schema() -> impl Strategy<Value = Value> {
    let bound = || prop::option::of(-5_i64..5);
    let bounds = (bound(), bound(), bound(), bound());
    prop_oneof![
        bounds.prop_map(|(least, most, above, below)| {
            let mut schema = json!({"type": "integer"});
            schema.as_object_mut().unwrap().extend(
                [
                    ("minimum", least),
                    ("maximum", most),
                    ("exclusiveMinimum", above),
                    ("exclusiveMaximum", below),
                ]
                .into_iter()
                .filter_map(|(name, bound)| Some((name.to_owned(), json!(bound?)))),
            );
            schema
        }),
        (0_u64..4, 0_u64..6)
            .prop_map(|(least, most)| json!({"type": "string", "minLength": least, "maxLength": most})),
        prop::collection::vec("[a-c]{0,2}", 1..4)
            .prop_map(|values| json!({"type": "string", "enum": values})),
        Just(json!({"type": "boolean"})),
    ]
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-8_i64..8).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-8_i64..8).prop_map(|number| Value::from(number as f64)),
        "[a-cä]{0,7}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
    ]
}

proptest! {
    #[test]
    fn what_a_schema_generates_passes_and_what_breaks_it_does_not(case in case()) {
        let document = document(&case.schema);
        for version in [Version::V30, Version::V31] {
            let check = |value| judged_at(&document, "/schema", version, ReadOnly::Ignored, value).unwrap().0;
            // 3.0 has no lists of types beyond what it ignores; the family is read the same by both.
            prop_assert_eq!(check(&case.right), []);
            prop_assert!(!check(&case.wrong).is_empty());
        }
    }

    #[test]
    fn scalars_are_checked_as_the_validator_checks_them(schema in scalar_schema(), value in any_scalar()) {
        let scalar = Scalar::of(schema.as_object().unwrap()).unwrap();
        let validator = instance::compile(&keywords::options(), &schema).unwrap();
        if let Some(fits) = scalar.judge(Part::Made(&value)) {
            prop_assert_eq!(fits, validator.is_valid(Part::Made(&value)));
        }
        if let Value::String(text) = &value {
            let is_text = schema["type"] == "string";
            prop_assert!(!is_text || scalar.fits(text) == validator.is_valid(Part::Made(&value)));
        }
        if value.is_i64() && schema["type"] == "integer" {
            prop_assert_eq!(scalar.fits(&value.to_string()), validator.is_valid(Part::Made(&value)));
        }
    }

    #[test]
    fn a_number_at_its_exclusive_bound_is_refused(bound in -5_i64..5) {
        for (keyword, inside) in [("exclusiveMinimum", bound + 1), ("exclusiveMaximum", bound - 1)] {
            let schema = json!({"type": "integer", keyword: bound});
            let scalar = Scalar::of(schema.as_object().unwrap()).unwrap();
            prop_assert_eq!(scalar.judge(Part::Made(&json!(bound))), Some(false));
            prop_assert_eq!(scalar.judge(Part::Made(&json!(inside))), Some(true));
            prop_assert!(!scalar.fits(&bound.to_string()) && scalar.fits(&inside.to_string()));
        }
    }

    #[test]
    fn any_schema_is_compiled_or_refused_without_panic(schema in any_json(), value in any_json()) {
        for version in [Version::V2, Version::V30, Version::V31] {
            let _ = judged(&schema, version, &value);
        }
    }
}

/// A number may be written in more than one way.
#[test]
fn choices_among_other_values_than_texts_are_left_to_the_validator() {
    for kind in ["integer", "boolean"] {
        let schema = json!({"type": kind, "enum": ["a", 1, true]});
        assert_eq!(Scalar::of(schema.as_object().unwrap()), None, "{kind}");
    }
}

/// JSON that is made of the keywords of schemas, in places where they make sense and where they do not.
fn any_json() -> impl Strategy<Value = Value> {
    let keyword = prop::sample::select(vec![
        "type",
        "enum",
        "const",
        "minimum",
        "maxLength",
        "pattern",
        "format",
        "items",
        "prefixItems",
        "contains",
        "properties",
        "required",
        "additionalProperties",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "unevaluatedProperties",
        "unevaluatedItems",
        "discriminator",
        "nullable",
        "readOnly",
        "$ref",
        "dependentRequired",
        "propertyNames",
        "patternProperties",
        "exclusiveMinimum",
        "multipleOf",
        "uniqueItems",
        "minContains",
        "mapping",
        "propertyName",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "object",
            "string",
            "integer",
            "#",
            "#/properties/type",
            "#/allOf/0",
            "(",
            "^a(?=b)",
            "a",
            "int32"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((keyword.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

#[test]
fn circles_of_references_end() {
    let circle = json!({"schema": {"allOf": [{"$ref": "#/other"}, {"type": "object"}]}, "other": {"anyOf": [{"$ref": "#/schema"}, {"type": "null"}]}});
    let check = |value| judged_at(&circle, "/schema", Version::V31, ReadOnly::Ignored, &value).unwrap().0;
    assert_eq!(check(json!({})), []);
    assert!(!check(json!(1)).is_empty());
    let alone = json!({"schema": {"$ref": "#/schema"}});
    assert!(
        judged_at(&alone, "/schema", Version::V31, ReadOnly::Ignored, &json!(1))
            .unwrap_err()
            .contains("circular")
    );
}

#[test]
fn a_value_as_deep_as_json_may_be_is_checked_through_references() {
    let list = json!({"schema": {"type": "object", "properties": {"next": {"$ref": "#/schema"}, "value": {"type": "integer"}}}});
    let mut value = json!({"value": "x"});
    for _ in 0..120 {
        value = json!({ "next": value });
    }
    let found = judged_at(&list, "/schema", Version::V31, ReadOnly::Ignored, &value).unwrap().0;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "Must be an integer, but is \"x\".");
}

#[test]
fn alternatives_inside_alternatives_end_in_a_refusal() {
    // Each level asks the next one twice: 2^60 steps, if nothing counted them.
    let mut document = json!({"schema": {"$ref": "#/level0"}, "level60": {"type": "string"}});
    for level in 0..60 {
        let next = format!("#/level{}", level + 1);
        document[format!("level{level}")] =
            json!({"anyOf": [{"$ref": next, "minimum": 0}, {"$ref": next, "minimum": -1}]});
    }
    let found = judged_at(&document, "/schema", Version::V31, ReadOnly::Ignored, &json!(1)).unwrap().0;
    assert!(found[0].message.contains("too many alternatives"), "{found:?}");
}

#[test]
fn a_chain_of_references_longer_than_the_stack_is_refused() {
    let mut document = json!({"schema": {"$ref": "#/level0"}, "level2000": {"type": "string"}});
    for level in 0..2_000 {
        document[format!("level{level}")] =
            json!({"allOf": [{"$ref": format!("#/level{}", level + 1)}, {"minLength": 1}]});
    }
    let found = judged_at(&document, "/schema", Version::V31, ReadOnly::Ignored, &json!("x")).unwrap().0;
    assert!(found[0].message.contains("Too deeply nested"), "{found:?}");
}

#[test]
fn what_is_not_enforced_is_named() {
    let schema = json!({"schema": {
        "type": "string", "pattern": "^(?!a)", "format": "iban", "minimum": "5", "frobnicate": 1, "x-own": 1,
        "maxLength": -1, "$dynamicRef": "#x"
    }});
    let (found, warnings) =
        judged_at(&schema, "/schema", Version::V31, ReadOnly::Ignored, &json!("a")).unwrap();
    assert_eq!(found, []);
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Unknown keyword `frobnicate`; it is not enforced.",
            "The keyword `$dynamicRef` is not enforced.",
            "`minimum` is a string; it is read as a number.",
            "`maxLength` must be a non-negative integer, but is -1; it is not enforced.",
            "The pattern \"^(?!a)\" uses look-around or backreferences, which cannot be matched in linear time; it is not enforced.",
            "Unknown format \"iban\"; it is not enforced.",
        ]
    );
}
