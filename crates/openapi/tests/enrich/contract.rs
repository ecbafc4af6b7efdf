//! What the contract adds to an operation, and what it takes away.

use crate::documents::{Settings, followed, of_operation, of_text};
use contract::{ErrorCode, RedirectStatus, Statuses, status::ExtraStatus};
use openapi::api::Access;
use serde_json::{Value, json};

fn statuses(operation: &Value) -> Vec<&str> {
    operation["responses"].as_object().unwrap().keys().map(String::as_str).collect()
}

fn pets(operation: &str) -> String {
    format!("{{openapi: 3.0.0, info: {{title: Pets, version: '1'}}, paths: {{/pets: {{{operation}}}}}}}")
}

const SCHEMA: &str = "requestBody: {content: {application/json: {schema: {type: object}}}}";

#[test]
fn the_rows_that_can_happen_are_there() {
    let keyed = of_operation("{responses: {'200': {description: x}}}", &Settings::default());
    assert_eq!(statuses(&keyed), ["200", "301", "400", "401", "403", "404", "429", "500", "503"]);
    let public = of_operation("{security: [], responses: {'200': {description: x}}}", &Settings::default());
    assert_eq!(statuses(&public), ["200", "301", "400", "404", "429", "500", "503"]);
    let body = of_operation(
        &format!("{{{SCHEMA}, responses: {{'200': {{description: x}}}}}}"),
        &Settings::default(),
    );
    assert_eq!(statuses(&body), ["200", "301", "400", "401", "403", "404", "422", "429", "500", "503"]);
}

#[test]
fn what_never_reaches_a_client_goes_to_where_the_gateway_sends_it() {
    let declared = "{security: [], responses: {'200': {description: x}, '401': {description: Wrong password.}, \
                    '405': {description: No.}, '409': {description: Taken.}, '418': {description: Tea.}, \
                    5XX: {description: x}, '204': {description: y}, default: {description: z}}}";
    let operation = of_operation(declared, &Settings::default());
    assert_eq!(statuses(&operation), ["200", "204", "301", "400", "401", "404", "422", "429", "500", "503"]);
    let extra = Settings { extra_codes: &[ExtraStatus::Conflict], ..Settings::default() };
    let operation = of_operation(declared, &extra);
    assert_eq!(statuses(&operation), ["200", "204", "301", "400", "401", "404", "409", "429", "500", "503"]);
}

#[test]
fn a_default_stays_only_where_it_is_the_success() {
    let only = of_operation(
        "{responses: {default: {description: x}, '404': {description: y}}}",
        &Settings::default(),
    );
    assert!(statuses(&only).contains(&"default"));
    assert!(only["responses"]["default"]["headers"]["X-Request-Id"].is_object());
    let beside = of_operation(
        "{responses: {default: {description: x}, '302': {description: y}}}",
        &Settings::default(),
    );
    assert!(!statuses(&beside).contains(&"default"));
}

#[test]
fn the_documents_descriptions_stay_beside_the_contracts_but_not_about_keys() {
    let text = pets(
        "get: {responses: {'200': {description: x}, '403': {description: Members only.}, '404': {description: No such pet.}}}",
    );
    let document = of_text(&text, &Settings::default());
    let description = |status: &str| {
        let response = &document["paths"]["/pets"]["get"]["responses"][status];
        followed(&document, response)["description"].as_str().unwrap().to_owned()
    };
    assert!(
        description("404").starts_with("No such pet.\n\nThe resource you're looking for is not found"),
        "{}",
        description("404")
    );
    assert!(!description("401").contains("Members") && !description("403").contains("Members"));
}

#[test]
fn examples_are_what_the_gateway_sends_of_every_code_that_can_happen() {
    let text = pets(&format!("post: {{{SCHEMA}, responses: {{'200': {{description: x}}}}}}"));
    for statuses in [Statuses::Fairgate, Statuses::Rfc9110] {
        let document =
            of_text(&text, &Settings { statuses, redirects_to_https: true, ..Settings::default() });
        let mut met = Vec::new();
        for (status, response) in document["paths"]["/pets"]["post"]["responses"].as_object().unwrap() {
            let response = followed(&document, response);
            let Some(examples) = response["content"]["application/json"]["examples"].as_object() else {
                continue;
            };
            for (code, example) in examples {
                let value = &followed(&document, example)["value"];
                assert_eq!(value["error"]["code"], code.as_str());
                assert_eq!(value["error"]["http_code"].to_string(), *status, "{code}");
                assert_eq!(value["error"]["check"], format!("https://api.example.com/_docs/errors/{code}"));
                met.push(code.clone());
            }
        }
        for code in
            ErrorCode::ALL.into_iter().filter(|code| !matches!(code.status(), contract::Status::Extra(_)))
        {
            assert_eq!(met.iter().filter(|met| *met == code.name()).count(), 1, "{}", code.name());
        }
    }
}

