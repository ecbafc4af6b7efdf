//! What client generators make of an enriched document: names that cannot clash, one way to send the key, nothing
//! superfluous.

use crate::documents::{Memory, Settings, of_file, of_files, of_text};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// A name as generators see it: without case and without separators.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The names of all components and titles of schemas. Those added by the gateway come second.
fn names(document: &Value) -> (Vec<String>, Vec<String>) {
    let mut names = Vec::new();
    for section in document["components"].as_object().unwrap().values() {
        for (name, value) in section.as_object().unwrap() {
            names.push(name.clone());
            names.extend(value.get("title").and_then(Value::as_str).map(str::to_owned));
        }
    }
    let prefix = document["info"]["x-fairgate"]["prefix"].as_str().unwrap();
    names.into_iter().partition(|name| !name.starts_with(prefix))
}

#[test]
fn no_name_reads_like_one_of_the_api() {
    for own in ["Fairgate", "FairgateError", "fairgate_limits", "FAIRGATE-limit", "FairgateGateway", "Limits"]
    {
        for kind in ["schemas", "responses", "requestBodies", "parameters"] {
            let text = format!(
                "{{openapi: 3.0.3, info: {{title: x, version: '1'}}, paths: {{}}, components: {{{kind}: {{{own}: {{}}, \
                 Other: {{}}}}}}}}"
            );
            let document = of_text(&text, &Settings::default());
            let (theirs, ours) = names(&document);
            assert!(theirs.contains(&own.to_owned()) && ours.len() > 5, "{own}: {ours:?}");
            let prefix = document["info"]["x-fairgate"]["prefix"].as_str().unwrap();
            assert!(!plain(own).starts_with(&plain(prefix)), "{own} beside {prefix}");
            for name in &ours {
                assert!(!theirs.iter().any(|theirs| plain(theirs) == plain(name)), "{own} beside {name}");
            }
        }
    }
    let title = "{openapi: 3.1.0, info: {title: x, version: '1'}, paths: {/a: {get: {responses: {'200': {description: x, \
                 content: {application/json: {schema: {title: Fairgate error detail, type: object}}}}}}}}}";
    let (_, ours) = names(&of_text(title, &Settings::default()));
    assert!(ours.iter().all(|name| name.starts_with("FairgateGateway")), "{ours:?}");
}

