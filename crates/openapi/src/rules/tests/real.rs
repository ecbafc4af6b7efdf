//! One small document with all that a gateway needs of rules at once.

use super::*;
use crate::{reading, rules::BodyFault};

fn petstore() -> Documents {
    struct One;
    impl crate::documents::Files for One {
        fn read(&self, _location: &str) -> Result<Vec<u8>, String> {
            Ok(br##"
openapi: 3.0.3
info: { title: Pets, version: "1" }
paths:
  /pets/{id}:
    put:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }
        - { name: dry, in: query, schema: { type: boolean } }
        - { name: sort, in: query, schema: { type: string, enum: [asc, desc] } }
        - { name: X-Trace, in: header, required: true, schema: { type: string, maxLength: 3 } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Pet" }
      responses: { "200": { description: ok } }
components:
  schemas:
    Pet:
      type: object
      required: [name, id]
      additionalProperties: false
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, minLength: 1 }
        colour: { type: string, enum: [black, white] }
        parent: { $ref: "#/components/schemas/Pet" }
"##
            .to_vec())
        }
    }
    Documents::read("pets.yaml", &One).unwrap()
}

#[test]
fn a_document_becomes_rules() {
    let mut documents = petstore();
    let (api, _) = reading::read(&mut documents).unwrap();
    let operation = &api.operations[0];
    let mut compiler = RuleCompiler::new(&documents, Strictness::default());
    let rules = compiler.operation(&["id"], &operation.parameters, operation.body.as_ref());
    assert_eq!(compiler.finish().unwrap(), []);

    let fine = Lines(vec![("x-trace", "abc")]);
    assert!(rules.checks_parameters());
    assert_eq!(listed(&rules.check_parameters(&sent(&["7"], Some("sort=desc&dry=true"), &fine))), [""; 0]);
    assert_eq!(listed(&rules.check_parameters(&sent(&["7"], None, &fine))), [""; 0]);
    assert_eq!(
        listed(&rules.check_parameters(&sent(&["0"], Some("sort=dsc&dry=1&dry=2"), &Lines(vec![])))),
        [
            "PARAMETER_NOT_VALID path id: Must be at least 1, but is 0.",
            "PARAMETER_NOT_VALID query dry: Sent 2 times; send it once.",
            "PARAMETER_NOT_VALID query sort: Must be one of asc, desc, but is \"dsc\". Did you mean \"desc\"?",
            "HEADER_MISSING header X-Trace: Required but missing.",
        ]
    );

    let json = Some(&b"application/json; charset=utf-8"[..]);
    assert!(rules.reads_body(json) && !rules.reads_body(Some(b"text/plain")));
    assert_eq!(rules.check_media_type(json, true), Ok(()));
    assert!(matches!(rules.check_media_type(Some(b"text/plain"), true), Err(BodyFault::MediaType(_))));
    assert!(matches!(rules.check_media_type(None, false), Err(BodyFault::Malformed(_))));
    assert_eq!(rules.check_body(json, br#"{"name":"Rex","parent":{"name":"Old","colour":"black"}}"#), Ok(()));
    let Err(BodyFault::NotValid(details)) =
        rules.check_body(json, br#"{"name":"","color":"white","parent":{"colour":"blak","id":"x"}}"#)
    else {
        panic!("taken")
    };
    let details: Vec<String> = details
        .iter()
        .map(|detail| format!("{}: {}", detail.pointer.as_deref().unwrap(), detail.message))
        .collect();
    assert_eq!(
        details,
        [
            "/name: Must have at least 1 character, but has 0.",
            "/color: Unknown property. Did you mean \"colour\"?",
            "/parent/colour: Must be one of black, white, but is \"blak\". Did you mean \"black\"?",
            "/parent/id: Must be an integer, but is \"x\".",
            "/parent/name: Required but missing.",
        ]
    );
}