#[test]
fn examples_are_right_by_their_schema() {
    let text = pets(&format!("post: {{{SCHEMA}, responses: {{'200': {{description: x}}}}}}"));
    let document = of_text(&text, &Settings::default());
    let mut checked = 0;
    for response in document["components"]["responses"].as_object().unwrap().values() {
        for media in response["content"].as_object().unwrap().values() {
            let mut schema = document.clone();
            schema.as_object_mut().unwrap().extend(media["schema"].as_object().unwrap().clone());
            let validator = jsonschema::validator_for(&schema).unwrap();
            for example in media["examples"].as_object().into_iter().flat_map(|examples| examples.values()) {
                let value = &followed(&document, example)["value"];
                assert!(validator.is_valid(value), "{value}");
                checked += 1;
            }
        }
    }
    assert!(checked > 25, "{checked}");
    let mut problem = document["components"]["schemas"]["FairgateProblemDetails"].clone();
    let example = problem["example"].clone();
    assert_eq!(example["error"]["code"], "PARAMETER_NOT_VALID");
    problem.as_object_mut().unwrap().insert("components".to_owned(), document["components"].clone());
    assert!(jsonschema::validator_for(&problem).unwrap().is_valid(&example), "{example}");
}

#[test]
fn keys_are_asked_for_as_the_gateway_does() {
    let text = "{openapi: 3.1.0, info: {title: Pets, version: '1'}, security: [{old: []}], paths: {\
                /any: {get: {responses: {'200': {description: x}}}}, \
                /some: {get: {security: [{old: [a, b]}, {old: [c]}], responses: {'200': {description: x}}}}}, \
                components: {securitySchemes: {old: {type: apiKey, in: query, name: k}}}}";
    let document = of_text(text, &Settings::default());
    let schemes: Vec<_> = document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["FairgateKey"]);
    assert_eq!(document.get("security"), None);
    assert_eq!(document["paths"]["/any"]["get"]["security"], json!([{ "FairgateKey": [] }]));
    assert_eq!(
        document["components"]["securitySchemes"]["FairgateKey"]["description"],
        "Your API key.\n\nIt can also be sent as `Authorization: Bearer YOUR_KEY` or by HTTP Basic authentication as the user name or the password."
    );
    let some = &document["paths"]["/some"]["get"];
    assert_eq!(some["security"], json!([{ "FairgateKey": ["a", "b"] }, { "FairgateKey": ["c"] }]));
    assert_eq!(some["description"], "Needs a key with `a` and `b`, or `c`.");
    // 3.0 allows scopes only for OAuth.
    let document = of_text(&text.replace("3.1.0", "3.0.0"), &Settings::default());
    let some = &document["paths"]["/some"]["get"];
    assert_eq!(some["security"], json!([{ "FairgateKey": [] }]));
    assert_eq!(some["x-fairgate-permissions"], json!([["a", "b"], ["c"]]));
}

#[test]
fn schemes_that_callbacks_need_stay() {
    let text = "{openapi: 3.1.0, info: {title: Pets, version: '1'}, security: [{whole: []}], paths: {}, \
                webhooks: {one: {post: {security: [{own: []}]}}, two: {post: {}}}, components: {securitySchemes: {\
                whole: {type: http, scheme: basic}, own: {type: http, scheme: basic}, no: {type: http, scheme: basic}}}}";
    let document = of_text(text, &Settings::default());
    let schemes: Vec<_> = document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["whole", "own"]);
    assert_eq!(document["security"], json!([{ "whole": [] }]));
}

#[test]
fn a_moved_operation_documents_only_its_new_path() {
    let settings = Settings {
        redirect_status: RedirectStatus::PermanentRedirect,
        expose: &|_, exposed| exposed.moved_to = Some("/v2/pets".to_owned()),
        ..Settings::default()
    };
    let operations =
        "get: {responses: {'200': {description: x}}}, post: {responses: {'200': {description: x}}}";
    let document = of_text(&pets(operations), &settings);
    let pets = &document["paths"]["/pets"];
    assert_eq!(statuses(&pets["get"]), ["301"]);
    assert_eq!(statuses(&pets["post"]), ["308"]);
    assert_eq!(pets["get"]["security"], json!([]));
    let response = followed(&document, &pets["post"]["responses"]["308"]);
    assert!(response["description"].as_str().unwrap().starts_with("This endpoint has moved to /v2/pets."));
}

