//! What clients read: each kind of violation, as a table that a person can read through.

use super::judged_at;
use crate::{documents::Version, rules::ReadOnly};
use serde_json::{Value, json};
use std::fmt::Write;

struct Table {
    text: String,
    version: Version,
    read_only: ReadOnly,
}

impl Table {
    fn rows(&mut self, title: &str, schema: Value, values: &[Value]) {
        let document = if schema.get("schema").is_some() { schema } else { json!({ "schema": schema }) };
        writeln!(self.text, "# {title}").unwrap();
        for value in values {
            let (found, _) = judged_at(&document, "/schema", self.version, self.read_only, value).unwrap();
            assert!(!found.is_empty(), "{title}: {value} should be refused");
            let mut shown = value.to_string();
            if shown.chars().count() > 90 {
                shown = shown.chars().take(90).chain("…".chars()).collect();
            }
            writeln!(self.text, "  {shown}").unwrap();
            for one in found {
                writeln!(self.text, "      {:<14} {}", format!("[{}]", one.pointer), one.message).unwrap();
            }
        }
    }
}

fn table(version: Version) -> Table {
    Table { text: String::new(), version, read_only: ReadOnly::Ignored }
}

fn scalars(table: &mut Table) {
    let any = [json!(null), json!(true), json!(5), json!(1.5), json!("x"), json!([1]), json!({"a": 1})];
    table.rows("type: string", json!({"type": "string"}), &any[..3]);
    table.rows("type: integer", json!({"type": "integer"}), &any[3..]);
    table.rows("type: [string, null]", json!({"type": ["null", "string"]}), &any[2..3]);
    table.rows("type: [boolean, object, array]", json!({"type": ["boolean", "object", "array"]}), &any[..1]);
    table.rows(
        "minimum, maximum",
        json!({"minimum": 1, "maximum": 100}),
        &[json!(0), json!(101), json!(0.5)],
    );
    table.rows(
        "exclusive bounds",
        json!({"exclusiveMinimum": 0, "exclusiveMaximum": 1.5}),
        &[json!(0), json!(1.5)],
    );
    table.rows("multipleOf", json!({"multipleOf": 5}), &[json!(7)]);
    table.rows("multipleOf a fraction", json!({"multipleOf": 0.01}), &[json!(0.015)]);
    table.rows("int32", json!({"type": "integer", "format": "int32"}), &[json!(3_000_000_000_u32)]);
    table.rows("int64", json!({"type": "integer", "format": "int64"}), &[json!(u64::MAX)]);
    table.rows("int64 as digits", json!({"type": "string", "format": "int64"}), &[json!("12a")]);
    table.rows("minLength, maxLength", json!({"minLength": 1, "maxLength": 3}), &[json!(""), json!("äöüß")]);
    table.rows("minLength 2", json!({"type": "string", "minLength": 2}), &[json!("x")]);
    table.rows("pattern", json!({"pattern": "^[a-z]+$"}), &[json!("A1"), json!("Z".repeat(200))]);
    table.rows(
        "enum",
        json!({"enum": ["asc", "desc"]}),
        &[json!("up"), json!("dsc"), json!(1), json!("ASC")],
    );
    table.rows("enum of numbers", json!({"enum": [1, 2.5, null]}), &[json!(3), json!("1")]);
    table.rows("enum of one", json!({"enum": ["only"]}), &[json!("other")]);
    let many: Vec<String> = (0..30).map(|at| format!("choice-{at}")).collect();
    table.rows("enum of many", json!({ "enum": many }), &[json!("choice"), json!("chocie-3")]);
    table.rows("const", json!({"const": {"a": [1, 2]}}), &[json!({"a": []})]);
    for (format, wrong) in [
        ("date", "2026-02-30"),
        ("date-time", "2026-01-31 12:00"),
        ("time", "25:00:00Z"),
        ("duration", "1 day"),
        ("email", "name"),
        ("hostname", "-a"),
        ("ipv4", "1.2.3"),
        ("ipv6", "::g"),
        ("uri", "/a"),
        ("uri-reference", "\\a"),
        ("uuid", "123"),
        ("byte", "a"),
        ("json-pointer", "a"),
        ("regex", "("),
    ] {
        table.rows(
            &format!("format: {format}"),
            json!({"type": "string", "format": format}),
            &[json!(wrong)],
        );
    }
    table.rows("control characters are shown escaped", json!({"type": "integer"}), &[json!("a\nb\u{0}")]);
}

