//! A document that cannot be used: every fault with file, line and pointer, exit code 2.

use crate::support::{Config, Upstream, gateway::Home};

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
fn every_fault_is_told_with_file_line_and_pointer() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream).document(BROKEN));
    for command in [&["serve"][..], &["config", "check"]] {
        let said = home.run(command);
        assert_eq!(said.code, Some(2), "{said:?}");
        for part in
            ["openapi.yaml:7", "/paths/~1a~1{id}/get/parameters/0/in", "paht", "openapi.yaml:9", "2 faults"]
        {
            assert!(said.err.contains(part), "{part:?} is not in what {command:?} said:\n{}", said.err);
        }
    }
    // Commands that only look at keys do not wait for the document.
    assert_eq!(home.run(&["keys", "list"]).code, Some(0));
}

#[test]
fn a_reference_that_leads_nowhere_is_told_where_it_stands() {
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
    let said = Home::new(&Config::of(&upstream).document(document)).run(&["config", "check"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    for part in ["openapi.yaml:8", "#/components/schemas/Nothing"] {
        assert!(said.err.contains(part), "{part:?} is not in {}", said.err);
    }
}

#[test]
fn what_is_no_document_at_all_is_said() {
    let upstream = Upstream::sample();
    for (text, part) in [
        ("", "empty"),
        ("<html></html>", "HTML"),
        ("openapi: 4.0.0\npaths: {}\n", "4.0.0"),
        ("{\"openapi\": \"3.0.0\", \"paths\": {}", "openapi.yaml:1"),
        ("swagger: '2.0'\ninfo: [\n", "openapi.yaml:2"),
    ] {
        let home = Home::new(&Config::of(&upstream).document(text));
        let said = home.run(&["config", "check"]);
        assert_eq!(said.code, Some(2), "{text}: {said:?}");
        assert!(said.err.contains(part) && said.err.contains("openapi.yaml"), "{part:?}: {}", said.err);
    }
}