#[test]
fn price_and_deprecation_are_those_of_the_operator() {
    let settings = Settings {
        expose: &|operation, exposed| {
            exposed.cost = 5;
            exposed.deprecated = operation.method == "GET";
        },
        ..Settings::default()
    };
    let operations = "get: {description: All., responses: {'200': {description: x}}}, \
                      put: {deprecated: true, responses: {'200': {description: x}}}";
    let document = of_text(&pets(operations), &settings);
    let pets = &document["paths"]["/pets"];
    assert_eq!(pets["get"]["x-fairgate-cost"], 5);
    assert_eq!(pets["get"]["description"], "All.\n\nCosts 5 units of the limits.");
    assert_eq!(pets["get"]["deprecated"], true);
    assert_eq!(pets["put"].get("deprecated"), None);
}

#[test]
fn an_operation_on_several_base_paths_is_as_strict_as_the_strictest() {
    let text = "{openapi: 3.0.0, info: {title: Pets, version: '1'}, servers: [{url: /v1}, {url: /v2}], \
                paths: {/pets: {get: {responses: {'200': {description: x}}}}}}";
    let settings = Settings {
        expose: &|operation, exposed| {
            if operation.path.starts_with("/v1") {
                exposed.access = Access::Public;
            } else {
                exposed.cost = 7;
            }
        },
        ..Settings::default()
    };
    let document = of_text(text, &settings);
    assert_eq!(document["servers"].as_array().unwrap().len(), 2);
    assert_eq!(document["paths"]["/pets"]["get"]["x-fairgate-cost"], 7);
    assert_eq!(document["paths"]["/pets"]["get"]["security"].as_array().unwrap().len(), 1);
    assert_eq!(document["paths"]["/_limits"].get("servers"), None);
}

#[test]
fn servers_are_the_public_address_with_the_base_paths() {
    let text = "{openapi: 3.0.0, info: {title: Pets, version: '1'}, servers: [{url: 'https://inside.local/v1/'}], paths: {\
                /a: {get: {responses: {'200': {description: x}}}}, \
                /b: {servers: [{url: 'http://other.local/v2'}], get: {responses: {'200': {description: x}}}}}}";
    for (public_url, whole, own) in [
        (Some("https://api.example.com/"), "https://api.example.com/v1", "https://api.example.com/v2"),
        (None, "/v1", "/v2"),
    ] {
        let document = of_text(text, &Settings { public_url, ..Settings::default() });
        assert_eq!(document["servers"], json!([{ "url": whole }]));
        assert_eq!(document["paths"]["/a"]["get"].get("servers"), None);
        assert_eq!(document["paths"]["/b"].get("servers"), None);
        assert_eq!(document["paths"]["/b"]["get"]["servers"], json!([{ "url": own }]));
        // No client generator reads the servers of a path.
        assert_eq!(document["paths"]["/_limits"].get("servers"), None);
        assert!(!document.to_string().contains("local/"));
    }
}

#[test]
fn swagger_gives_the_public_address_in_its_own_fields() {
    let text = "{swagger: '2.0', info: {title: Pets, version: '1'}, host: inside.local, basePath: /v1, schemes: [http], \
                paths: {/a: {get: {responses: {'200': {description: x}}}}}}";
    let document =
        of_text(text, &Settings { public_url: Some("https://api.example.com:8443"), ..Settings::default() });
    assert_eq!(
        (&document["host"], &document["basePath"], &document["schemes"]),
        (&json!("api.example.com:8443"), &json!("/v1"), &json!(["https"]))
    );
    assert!(document["paths"]["/_limits"]["get"].is_object());
    let document = of_text(text, &Settings { public_url: None, ..Settings::default() });
    assert_eq!((document.get("host"), document.get("schemes")), (None, None));
}

