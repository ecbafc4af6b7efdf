//! Several files become one document, and what only looks like a reference stays.

use crate::documents::{Memory, Settings, of_files, of_text};
use serde_json::{Value, json};
use std::collections::HashMap;

fn files(files: &[(&str, &str)]) -> Value {
    let files: HashMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    of_files("api.yaml", &Memory(files), &Settings::default())
}

const HEAD: &str = "openapi: 3.1.0\ninfo: {title: Items, version: '1'}\n";

/// Every reference of a document, at any place.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn assert_whole(document: &Value) {
    let mut found = Vec::new();
    references(document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out"));
        assert!(document.pointer(&pointer.replace("%7B", "{").replace("%7D", "}")).is_some(), "{reference}");
    }
}

#[test]
fn schemas_of_other_files_come_in_once_with_their_cycles() {
    let document = files(&[
        (
            "api.yaml",
            &format!(
                "{HEAD}paths: {{/a: {{get: {{responses: {{'200': {{description: x, content: {{application/json: {{schema: \
                 {{$ref: 'a.yaml#/A'}}}}}}}}}}}}}}}}\ncomponents: {{schemas: {{A: {{type: string}}, Z: {{$ref: 'a.yaml#/A'}}}}}}\n"
            ),
        ),
        (
            "a.yaml",
            "A: {type: object, properties: {b: {$ref: 'deep/b.yaml'}, a: {$ref: '#/A'}, own: {$ref: 'api.yaml#/components/schemas/A'}}}",
        ),
        (
            "deep/b.yaml",
            "$id: https://example.com/b\n$defs: {C: {type: integer}}\nproperties: {a: {$ref: '../a.yaml#/A'}, c: {$ref: '#/$defs/C'}}",
        ),
    ]);
    assert_whole(&document);
    let schemas = &document["components"]["schemas"];
    // A component that is only a reference gives its name.
    assert_eq!(schemas.get("A_2"), None);
    assert_eq!(schemas["Z"]["properties"]["a"], json!({ "$ref": "#/components/schemas/Z" }));
    assert_eq!(schemas["Z"]["properties"]["own"], json!({ "$ref": "#/components/schemas/A" }));
    assert_eq!(schemas["b"]["properties"]["a"], json!({ "$ref": "#/components/schemas/Z" }));
    assert_eq!(schemas["b"]["properties"]["c"], json!({ "$ref": "#/components/schemas/C" }));
    assert_eq!((schemas["b"].get("$id"), schemas["b"].get("$defs")), (None, None));
}

