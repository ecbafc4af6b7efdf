//! Documents that try to make the enriched one large, or endless.

use crate::documents::{Memory, Settings, of_files, of_text};
use std::{collections::HashMap, fmt::Write as _};

fn length(value: &serde_json::Value) -> usize {
    value.to_string().len()
}

#[test]
fn path_items_that_refer_to_each_other_twice_do_not_double() {
    // Each callback refers to the next file twice: copies would be two to the power of 40.
    let mut files = HashMap::new();
    for number in 0..40 {
        let next = format!("'{}.yaml'", number + 1);
        let callbacks = if number == 39 {
            String::new()
        } else {
            format!("callbacks: {{a: {{x: {{$ref: {next}}}}}, b: {{x: {{$ref: {next}}}}}}}, ")
        };
        files.insert(
            format!("{number}.yaml"),
            format!("post: {{{callbacks}responses: {{'200': {{description: x}}}}}}").into_bytes(),
        );
    }
    files.insert(
        "api.yaml".to_owned(),
        b"{openapi: 3.0.0, info: {title: x, version: '1'}, paths: {/a: {$ref: '0.yaml'}}}".to_vec(),
    );
    let document = of_files("api.yaml", &Memory(files), &Settings::default());
    assert_eq!(document["components"]["x-pathItems"].as_object().unwrap().len(), 39);
}

#[test]
fn a_path_item_in_a_circle_ends() {
    let files = HashMap::from([
        (
            "api.yaml".to_owned(),
            b"{openapi: 3.1.0, info: {title: x, version: '1'}, paths: {/a: {$ref: 'a.yaml'}}}".to_vec(),
        ),
        (
            "a.yaml".to_owned(),
            b"post: {callbacks: {again: {x: {$ref: 'a.yaml'}}}, responses: {'200': {description: x}}}"
                .to_vec(),
        ),
    ]);
    let document = of_files("api.yaml", &Memory(files), &Settings::default());
    assert_eq!(document["components"]["pathItems"].as_object().unwrap().len(), 1);
}

#[test]
fn words_of_many_operations_do_not_multiply_the_document() {
    let mut text = "openapi: 3.0.0\ninfo: {title: x, version: '1'}\npaths:\n".to_owned();
    for number in 0..10_000 {
        let _ = writeln!(
            text,
            "  /a{number}: {{get: {{responses: {{'200': {{description: x}}, '404': {{description: No {number}.}}}}}}}}"
        );
    }
    let document = of_text(&text, &Settings::default());
    let mine = document["components"]["responses"].as_object().unwrap().len();
    assert!((2_000..2_100).contains(&mine), "{mine}");
    assert!(length(&document) < 40 * text.len(), "{} of {}", length(&document), text.len());
}

#[test]
fn a_large_response_that_operations_share_is_copied_once_at_most() {
    let mut text = "openapi: 3.0.0\ninfo: {title: x, version: '1'}\npaths:\n".to_owned();
    for number in 0..1_000 {
        let security = if number % 2 == 0 { "security: [], " } else { "" };
        let _ = writeln!(
            text,
            "  /a{number}: {{get: {{{security}responses: {{'200': {{$ref: '#/components/responses/Large'}}}}}}}}"
        );
    }
    let _ = writeln!(text, "components: {{responses: {{Large: {{description: {}}}}}}}", "x".repeat(100_000));
    assert!(length(&of_text(&text, &Settings::default())) < 2_000_000);
}