fn arrays_and_objects(table: &mut Table) {
    table.rows("minItems, maxItems", json!({"minItems": 1, "maxItems": 2}), &[json!([]), json!([1, 2, 3])]);
    table.rows(
        "uniqueItems",
        json!({"uniqueItems": true}),
        &[json!(["a", "b", "a"]), json!([{"a": 1}, {"a": 1}])],
    );
    table.rows("items", json!({"items": {"type": "integer"}}), &[json!([1, "x", 2, null])]);
    table.rows(
        "prefixItems",
        json!({"prefixItems": [{"type": "string"}], "items": false}),
        &[json!([1]), json!(["a", 2])],
    );
    table.rows("contains", json!({"contains": {"const": 1}}), &[json!([2])]);
    table.rows("contains, twice", json!({"contains": {"const": 1}, "minContains": 2}), &[json!([1, 2])]);
    table.rows(
        "unevaluatedItems",
        json!({"prefixItems": [true], "unevaluatedItems": false}),
        &[json!([1, 2, 3])],
    );
    let closed = json!({"properties": {"colour": {}, "size": {}}, "additionalProperties": false});
    table.rows(
        "additionalProperties",
        closed,
        &[json!({"color": 1}), json!({"weight": 1, "Size": 1}), json!({"a/b~c": 1})],
    );
    let open = json!({"required": ["name", "createdAt"], "properties": {"name": {}, "createdAt": {}}});
    table.rows("required", open, &[json!({}), json!({"nmae": 1, "created_at": 2}), json!({"name": 1})]);
    table.rows(
        "minProperties, maxProperties",
        json!({"minProperties": 2, "maxProperties": 2}),
        &[json!({"a": 1}), json!({"a": 1, "b": 2, "c": 3})],
    );
    table.rows("propertyNames", json!({"propertyNames": {"pattern": "^[a-z]+$"}}), &[json!({"A": 1})]);
    table.rows(
        "patternProperties",
        json!({"patternProperties": {"^x-": {"type": "string"}}}),
        &[json!({"x-a": 1})],
    );
    table.rows(
        "dependentRequired",
        json!({"dependentRequired": {"card": ["address"]}}),
        &[json!({"card": 1})],
    );
    table.rows(
        "dependentSchemas",
        json!({"dependentSchemas": {"card": {"properties": {"sum": {"minimum": 1}}}}}),
        &[json!({"card": 1, "sum": 0})],
    );
    table.rows("a member that may not be there", json!({"properties": {"old": false}}), &[json!({"old": 1})]);
    let composed = json!({
        "allOf": [{"properties": {"first": {}}}], "properties": {"second": {}}, "unevaluatedProperties": false
    });
    table.rows("unevaluatedProperties", composed, &[json!({"first": 1, "secnd": 2})]);
    let nested = json!({"properties": {"a": {"items": {"properties": {"b~/c": {"type": "integer"}}, "required": ["d"]}}}});
    table.rows(
        "in the order of the value",
        nested,
        &[json!({"a": [{"d": 1}, {"b~/c": "x"}, {"d": 1, "b~/c": null}]})],
    );
    table.rows(
        "no more than a person reads",
        json!({"items": {"type": "string"}}),
        &[Value::from((0..53).collect::<Vec<_>>())],
    );
}