#[test]
fn a_shared_response_documents_limits_only_where_a_key_is_needed() {
    let text = "{openapi: 3.0.0, info: {title: Pets, version: '1'}, paths: {\
                /a: {get: {responses: {'200': {$ref: '#/components/responses/Link'}}}}, \
                /b: {get: {security: [], responses: {'200': {$ref: '#/components/responses/Link'}}}}}, \
                components: {responses: {Link: {$ref: '#/components/responses/Pets'}, Pets: {description: x, \
                headers: {x-request-ID: {schema: {type: integer}}}}}}}";
    let document = of_text(text, &Settings::default());
    let headers = |path: &str| {
        let mut response = &document["paths"][path]["get"]["responses"]["200"];
        while response.get("$ref").is_some() {
            response = followed(&document, response);
        }
        response["headers"].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(headers("/a").len(), 6);
    assert_eq!(headers("/b"), ["X-Request-Id"]);
}

#[test]
fn names_of_the_document_are_not_taken_over() {
    let text = "{openapi: 3.0.0, info: {title: Pets, version: '1'}, paths: {/a: {get: {operationId: getLimits, \
                responses: {'200': {description: x}}}}}, components: {schemas: {FairgateLimits: {type: string}}}}";
    let document = of_text(text, &Settings::default());
    assert_eq!(document["components"]["schemas"]["FairgateLimits"], json!({ "type": "string" }));
    assert_eq!(document["paths"]["/_limits"]["get"]["operationId"], "fairgateLimits");
    let limits =
        &document["paths"]["/_limits"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(limits["$ref"], "#/components/schemas/FairgateGatewayLimits");
}

/// The document has the contract once, and operations refer to it.
#[test]
fn what_is_added_grows_little_with_the_operations() {
    let document = |count: usize| {
        let paths: Vec<String> = (0..count)
            .map(|number| {
                let errors = "'400': {$ref: '#/components/responses/Bad'}, '404': {$ref: '#/components/responses/Bad'}";
                format!("/items{number}: {{post: {{{SCHEMA}, responses: {{'200': {{description: x}}, {errors}}}}}}}")
            })
            .collect();
        format!(
            "{{openapi: 3.1.0, info: {{title: Items, version: '1'}}, paths: {{{}}}, components: {{responses: {{Bad: \
             {{description: Bad}}}}}}}}",
            paths.join(", ")
        )
    };
    let added = |count: usize| {
        let text = document(count);
        let enriched = openapi::enrich::to_json(&of_text(&text, &Settings::default()));
        enriched.len().saturating_sub(text.len())
    };
    let (one, many) = (added(1), added(201));
    let of_each = (many - one) / 200;
    assert!(
        one < MOST_ADDED && of_each < MOST_OF_EACH,
        "{one} bytes for one operation, {of_each} for each more"
    );
}

/// A small document becomes some 50 KiB, mostly examples, each of which is there once.
const MOST_ADDED: usize = 60 << 10;
/// References to ten responses and to the headers of a success.
const MOST_OF_EACH: usize = 2 << 10;

#[test]
fn schemes_of_the_apis_own_stay_beside_the_key() {
    let text = "{openapi: 3.1.0, info: {title: Pets, version: '1'}, security: [{id: [], key: []}], paths: {\
                /a: {get: {responses: {'200': {description: x}}}}, \
                /b: {get: {security: [{key: [p], query: []}, {key: [q]}], responses: {'200': {description: x}}}}, \
                /c: {get: {security: [{id: [], unread: []}], responses: {'200': {description: x}}}}}, \
                components: {securitySchemes: {id: {type: apiKey, in: header, name: X-App-Id}, \
                key: {type: apiKey, in: header, name: X-API-Key}, query: {type: apiKey, in: query, name: q}, \
                unread: {type: apiKey, in: query, name: u}}}}";
    let document = of_text(text, &Settings::default());
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/a"), json!([{ "key": [], "id": [] }]));
    assert_eq!(security("/b"), json!([{ "key": ["p"], "query": [] }, { "key": ["q"] }]));
    // Without a scheme that the gateway reads, there is only its own.
    assert_eq!(security("/c"), json!([{ "key": [] }]));
    assert_eq!(security("/_limits"), json!([{ "key": [] }]));
    let schemes: Vec<_> = document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["id", "query", "key"]);
    // The permissions of the operator's file stand in the place of the document's.
    let settings = Settings {
        expose: &|_, exposed| exposed.access = Access::Keys(vec![vec!["own".to_owned()]]),
        ..Settings::default()
    };
    let document = of_text(text, &settings);
    assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{ "key": ["own"], "id": [] }]));
}

/// Of a boolean that is an enumeration, most generators of clients make one of strings.
#[test]
fn a_flag_of_the_contract_is_no_enumeration() {
    for version in ["3.0.0", "3.1.0", "3.2.0"] {
        let text = pets("get: {responses: {'200': {description: x}}}").replace("3.0.0", version);
        let document = of_text(&text, &Settings::default());
        let mut flags = 0;
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let Some(flag) = schema.pointer("/properties/success") else { continue };
            flags += 1;
            assert_eq!(flag["type"], "boolean", "{name}");
            assert!(flag.get("const").is_none() && flag.get("enum").is_none(), "{version} {name}: {flag}");
            assert!(flag["description"].as_str().unwrap().starts_with("Always "), "{version} {name}: {flag}");
        }
        assert!(flags >= 3, "{version}: {flags}");
    }
}
