//! Who may use an operation: security requirements of the document as permissions.

use crate::{
    shop::Shop,
    support::{Config, Gateway, Upstream, assert_error, delete, error_of, gateway::Home, get, post, request},
};

const THING: &str = r#"{"name":"Cup","price":4.5}"#;

#[test]
fn requirements_are_alternatives_and_their_scopes_hold_together() {
    let shop = Shop::open();
    for (permissions, may) in [
        (&["shop:write"][..], false),
        (&["shop:admin"], false),
        (&["shop:write", "shop:admin"], true),
        (&["shop:root"], true),
        (&["shop:read"], false),
        (&["*"], true),
    ] {
        let mut options = vec!["--plan", "free"];
        options.extend(permissions.iter().flat_map(|permission| ["--permission", permission]));
        let key = shop.gateway.key_with(&options);
        let answer = shop.gateway.send(&post("/v1/things", THING).header("Shop-Key", &key.key));
        if may {
            assert_eq!(answer.status, 200, "{permissions:?}: {}", answer.text());
        } else {
            assert_error(&shop.gateway, &answer, 401, "PERMISSION_DENIED");
            let message = error_of(&answer)["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains("\"shop:write\" and \"shop:admin\", or the permission \"shop:root\""),
                "{message}"
            );
        }
    }
}

#[test]
fn an_empty_list_is_open_to_everyone_and_an_empty_requirement_to_any_key() {
    let shop = Shop::open();
    assert_eq!(shop.gateway.send(&get("/v1/health")).status, 200);
    let bare = shop.gateway.key_with(&["--plan", "free"]);
    let any = shop.gateway.send(&delete("/v1/things/7").header("Shop-Key", &bare.key));
    assert_eq!(any.status, 200, "{}", any.text());
    let inherited = shop.gateway.send(&get("/v1/things").header("Shop-Key", &bare.key));
    assert_error(&shop.gateway, &inherited, 401, "PERMISSION_DENIED");
}

#[test]
fn the_documents_own_scheme_names_the_header() {
    let shop = Shop::open();
    let wrong = shop.gateway.send(&get("/v1/things").header("X-API-Key", &shop.key.key));
    assert_error(&shop.gateway, &wrong, 403, "KEY_NOT_SET");
    assert!(wrong.text().contains("Shop-Key"), "{}", wrong.text());
    let right = shop.gateway.send(&get("/v1/things").header("Shop-Key", &shop.key.key));
    assert_eq!(right.status, 200);
    assert!(!shop.upstream.last().headers.has("Shop-Key"), "the key reached the upstream");
}

#[test]
fn the_file_wins_over_the_documents_header() {
    let shop = Shop::with(|config| config.section("[keys]\nheaders = [\"X-API-Key\"]"));
    assert_eq!(shop.gateway.send(&get("/v1/things").key(&shop.key)).status, 200);
}

/// Its operations are references, with their own requirements.
const ELSEWHERE: &str = "openapi: 3.2.0
info: { title: Elsewhere, version: '1' }
security: [{ key: [] }]
paths:
  /things:
    get: { $ref: '#/x-operations/strict' }
    query: { $ref: '#/x-operations/strict' }
    additionalOperations: { LINK: { $ref: '#/x-operations/strict' } }
  /others: { $ref: '#/components/pathItems/others' }
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-API-Key } }
  pathItems: { others: { additionalOperations: { LINK: { $ref: '#/x-operations/strict' } } } }
x-operations:
  strict:
    security: [{ key: [admin] }]
    parameters: [{ name: limit, in: query, schema: { type: integer } }]
    requestBody: { content: { application/json: { schema: { type: object } } } }
    responses: { '200': { description: Fine } }
";