fn alternatives(table: &mut Table) {
    let shapes = json!({
        "schema": {"oneOf": [{"$ref": "#/Circle"}, {"$ref": "#/Square"}]},
        "Circle": {"type": "object", "required": ["kind", "radius"], "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}},
        "Square": {"type": "object", "required": ["kind", "side"], "properties": {"kind": {"const": "square"}, "side": {"type": "number"}}}
    });
    table.rows(
        "oneOf: the branch that fits best",
        shapes,
        &[json!({"kind": "circle", "radius": "x"}), json!({"kind": "square"}), json!(1)],
    );
    table.rows("oneOf: several fit", json!({"schema": {"oneOf": [{"$ref": "#/Whole"}, {"$ref": "#/Small"}]}, "Whole": {"type": "integer"}, "Small": {"maximum": 5}}), &[json!(3)]);
    table.rows(
        "anyOf: types",
        json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
        &[json!(5), json!([5])],
    );
    table.rows(
        "anyOf: one of the members",
        json!({"type": "object", "anyOf": [{"required": ["email"]}, {"required": ["phone"]}]}),
        &[json!({})],
    );
    table.rows("not", json!({"not": {"required": ["a", "b"]}}), &[json!({"a": 1, "b": 1})]);
    table.rows("not a value", json!({"not": {"enum": ["admin"]}}), &[json!("admin")]);
    table.rows("not a type", json!({"not": {"type": "null"}}), &[json!(null)]);
    table.rows("not, of something else", json!({"not": {"minimum": 5}}), &[json!(7)]);
    let conditional = json!({
        "if": {"properties": {"country": {"const": "DE"}}}, "then": {"required": ["zip"]}, "else": {"required": ["region"]}
    });
    table.rows("if, then, else", conditional, &[json!({"country": "DE"}), json!({"country": "FR"})]);
    let discriminated = |otherwise: Value| {
        let mut discriminator =
            json!({"propertyName": "petType", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}});
        if !otherwise.is_null() {
            discriminator["defaultMapping"] = otherwise;
        }
        json!({
            "schema": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}], "discriminator": discriminator},
            "components": {"schemas": {
                "Cat": {"type": "object", "required": ["lives", "petType"], "properties": {"lives": {"type": "integer"}}},
                "Dog": {"type": "object", "required": ["bark", "petType"], "properties": {"bark": {"type": "boolean"}}}
            }}
        })
    };
    let values = [
        json!({"petType": "cat"}),
        json!({"petType": "dgo"}),
        json!({"bark": true}),
        json!({"petType": 5}),
        json!("x"),
    ];
    table.rows("discriminator", discriminated(Value::Null), &values);
    table.rows("discriminator with defaultMapping", discriminated(json!("Dog")), &values[1..2]);
}

#[test]
fn sentences_of_json_schema() {
    let mut table = table(Version::V31);
    scalars(&mut table);
    arrays_and_objects(&mut table);
    alternatives(&mut table);
    insta::assert_snapshot!("sentences", table.text);
}

#[test]
fn sentences_of_older_dialects() {
    let mut table = table(Version::V30);
    table.rows(
        "3.0: nullable",
        json!({"type": "string", "nullable": true, "enum": ["a"]}),
        &[json!("b"), json!(1)],
    );
    table.rows("3.0: exclusiveMinimum", json!({"minimum": 0, "exclusiveMinimum": true}), &[json!(0)]);
    let animals = json!({
        "schema": {"$ref": "#/components/schemas/Animal"},
        "components": {"schemas": {
            "Animal": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "discriminator": {"propertyName": "kind"}},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Animal"}, {"required": ["lives"], "properties": {"lives": {"type": "integer"}}}]},
            "Lion": {"allOf": [{"$ref": "#/components/schemas/Cat"}, {"required": ["pride"]}]}
        }}
    });
    let values = [
        json!({"kind": "Cat"}),
        json!({"kind": "Lion", "lives": "9"}),
        json!({"kind": "Loin"}),
        json!({}),
        json!(1),
    ];
    table.rows("3.0: a parent and its children", animals, &values);
    let pet = json!({"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer", "readOnly": true}, "name": {}}});
    table.rows("readOnly is not required, but checked", pet.clone(), &[json!({"id": "x"})]);
    table.read_only = ReadOnly::Refused;
    table.rows("readOnly refused", pet, &[json!({"id": 1, "name": 1})]);
    table.read_only = ReadOnly::Ignored;
    table.version = Version::V2;
    table.rows("2.0: x-nullable", json!({"type": "integer", "x-nullable": true}), &[json!("1")]);
    table.rows("2.0: a tuple", json!({"type": "array", "items": [{"type": "string"}]}), &[json!([1])]);
    insta::assert_snapshot!("older", table.text);
}
