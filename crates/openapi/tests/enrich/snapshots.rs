//! A small document of each version as clients get it; enriching it again changes nothing.

use crate::documents::{Settings, of_file, of_text};
use contract::status::ExtraStatus;
use openapi::enrich::to_yaml;
use serde_json::Value;

const DOCUMENTS: [&str; 5] =
    ["swagger-2.0.yaml", "openapi-3.0.yaml", "openapi-3.1.yaml", "openapi-3.2.yaml", "several/library.yaml"];

fn settings() -> Settings<'static> {
    Settings {
        extra_codes: &[ExtraStatus::Conflict],
        expose: &|operation, exposed| {
            if operation.method == "POST" {
                exposed.cost = 5;
            }
            if operation.id.as_deref() == Some("moved") {
                exposed.moved_to = Some("/elsewhere".to_owned());
            }
        },
        ..Settings::default()
    }
}

fn text(document: &Value) -> String {
    String::from_utf8(to_yaml(document)).unwrap()
}

/// The components that every document gets are shown with two versions only.
fn without_ours(mut document: Value) -> Value {
    for (_, section) in document["components"].as_object_mut().unwrap() {
        section.as_object_mut().unwrap().retain(|name, _| !name.starts_with("Fairgate"));
    }
    document
}

#[test]
fn swagger_2_0() {
    insta::assert_snapshot!(text(&of_file("swagger-2.0.yaml", &settings())));
}

#[test]
fn openapi_3_0() {
    insta::assert_snapshot!(text(&of_file("openapi-3.0.yaml", &settings())));
}

#[test]
fn openapi_3_1() {
    insta::assert_snapshot!(text(&without_ours(of_file("openapi-3.1.yaml", &settings()))));
}

#[test]
fn openapi_3_2() {
    insta::assert_snapshot!(text(&without_ours(of_file("openapi-3.2.yaml", &settings()))));
}

#[test]
fn several_files() {
    insta::assert_snapshot!(text(&without_ours(of_file("several/library.yaml", &settings()))));
}

/// Before 3.1 permissions are where the parser does not look: the operator must configure them again.
fn without_permissions(mut document: Value) -> Value {
    let version = document["openapi"].as_str().unwrap_or("2.0").to_owned();
    for (_, item) in document["paths"].as_object_mut().unwrap() {
        for operation in item.as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut) {
            if operation.shift_remove("x-fairgate-permissions").is_some() {
                assert!(version.as_str() < "3.1", "{version}");
            }
        }
    }
    document
}

#[test]
fn enriching_again_changes_nothing() {
    for name in DOCUMENTS {
        let once = of_file(name, &settings());
        let twice = of_text(&text(&once), &settings());
        assert_eq!(text(&without_permissions(once)), text(&without_permissions(twice)), "{name}");
    }
}
