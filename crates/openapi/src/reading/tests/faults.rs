//! All faults at once, within bounds; and a result for any document.

use super::{api, findings};
use crate::documents::{
    Documents, Version,
    tests::{hostile::json_value, read},
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn all_faults_are_reported_in_the_order_of_lines() {
    let text = "openapi: 3.0.0
info: 7
paths:
  /a:
    get: []
    post: {parameters: {}, requestBody: 1, deprecated: 2, operationId: [], servers: x}
  /b: 3
";
    assert_eq!(
        findings(text),
        [
            "fault a:2 at /info: Must be an object, but is a number.",
            "fault a:5 at /paths/~1a/get: Must be an object, but is an array.",
            "fault a:6 at /paths/~1a/post/deprecated: Must be a boolean, but is a number.",
            "fault a:6 at /paths/~1a/post/operationId: Must be a string, but is an array.",
            "fault a:6 at /paths/~1a/post/parameters: Must be an array, but is an object.",
            "fault a:6 at /paths/~1a/post/requestBody: Must be an object, but is a number.",
            "fault a:6 at /paths/~1a/post/servers: Must be an array, but is a string.",
            "fault a:7 at /paths/~1b: Must be an object, but is a number.",
        ]
    );
    assert_eq!(findings("openapi: 3.0.0"), ["fault a:1: The document needs `paths`."]);
    assert_eq!(findings("openapi: 3.1.0"), Vec::<String>::new());
}

#[test]
fn equal_warnings_are_counted() {
    let text = "openapi: 3.0.0\npaths:\n  /a:\n    get: {nonsense: 1}\n    put: {nonsense: 1}\n    post: {nonsense: 1}\n";
    assert_eq!(
        findings(text),
        [
            "a:4 at /paths/~1a/get/nonsense: Unknown field \"nonsense\" is ignored: OpenAPI 3.0 does not define it here. (and in 2 other places)"
        ]
    );
}

#[test]
fn a_thousand_faults_and_a_thousand_warnings_are_enough() {
    let paths: serde_json::Map<String, Value> = (0..5000).map(|at| (format!("/{at}"), json!(at))).collect();
    let faults = api(&json!({"openapi": "3.0.0", "paths": paths}).to_string()).unwrap_err();
    assert_eq!(faults.0.len(), 1000);
    let members: serde_json::Map<String, Value> = (0..5000).map(|at| (format!("m{at}"), json!(at))).collect();
    let mut root = json!({"openapi": "3.0.0", "paths": {}});
    root.as_object_mut().unwrap().extend(members);
    let (_, _, warnings) = api(&root.to_string()).unwrap();
    assert_eq!((warnings.len(), warnings.last().unwrap().more), (1001, 3999));
}

#[test]
fn references_cannot_make_much_of_little() {
    let operations: serde_json::Map<String, Value> =
        (0..1000).map(|at| (format!("M{at}"), json!({}))).collect();
    let paths: serde_json::Map<String, Value> =
        (0..1000).map(|at| (format!("/{at}"), json!({"$ref": "#/components/pathItems/P"}))).collect();
    let root = json!({"openapi": "3.2.0", "paths": paths, "components": {"pathItems": {"P": {"additionalOperations": operations}}}});
    let faults = api(&root.to_string()).err().unwrap();
    assert_eq!(faults.0.len(), 1);
    assert_eq!(faults.0[0].message, "The document has too many operations and parameters.");

    let url = "{v}".repeat(10_000);
    let value = "x".repeat(10_000);
    let root = json!({"openapi": "3.1.0", "servers": [{"url": url, "variables": {"v": {"default": value}}}]});
    assert_eq!(api(&root.to_string()).unwrap_err().0.len(), 1);
}

#[test]
fn circles_of_files_and_references_end() {
    let mut documents = read(&[
        ("a", "openapi: 3.1.0\npaths: {/a: {$ref: 'b#/p'}, /b: {get: {parameters: [{$ref: '#/x'}]}}}\nx: {$ref: 'b#/y'}\n"),
        ("b", "p: {get: {requestBody: {content: {a/b: {schema: {$ref: 'a#/paths'}}}}}}\ny: {$ref: 'a#/x'}\n"),
    ])
    .unwrap();
    let faults = super::super::read(&mut documents).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "a:2 at /paths/~1b/get/parameters/0: The references from here are circular.\n"
    );
}

/// Names of members that are looked at.
const NAMES: &str = "info paths servers security components parameters basePath consumes securityDefinitions \
    securitySchemes /{a} /b get post query additionalOperations requestBody content a/b schema encoding \
    name in style explode required $ref type url variables default operationId tags summary items \
    collectionFormat x";

/// Texts that mean something in some of them.
const TEXTS: &str = "path query header body formData cookie querystring a form deepObject apiKey oauth2 #/paths \
    #/components # /v1 {a} array file multi";

/// A document whose members are those that are looked at, with any values.
fn any_document() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = NAMES.split(' ').collect();
    let leaf = prop_oneof![
        json_value(),
        prop::sample::select(TEXTS.split(' ').collect::<Vec<_>>()).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(7, 80, 5, move |inner| {
        prop_oneof![
            3 => proptest::collection::vec((prop::sample::select(names.clone()), inner.clone()), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
            1 => proptest::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    });
    (value, any::<bool>())
        .prop_map(|(value, wrapped)| if wrapped { json!({"paths": {"/{a}": value}}) } else { value })
}

proptest! {
    #[test]
    fn any_value_is_an_api_or_faults(value in any_document(), version in 0..4) {
        let version = [Version::V2, Version::V30, Version::V31, Version::V32][version as usize];
        let mut documents = Documents::inline(value, version);
        match super::super::read(&mut documents) {
            Ok((api, _)) => for operation in &api.operations {
                prop_assert!(operation.path.ends_with(&operation.own_path));
                for parameter in &operation.parameters {
                    prop_assert!(documents.get(&parameter.at).is_some());
                }
            },
            Err(faults) => prop_assert!(!faults.0.is_empty()),
        }
    }
}