#[test]
fn a_referenced_operation_requires_what_it_declares() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).document(ELSEWHERE));
    let (bare, admin) = (gateway.key(), gateway.key_with(&["--plan", "free", "--permission", "admin"]));
    for (method, path) in [("GET", "/things"), ("QUERY", "/things"), ("LINK", "/things"), ("LINK", "/others")]
    {
        let ask = |query: &str, body: &str, key| {
            let asked = request(method, &format!("{path}{query}"));
            gateway.send(&asked.body("application/json", body.as_bytes()).key(key))
        };
        let seen = upstream.count();
        assert_error(&gateway, &ask("", "{}", &bare), 401, "PERMISSION_DENIED");
        assert_error(&gateway, &ask("?limit=x", "{}", &admin), 400, "PARAMETER_NOT_VALID");
        assert_error(&gateway, &ask("", "[]", &admin), 422, "BODY_NOT_VALID");
        assert_eq!(upstream.count(), seen, "{method} {path}");
        let may = ask("?limit=1", "{}", &admin);
        assert_eq!(upstream.count(), seen + 1, "{method} {path}: {may:?}");
    }
}

#[test]
fn an_operation_whose_reference_cannot_be_followed_does_not_start() {
    let upstream = Upstream::sample();
    for (reference, part) in [
        ("'#/x-operations/gone'", "#/x-operations/gone"),
        ("gone.yaml", "gone.yaml"),
        ("5", "The $ref must be a string"),
        ("", "The $ref must be a string"),
    ] {
        let document = ELSEWHERE.replacen(
            "LINK: { $ref: '#/x-operations/strict' }",
            &format!("LINK: {{ $ref: {reference} }}"),
            1,
        );
        let output = Home::new(&Config::of(&upstream).document(&document)).run(&["config", "check"]);
        assert_eq!(output.code, Some(2), "{reference}: {output:?}");
        assert!(
            output.err.contains("openapi.yaml:8") && output.err.contains(part),
            "{part:?}: {}",
            output.err
        );
    }
}

#[test]
fn what_an_operation_asks_for_beside_its_reference_is_not_dropped_in_silence() {
    let upstream = Upstream::sample();
    for (beside, code) in [("security: [{ key: [root] }]", 2), ("summary: Links", 0), ("parameters: []", 0)] {
        let document = ELSEWHERE.replacen(
            "get: { $ref: '#/x-operations/strict' }",
            &format!("get: {{ $ref: '#/x-operations/strict', {beside} }}"),
            1,
        );
        let output = Home::new(&Config::of(&upstream).document(&document)).run(&["config", "check"]);
        assert_eq!(output.code, Some(code), "{beside}: {output:?}");
        let name = beside.split(':').next().unwrap();
        let is_reported = output.err.contains(name) || output.out.contains(name);
        assert_eq!(is_reported, name != "summary", "{beside}: {output:?}");
    }
}

const TENANTS: &str = "openapi: 3.1.0
info: { title: Tenants, version: '1' }
paths:
  /both: { get: { security: [{ id: [], key: [] }], responses: { '200': { description: Fine } } } }
  /signed: { get: { security: [{ bearer: [], signature: [] }], responses: { '200': { description: Fine } } } }
components:
  securitySchemes:
    id: { type: apiKey, in: header, name: X-App-Id }
    key: { type: apiKey, in: header, name: X-API-Key }
    bearer: { type: http, scheme: bearer }
    signature: { type: apiKey, in: header, name: X-Signature }
    unused: { type: apiKey, in: header, name: X-Tenant }
";

#[test]
fn headers_of_the_apis_own_schemes_reach_it_beside_the_key() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).document(TENANTS));
    let key = gateway.key();
    let ways = [("X-API-Key", key.key.clone()), ("Authorization", format!("Bearer {}", key.key))];
    for path in ["/both", "/signed"] {
        for (name, value) in &ways {
            let own = ["X-App-Id", "X-Signature", "X-Tenant"];
            let asked =
                own.iter().fold(get(path).header(name, value), |asked, own| asked.header(own, "acme"));
            let answer = gateway.send(&asked);
            assert_eq!(answer.status, 200, "{path} {name}: {}", answer.text());
            let seen = upstream.last();
            assert!(own.iter().all(|own| seen.headers.has(own)), "{path} {name}: {seen:?}");
            assert!(!seen.headers.has("X-API-Key"), "{path} {name}: the key reached the upstream");
        }
    }
    assert_error(&gateway, &gateway.send(&get("/both").header("X-App-Id", &key.key)), 403, "KEY_NOT_SET");
}
