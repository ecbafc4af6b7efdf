//! YAML is read back as written, and JSON is legible unless large.

use crate::documents::Memory;
use openapi::{
    documents::Documents,
    enrich::{to_json, to_yaml},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

fn read_back(value: &Value) -> Value {
    let document =
        json!({ "openapi": "3.1.0", "info": { "title": "x", "version": "1" }, "paths": {}, "x-any": value });
    let files = HashMap::from([("api.yaml".to_owned(), to_yaml(&document))]);
    let documents = Documents::read("api.yaml", &Memory(files)).unwrap();
    documents.file(documents.root()).unwrap()["x-any"].clone()
}

#[test]
fn text_that_looks_like_something_else_stays_text() {
    for text in [
        "no",
        "on",
        "y",
        "Yes",
        "1e3",
        "2020-01-01",
        "0o7",
        "017",
        ":a",
        "a: b",
        "a #b",
        "1:30",
        "~",
        "null",
        "",
        " ",
        "-",
        "- a",
        "=",
        "<<",
        "1_000",
        "0x1f",
        ".5",
        "+.inf",
        ".NaN",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\t",
        "a\n",
        "\n\na",
        "'",
        "\"",
        "\\",
        "%a",
        "@a",
        "`a",
        "!a",
        "&a",
        "*a",
        "|",
        ">",
        "{a",
        "[a",
        "#a",
        "---",
        "...",
        "\u{7f}",
        "\u{0}",
    ] {
        assert_eq!(read_back(&json!(text)), json!(text), "{text:?}");
        assert_eq!(read_back(&json!({ text: [text] })), json!({ text: [text] }), "{text:?}");
    }
}

#[test]
fn a_key_of_any_length_comes_back() {
    let value = json!({ "k".repeat(3_000): 1, format!("a {}", "b ".repeat(2_000)): { "c": 2 } });
    assert_eq!(read_back(&value), value);
}

#[test]
fn json_is_legible_unless_it_is_large() {
    assert_eq!(to_json(&json!({ "a": [1] })), b"{\n  \"a\": [\n    1\n  ]\n}\n");
    let large = json!({ "a": "x".repeat(6 << 20), "b": 1 });
    assert!(!to_json(&large).strip_suffix(b"\n").unwrap().contains(&b'\n'));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[-+0-9a-fxo_.:TZyesnoffull~#&*!|>'\" \n,{}\\[\\]]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[-+0-9a-fxo_.:TZyesno~#'\" \n,{}]{0,6}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back_as_it_was(value in any_value()) {
        prop_assert_eq!(read_back(&value), value);
    }
}