#[test]
fn schemas_of_ours_have_no_title_and_no_object_without_a_name() {
    let document = of_file("openapi-3.0.yaml", &Settings::default());
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if name.starts_with("Fairgate") {
            assert_eq!(schema.get("title"), None, "{name}");
            for member in schema["properties"].as_object().unwrap().values() {
                assert!(
                    member.get("properties").is_none() && member["items"].get("properties").is_none(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn our_operation_has_an_id_that_no_generator_confuses() {
    for (own, ours) in [
        ("getLimits", "fairgateLimits"),
        ("fairgateLimits", "fairgateLimits2"),
        ("fairgate_limits", "fairgateLimits2"),
        ("Fairgate-Limits", "fairgateLimits2"),
    ] {
        let text = format!(
            "{{openapi: 3.0.3, info: {{title: x, version: '1'}}, paths: {{/a: {{get: {{operationId: {own}, \
             responses: {{'200': {{description: x}}}}}}}}}}}}"
        );
        let document = of_text(&text, &Settings::default());
        assert_eq!(document["paths"]["/_limits"]["get"]["operationId"], ours, "{own}");
        assert_eq!(document["paths"]["/_limits"]["get"]["tags"], json!(["Fairgate"]));
    }
}

#[test]
fn the_key_is_sent_by_one_scheme_that_has_the_apis_name_for_it() {
    for (schemes, name) in [
        ("mine: {type: apiKey, in: header, name: x-api-key}, token: {type: http, scheme: bearer}", "mine"),
        ("token: {type: http, scheme: bearer}, other: {type: apiKey, in: header, name: X-Other}", "token"),
        ("login: {type: http, scheme: basic}", "login"),
        ("flow: {type: oauth2, flows: {}}, query: {type: apiKey, in: query, name: X-API-Key}", "FairgateKey"),
    ] {
        let text = format!(
            "{{openapi: 3.0.3, info: {{title: x, version: '1'}}, paths: {{/a: {{get: {{responses: {{'200': \
             {{description: x}}}}}}}}}}, components: {{securitySchemes: {{{schemes}}}}}}}"
        );
        let document = of_text(&text, &Settings::default());
        let held = document["components"]["securitySchemes"].as_object().unwrap();
        assert_eq!(held.keys().collect::<Vec<_>>(), [name]);
        assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{ name: [] }]));
        let description = held[name]["description"].as_str().unwrap();
        assert!(description.contains("It can also be sent "), "{description}");
        assert_eq!(description.contains("Bearer"), name != "token", "{description}");
        assert_eq!(description.contains("Basic"), name != "login", "{description}");
        assert_eq!(description.contains("X-API-Key"), name == "token" || name == "login", "{description}");
    }
    let old = "{swagger: '2.0', info: {title: x, version: '1'}, paths: {/a: {get: {responses: {'200': {description: x}}}}}, \
               securityDefinitions: {mine: {type: apiKey, in: header, name: X-API-Key}, login: {type: basic}}}";
    let document = of_text(old, &Settings::default());
    assert_eq!(document["securityDefinitions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn what_is_text_stays_as_it_was_written() {
    let text = "openapi: 3.1.0\ninfo:\n  title: 2024\n  version: 1.10\n  description: 1e3\n  x-number: 1.50\n\
                tags: [{name: 1.20}]\npaths:\n  /a:\n    get:\n      operationId: 7.0\n      tags: [1.20, true]\n\
                \x20     responses: {'200': {description: x}}\n";
    let document = of_text(text, &Settings::default());
    let info = &document["info"];
    assert_eq!(
        (&info["version"], &info["title"], &info["description"], &info["x-number"]),
        (&json!("1.10"), &json!("2024"), &json!("1e3"), &json!(1.5))
    );
    assert_eq!(document["tags"][0]["name"], "1.20");
    let operation = &document["paths"]["/a"]["get"];
    assert_eq!((&operation["operationId"], &operation["tags"]), (&json!("7.0"), &json!(["1.20", "true"])));
    let swagger = "swagger: 2.0\ninfo: {title: x, version: 2.0}\npaths: {}\n";
    let document = of_text(swagger, &Settings::default());
    assert_eq!((&document["swagger"], &document["info"]["version"]), (&json!("2.0"), &json!("2.0")));
    // In JSON the spelling of a number is lost, but it is still text.
    let document = of_text(
        "{\"openapi\": \"3.0.0\", \"info\": {\"title\": \"x\", \"version\": 2}, \"paths\": {}}",
        &Settings::default(),
    );
    assert_eq!(document["info"]["version"], "2");
}

#[test]
fn what_only_replaced_answers_needed_goes_and_the_rest_stays() {
    let text = "{openapi: 3.0.3, info: {title: x, version: '1'}, paths: {/a: {get: {responses: {\
                '200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, \
                '404': {$ref: '#/components/responses/Gone'}, default: {description: y, content: {application/json: \
                {schema: {$ref: '#/components/schemas/Fault'}}}}}}}}, components: {\
                responses: {Gone: {description: z, content: {application/json: {schema: {$ref: '#/components/schemas/Deep'}}}}, \
                Unused: {description: u}}, schemas: {Pet: {type: object, discriminator: {propertyName: kind}}, \
                Dog: {allOf: [{$ref: '#/components/schemas/Pet'}]}, Fault: {allOf: [{$ref: '#/components/schemas/Both'}]}, \
                Both: {type: object}, Deep: {properties: {dog: {$ref: '#/components/schemas/Dog'}, \
                deeper: {$ref: '#/components/schemas/Deeper'}}}, Deeper: {type: string}, Never: {type: string}}}}";
    let document = of_text(text, &Settings::default());
    let held = |section: &str| -> HashSet<String> {
        let names = document["components"][section].as_object().unwrap().keys();
        names.filter(|name| !name.starts_with("Fairgate")).cloned().collect()
    };
    assert_eq!(held("schemas"), HashSet::from(["Pet", "Dog", "Never"].map(str::to_owned)));
    assert_eq!(held("responses"), HashSet::from(["Unused".to_owned()]));
}

#[test]
fn referenced_operations_are_moved_to_their_paths() {
    let files = [
        (
            "api.yaml",
            "openapi: 3.2.0\ninfo: {title: x, version: '1'}\npaths:\n  /p:\n    get: {$ref: ops/list.yaml}\n\
                      \x20   post: {$ref: '#/x-operations/add'}\n    additionalOperations: {LINK: {$ref: ops/link.yaml}}\n\
                      \
                      webhooks: {done: {post: {$ref: ops/done.yaml}}}\n\
                      x-operations: {add: {operationId: add, responses: {'200': {description: x}}}}\n",
        ),
        (
            "ops/list.yaml",
            "operationId: list\nresponses: {'200': {description: x, content: {application/json: \
                           {schema: {$ref: ../item.yaml}}}}, '404': {description: Nothing.}}\n",
        ),
        ("ops/link.yaml", "operationId: link\nresponses: {'200': {description: x}}\n"),
        (
            "ops/done.yaml",
            "requestBody: {content: {application/json: {schema: {$ref: ../item.yaml}}}}\n\
                           responses: {'200': {description: x}}\n",
        ),
        ("item.yaml", "type: object\n"),
    ];
    let files: HashMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let document = of_files("api.yaml", &Memory(files), &Settings::default());
    let paths = &document["paths"];
    for (operation, id) in [
        (&paths["/p"]["get"], "list"),
        (&paths["/p"]["post"], "add"),
        (&paths["/p"]["additionalOperations"]["LINK"], "link"),
    ] {
        assert_eq!((operation["operationId"].as_str(), operation.get("$ref")), (Some(id), None), "{id}");
        assert!(operation["responses"]["429"].is_object(), "{id}");
    }
    assert!(document["webhooks"]["done"]["post"]["requestBody"].is_object());
    assert!(!document.to_string().contains(".yaml"), "{document}");
}
