//! A document that cannot be used: every fault with file, line and pointer, exit code 2.

use crate::support::{Config, Gateway, Upstream, assert_error, gateway::Home, get};

const BROKEN: &str = "openapi: 3.1.0
info: { title: Broken, version: '1' }
paths:
  /a/{id}:
    get:
      parameters:
        - { name: id, in: paht, schema: { type: integer } }
      responses: { '200': { description: Fine } }
  things:
    get:
      responses: { '200': { description: Fine } }
";

#[test]
fn every_fault_is_reported_with_file_line_and_pointer() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream).document(BROKEN));
    for command in [&["serve"][..], &["config", "check"]] {
        let output = home.run(command);
        assert_eq!(output.code, Some(2), "{output:?}");
        for part in
            ["openapi.yaml:7", "/paths/~1a~1{id}/get/parameters/0/in", "paht", "openapi.yaml:9", "2 errors"]
        {
            assert!(
                output.err.contains(part),
                "{part:?} is not in the output of {command:?}:\n{}",
                output.err
            );
        }
    }
    // Commands for keys alone do not read the document.
    assert_eq!(home.run(&["keys", "list"]).code, Some(0));
}

#[test]
fn a_dangling_reference_is_reported_with_its_location() {
    let upstream = Upstream::sample();
    let document = "openapi: 3.0.3
info: { title: Broken, version: '1' }
paths:
  /b:
    post:
      requestBody:
        content:
          application/json: { schema: { $ref: '#/components/schemas/Nothing' } }
      responses: { '200': { description: Fine } }
";
    let output = Home::new(&Config::of(&upstream).document(document)).run(&["config", "check"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    for part in ["openapi.yaml:8", "#/components/schemas/Nothing"] {
        assert!(output.err.contains(part), "{part:?} is not in {}", output.err);
    }
}

#[test]
fn a_file_that_is_not_a_document_is_reported() {
    let upstream = Upstream::sample();
    for (text, part) in [
        ("", "empty"),
        ("<html></html>", "HTML"),
        ("openapi: 4.0.0\npaths: {}\n", "4.0.0"),
        ("{\"openapi\": \"3.0.0\", \"paths\": {}", "openapi.yaml:1"),
        ("swagger: '2.0'\ninfo: [\n", "openapi.yaml:2"),
    ] {
        let home = Home::new(&Config::of(&upstream).document(text));
        let output = home.run(&["config", "check"]);
        assert_eq!(output.code, Some(2), "{text}: {output:?}");
        assert!(output.err.contains(part) && output.err.contains("openapi.yaml"), "{part:?}: {}", output.err);
    }
}

/// What a document declares and no request needs, and what is interpreted differently from what its author may expect.
const SLIPS: &str = "openapi: 3.1.0
info: { title: Slips, version: '1' }
paths:
  /a:
    get:
      operationId: twice
      parameters: [{ name: q, in: query, schema: { type: string, pattern: '/^[a-z]+$/i' } }]
      responses:
        '200': { $ref: 'https://example.org/responses.yaml#/Fine' }
        '404': { $ref: './gone.yaml#/NotFound' }
  /b:
    get:
      operationId: twice
      responses: { '200': { description: Fine } }
  '/c/{p:path}':
    get:
      parameters: [{ name: p, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: Fine } }
  '/c/{rest+}': { put: { responses: { '200': { description: Fine } } } }
  '/d/{rest...}': { put: { responses: { '200': { description: Fine } } } }
  /e%f:
    post:
      requestBody:
        content:
          application/octet-stream: { schema: { type: string, format: binary, maxLength: 9 } }
          application/json:
            schema: { type: string, contentMediaType: application/json, contentSchema: { type: object } }
      responses: { '200': { description: Fine } }
  '/files/{*p}':
    get:
      parameters: [{ name: p, in: path, required: true, schema: { type: string, maxLength: 12 } }]
      responses: { '200': { description: Fine } }
webhooks:
  one: { $ref: './webhooks/gone.yaml' }
components:
  securitySchemes:
    bearer: { type: http, scheme: bearer, bearerFormat: JWT }
    oauth: { type: oauth2, flows: {} }
    connect: { type: openIdConnect, openIdConnectUrl: 'https://example.org' }
";

#[test]
fn what_no_request_needs_is_a_warning_and_the_document_is_served() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).document(SLIPS);
    let output = Home::new(&config).run(&["config", "check"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    for part in [
        "openapi.yaml:7 at /paths/~1a/get/parameters/0/schema: The pattern \"/^[a-z]+$/i\" looks like a JavaScript literal",
        "openapi.yaml:9 at /paths/~1a/get/responses/200/$ref: The reference \"https://example.org/responses.yaml#/Fine\"",
        "openapi.yaml:10 at /paths/~1a/get/responses/404/$ref: The reference \"./gone.yaml#/NotFound\"",
        "openapi.yaml:13 at /paths/~1b/get/operationId: The operationId \"twice\" is used by more than one operation",
        "openapi.yaml:34 at /webhooks/one/$ref: The reference \"./webhooks/gone.yaml\"",
        "openapi.yaml:37 at /components/securitySchemes/bearer/bearerFormat: Tokens of the format \"JWT\"",
        "openapi.yaml:38 at /components/securitySchemes/oauth: Tokens of OAuth 2.0 are not accepted",
        "openapi.yaml:39 at /components/securitySchemes/connect: Tokens of OpenID Connect are not accepted",
        "{p:path} uses the notation of a framework",
        "{rest+} uses the notation of a framework",
        "{rest...} uses the notation of a framework",
        "openapi.yaml:21 at /paths/~1e%f: The path \"/e%f\" has a %",
        "`maxLength` is not enforced for a body of type application/octet-stream",
        "The keyword `contentMediaType` is not enforced",
        "The keyword `contentSchema` is not enforced",
    ] {
        assert!(output.err.contains(part), "{part:?} is not in:\n{}", output.err);
    }
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/b").key(&key)).status, 200);
    // `{*p}` takes the rest of the path, as the parameter `p`.
    assert_eq!(gateway.send(&get("/files/a/b/c.txt").key(&key)).status, 200);
    assert_eq!(gateway.send(&get("/files/a").key(&key)).status, 200);
    let long = gateway.send(&get("/files/a/b/c/d/e/f/g").key(&key));
    assert_error(&gateway, &long, 400, "PARAMETER_NOT_VALID");
}

#[test]
fn an_operation_id_of_several_operations_is_ambiguous() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).document(SLIPS);
    let output = Home::new(&config.section("[[endpoints]]\noperation = \"twice\"\ncost = 3\n"))
        .run(&["config", "check"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    for part in [
        "the document has several operations `twice`",
        "GET /a (",
        "openapi.yaml:6 at /paths/~1a/get",
        "GET /b (",
        "openapi.yaml:13 at /paths/~1b/get",
    ] {
        assert!(output.err.contains(part), "{part:?} is not in:\n{}", output.err);
    }
    let config = Config::of(&upstream).document(SLIPS);
    let output = Home::new(&config.section("[[endpoints]]\nmethod = \"GET\"\npath = \"/b\"\ncost = 3\n"))
        .run(&["config", "check"]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn what_takes_the_rest_is_the_last_segment_and_the_only_one() {
    let upstream = Upstream::sample();
    let document = |paths: &[(&str, &str)]| {
        let mut text = "openapi: 3.1.0\ninfo: { title: Files, version: '1' }\npaths:\n".to_owned();
        for (path, id) in paths {
            text += &format!(
                "  '{path}': {{ get: {{ operationId: {id}, responses: {{ '200': {{ description: Fine }} }} }} }}\n"
            );
        }
        text
    };
    let check = |paths: &[(&str, &str)], rest: &str| {
        let table = format!("[[endpoints]]\noperation = \"one\"\ncatch_all = \"{rest}\"");
        let config = Config::of(&upstream).document(&document(paths)).section(&table);
        Home::new(&config).run(&["config", "check"])
    };
    let output = check(&[("/{tenant}/files/{path}", "one")], "tenant");
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.err.contains("`tenant` is not the last segment of the path"), "{output:?}");
    let output = check(&[("/files/{path}", "one"), ("/files/{*all}", "two")], "path");
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.err.contains("GET /files/{*all} matches the same requests"), "{output:?}");
    let output =
        check(&[("/files/{path}", "one"), ("/files/{name}/size", "two"), ("/files/best", "three")], "path");
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn a_parameter_in_the_notation_of_a_framework_is_a_warning() {
    let upstream = Upstream::sample();
    let operation = "{ get: { responses: { '200': { description: Fine } } } }";
    let document = |path: &str| {
        format!("openapi: 3.1.0\ninfo: {{ title: Books, version: '1' }}\npaths:\n  '{path}': {operation}\n")
    };
    for (path, segment, name) in [
        ("/books/:id", ":id", "id"),
        ("/books/<id>", "<id>", "id"),
        ("/books/<int:book_id>/pages", "<int:book_id>", "book_id"),
        ("/books/[id]", "[id]", "id"),
    ] {
        let output = Home::new(&Config::of(&upstream).document(&document(path))).run(&["config", "check"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        let part = format!(
            "The path's \"{segment}\" would be taken literally, not as a parameter: write a parameter as a name between \
             braces: {{{name}}}."
        );
        assert!(output.err.contains(&part), "{part}\nis not in\n{}", output.err);
    }
    for path in ["/books:search", "/$metadata", "/a/:/b"] {
        let output = Home::new(&Config::of(&upstream).document(&document(path))).run(&["config", "check"]);
        assert!(output.code == Some(0) && !output.err.contains("literally"), "{output:?}");
    }
}

#[test]
fn an_operation_at_the_path_of_the_limits_does_not_start() {
    let upstream = Upstream::sample();
    let document = "openapi: 3.1.0
info: { title: Limits, version: '1' }
servers: [{ url: /v1 }]
paths:
  /_limits: { get: { responses: { '200': { description: Fine } } } }
  /_health: { get: { responses: { '200': { description: Fine } } } }
";
    let config = Config::of(&upstream).document(document);
    for command in [&["serve"][..], &["config", "check"]] {
        let output = Home::new(&config).run(command);
        assert_eq!(output.code, Some(2), "{output:?}");
        for part in [
            "openapi.yaml:5 at /paths/~1_limits/get: at `/v1/_limits` Fairgate itself serves the state of a key's limits",
            "set `[api] reserved_prefix` to a prefix that the API does not use",
            "1 error",
        ] {
            assert!(
                output.err.contains(part),
                "{part:?} is not in the output of {command:?}:\n{}",
                output.err
            );
        }
    }
    // Under another prefix both are reachable.
    let home = Home::new(&config);
    let text = std::fs::read_to_string(home.config()).unwrap();
    std::fs::write(home.config(), text.replacen("[api]", "[api]\nreserved_prefix = \"/-fairgate/\"", 1))
        .unwrap();
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    for path in ["/v1/_limits", "/v1/_health"] {
        gateway.send(&get(path).key(&key));
        assert_eq!(upstream.last().target, path);
    }
    let page = gateway.send(&get("/v1/-fairgate/limits").key(&key));
    assert!(page.status == 200 && page.json()["limits"].is_array(), "{}", page.text());
}