#[test]
fn a_component_that_is_a_reference_keeps_its_name_and_place() {
    let document = files(&[
        (
            "api.yaml",
            &format!(
                "{HEAD}paths: {{/a: {{get: {{responses: {{'200': {{description: x, content: {{application/json: {{schema: \
                 {{$ref: 'schemas/Pet.yaml'}}}}}}}}}}}}}}}}\ncomponents: {{schemas: {{Pet: {{$ref: './schemas/Pet.yaml'}}, Own: {{type: string}}, \
                 Other: {{$ref: 'schemas/Pet.yaml'}}}}}}\n"
            ),
        ),
        ("schemas/Pet.yaml", "{type: object, properties: {next: {$ref: Pet.yaml}}}"),
    ]);
    assert_whole(&document);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let own: Vec<_> = schemas.keys().filter(|name| !name.starts_with("Fairgate")).collect();
    assert_eq!(own, ["Pet", "Own", "Other"]);
    let to_pet = json!({ "$ref": "#/components/schemas/Pet" });
    assert_eq!(schemas["Pet"], json!({"type": "object", "properties": {"next": to_pet}}));
    assert_eq!(schemas["Other"], to_pet);
    let content = &document["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(content["schema"], to_pet);
}

#[test]
fn links_and_what_is_missing_lead_nowhere_else() {
    let document = files(&[
        (
            "api.yaml",
            &format!(
                "{HEAD}paths:\n  /a: {{get: {{responses: {{'200': {{description: x, content: {{application/json: {{schema: {{$ref: \
                 'gone.yaml', description: kept}}}}}}, links: {{l: {{operationRef: 'all.yml#/~1b/get'}}, m: {{operationRef: \
                 'all.yml#/~1none/get'}}}}}}, '201': {{$ref: 'gone.yaml#/R'}}}}}}}}\n  /b: {{$ref: 'all.yml#/~1b'}}\n"
            ),
        ),
        ("all.yml", "/b: {get: {responses: {'200': {description: x}}}}\n/none: {get: {responses: {}}}\n"),
    ]);
    assert_whole(&document);
    let responses = &document["paths"]["/a"]["get"]["responses"];
    assert_eq!(responses["200"]["links"]["l"]["operationRef"], "#/paths/~1b/get");
    // An operation without a path cannot be referred to within the document.
    assert_eq!(responses["200"]["links"]["m"]["operationRef"], "all.yml#/~1none/get");
    assert_eq!(responses["200"]["content"]["application/json"]["schema"], json!({ "description": "kept" }));
    assert_eq!(responses["201"]["description"], "Not described.");
}

/// Tools that support `$id` and tools that do not must find the same.
#[test]
fn references_by_identity_become_pointers() {
    let text = format!(
        "{HEAD}$self: https://e.org/api/openapi\npaths: {{/a: {{get: {{responses: {{'200': {{description: x, content: {{application/json: \
         {{schema: {{$ref: 'https://e.org/schemas/b#/$defs/size'}}}}}}}}}}}}}}}}\n{}",
        r##"components:
  schemas:
    B:
      $id: https://e.org/schemas/b
      $defs: {size: {$anchor: size, $ref: '#/$defs/other'}, other: {type: integer}}
      properties: {a: {$ref: a}, size: {$ref: '#size'}, b: {$ref: '#'}, plain: {$ref: '#/components/schemas/Plain'}}
    Plain: {$anchor: plain, properties: {b: {$ref: 'https://e.org/schemas/b'}, self: {$ref: 'openapi#plain'}}}
    Files: {$ref: 'a.yaml'}
"##
    )
    .replace("3.1.0", "3.2.0");
    let other = "$id: https://e.org/schemas/a\n$defs: {own: {$id: deeper/own, properties: {b: {$ref: ../b}}}}\n\
                 properties: {own: {$ref: deeper/own}}\n";
    let document = files(&[("api.yaml", text.as_str()), ("a.yaml", other)]);
    assert_whole(&document);
    let mut found = Vec::new();
    references(&document["paths"]["/a"]["get"]["responses"]["200"], &mut found);
    references(&document["components"]["schemas"]["B"], &mut found);
    references(&document["components"]["schemas"]["Plain"], &mut found);
    found.retain(|reference| !reference.contains("Fairgate"));
    let schemas = "#/components/schemas";
    assert_eq!(
        found,
        [
            format!("{schemas}/size"),
            format!("{schemas}/other"),
            format!("{schemas}/Files"),
            format!("{schemas}/size"),
            format!("{schemas}/B"),
            format!("{schemas}/Plain"),
            format!("{schemas}/B"),
            format!("{schemas}/Plain"),
        ]
    );
    let own = document["components"]["schemas"]["own"].to_string();
    assert_eq!(own, r##"{"properties":{"b":{"$ref":"#/components/schemas/B"}}}"##);
    assert!(!document["components"].to_string().contains("$id"), "{document}");
}

#[test]
fn a_referenced_part_outlives_the_response_that_contained_it() {
    let document = of_text(
        &format!(
            "{HEAD}paths:\n  /a/{{id}}: {{get: {{parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}], \
             responses: {{'404': {{description: x, content: {{application/json: {{schema: {{title: Kept}}}}}}}}}}}}}}\n  \
             /b: {{get: {{responses: {{'200': {{description: x, content: {{application/json: {{schema: \
             {{$ref: '#/paths/~1a~1%7Bid%7D/get/responses/404/content/application~1json/schema'}}}}}}}}}}}}}}\n"
        ),
        &Settings::default(),
    );
    assert_whole(&document);
    assert_eq!(document["components"]["schemas"]["schema"], json!({ "title": "Kept" }));
}

#[test]
fn examples_properties_and_extensions_are_no_references() {
    let schema = "{type: object, properties: {$ref: {type: string}}, example: {$ref: 'no.yaml'}, default: {$ref: '#/no'}, \
                  enum: [{$ref: '#/no'}], x-own: {$ref: '#/no'}}";
    let document = of_text(
        &format!("{HEAD}paths: {{}}\ncomponents: {{schemas: {{A: {schema}}}}}\n"),
        &Settings::default(),
    );
    let kept = &document["components"]["schemas"]["A"];
    assert_eq!(kept["example"], json!({ "$ref": "no.yaml" }));
    assert_eq!(kept["properties"]["$ref"], json!({ "type": "string" }));
    assert_eq!(kept["x-own"], json!({ "$ref": "#/no" }));
}

#[test]
fn a_path_item_that_paths_share_gets_the_contract_on_each() {
    let document = files(&[
        (
            "api.yaml",
            &format!("{HEAD}paths: {{/a: {{$ref: 'item.yaml'}}, /b: {{$ref: 'item.yaml', summary: B}}}}\n"),
        ),
        (
            "item.yaml",
            "summary: Both\nget: {responses: {'200': {$ref: '#/x-made'}}}\nx-made: {description: Made.}\n",
        ),
    ]);
    assert_whole(&document);
    for (path, summary) in [("/a", "Both"), ("/b", "B")] {
        let item = &document["paths"][path];
        assert_eq!(item["summary"], summary);
        assert_eq!(item["get"]["responses"]["200"], json!({ "$ref": "#/components/responses/x-made" }));
        assert!(item["get"]["responses"]["429"].is_object());
    }
}

#[test]
fn the_rest_survives_unchanged_and_in_its_order() {
    let text = format!(
        "x-first: [1, {{b: 1, a: 2}}]\n{HEAD}paths: {{}}\nx-last: 1.50\ntags: [{{name: Z}}, {{name: A, x-y: ~}}]\n"
    );
    let document = of_text(&text, &Settings::default());
    let names: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).take(6).collect();
    assert_eq!(names, ["x-first", "openapi", "info", "paths", "x-last", "tags"]);
    assert_eq!(document["x-first"].to_string(), r#"[1,{"b":1,"a":2}]"#);
    assert_eq!(document["tags"][1], json!({ "name": "A", "x-y": null }));
}

/// No tool reads a document with one.
#[test]
fn no_reference_that_leads_nowhere_is_left() {
    let text = "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a:
    get:
      responses:
        '200': {description: o, links: {l: {$ref: 'gone.yaml#/x'}, m: {$ref: '#/components/links/L'}, n: {operationId: a}}}
      operationId: a
      callbacks:
        c: {$ref: 'https://e.org/c'}
        d: {'{$request.body#/url}': {post: {parameters: [{$ref: '#/components/parameters/U'}, {$ref: '#/components/parameters/V'}], responses: {}}}}
        e: {'{$request.body#/url}': {$ref: 'gone.yaml#/p'}}
webhooks: {w: {$ref: 'https://e.org/w'}}
components:
  parameters: {U: {$ref: 'gone.yaml#/p'}, V: {name: v, in: query, schema: {type: string}}}
  headers: {H: {$ref: 'gone.yaml#/h'}}
  requestBodies: {B: {$ref: 'gone.yaml#/b'}}
  links: {L: {$ref: 'gone.yaml#/l'}}
  callbacks: {C: {$ref: 'gone.yaml#/c'}}
  pathItems: {P: {$ref: 'gone.yaml#/pi'}}
  responses: {R: {$ref: 'gone.yaml#/r'}}
";
    let document = of_text(text, &Settings::default());
    fn look(value: &Value, root: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#');
                    assert!(pointer.is_some_and(|pointer| root.pointer(pointer).is_some()), "{reference}");
                }
                members.values().for_each(|value| look(value, root));
            }
            Value::Array(items) => items.iter().for_each(|value| look(value, root)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    look(&document, &document);
    let get = &document["paths"]["/a"]["get"];
    assert_eq!(get["responses"]["200"]["links"], json!({"n": {"operationId": "a"}}));
    assert_eq!(get["callbacks"]["c"], json!({}));
    let callback = &get["callbacks"]["d"]["{$request.body#/url}"]["post"];
    assert_eq!(callback["parameters"], json!([{"$ref": "#/components/parameters/V"}]));
    assert_eq!(document["webhooks"]["w"], json!({}));
    assert_eq!(document["components"]["parameters"].as_object().unwrap().len(), 1);
}
