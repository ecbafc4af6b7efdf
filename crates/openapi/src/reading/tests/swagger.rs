//! Swagger 2.0 becomes what OpenAPI 3 expresses directly.

use super::{endpoints, findings, fine};
use crate::api::{In, ParameterForm, Style};
use serde_json::json;

const SHOP: &str = "
swagger: '2.0'
info: {title: Shop, version: '1'}
host: example.com
basePath: /api/
consumes: [application/json]
security: [{oauth: [read], key: []}]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
  oauth: {type: oauth2, flow: implicit, authorizationUrl: https://x, scopes: {read: r}}
parameters:
  id: {name: id, in: path, required: true, type: integer, format: int64, minimum: 1}
paths:
  /items/{id}:
    parameters: [{$ref: '#/parameters/id'}]
    get:
      parameters:
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: pipes}
        - {name: sort, in: query, type: array, items: {type: string}, collectionFormat: multi}
        - {name: X-Ids, in: header, type: array, items: {type: integer}}
        - {name: tabs, in: query, type: array, items: {type: integer}, collectionFormat: tsv}
    put:
      parameters: [{name: item, in: body, required: true, schema: {$ref: '#/definitions/Item'}}]
    post:
      consumes: [multipart/form-data]
      parameters:
        - {name: photo, in: formData, type: file, required: true}
        - {name: words, in: formData, type: array, items: {type: string}, collectionFormat: ssv, maxItems: 3}
    patch:
      parameters: [{name: note, in: formData, type: string}]
definitions: {Item: {type: object}}
";

#[test]
fn swagger_is_read() {
    let (documents, api, warnings) = fine(SHOP);
    // Of its OAuth 2.0, whose tokens are not accepted.
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        endpoints(&api),
        ["GET /api/items/{id}", "PUT /api/items/{id}", "POST /api/items/{id}", "PATCH /api/items/{id}"]
    );
    assert_eq!(api.key_headers, ["X-Key"]);
    let forms: Vec<_> = api.operations[0]
        .parameters
        .iter()
        .map(|parameter| {
            let ParameterForm::Styled { style, explode, schema: Some(schema), .. } = &parameter.form else {
                panic!()
            };
            (parameter.place, *style, *explode, documents.get(schema).unwrap().clone())
        })
        .collect();
    let strings = json!({"type": "array", "items": {"type": "string"}});
    let integers = json!({"type": "array", "items": {"type": "integer"}});
    assert_eq!(
        forms,
        [
            (In::Path, Style::Simple, false, json!({"type": "integer", "format": "int64", "minimum": 1})),
            (In::Query, Style::PipeDelimited, false, strings.clone()),
            (In::Query, Style::Form, true, strings),
            (In::Header, Style::Simple, false, integers.clone()),
            (In::Query, Style::TabDelimited, false, integers),
        ]
    );
    let body = |at: usize| api.operations[at].body.as_ref().unwrap();
    let whole = body(1);
    assert!(whole.required);
    assert_eq!(whole.content[0].media_type, "application/json");
    let schema = documents.follow(whole.content[0].schema.as_ref().unwrap()).unwrap();
    assert_eq!(schema.pointer, "/definitions/Item");
    let form = body(2);
    assert!(form.required);
    let [media] = form.content.as_slice() else { panic!("{form:?}") };
    assert_eq!(media.media_type, "multipart/form-data");
    let schema = media.schema.as_ref().unwrap();
    assert_eq!(
        *documents.get(schema).unwrap(),
        json!({"type": "object", "required": ["photo"], "properties": {
            "photo": {"type": "string", "format": "binary"},
            "words": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        }})
    );
    assert_eq!(
        (media.encodings[0].name.as_str(), media.encodings[0].style),
        ("words", Some(Style::SpaceDelimited))
    );
    let spot = documents.spot(&schema.child("properties").child("words").child("maxItems"));
    assert_eq!(spot.to_string(), "a:28 at /paths/~1items~1{id}/post/parameters/1/maxItems");
    let optional = body(3);
    assert_eq!(
        (optional.required, optional.content[0].media_type.as_str()),
        (false, "application/x-www-form-urlencoded")
    );
}

#[test]
fn what_swagger_cannot_express_is_reported() {
    let text = "swagger: '2.0'
paths:
  /a:
    post:
      parameters:
        - {name: one, in: body, schema: {}}
        - {name: two, in: formData, type: string}
    put:
      parameters:
        - {name: one, in: body, schema: {}}
        - {name: two, in: body, schema: {}}
    get:
      parameters:
        - {name: one, in: cookie, type: string}
      requestBody: {}
";
    assert_eq!(
        findings(text),
        [
            "fault a:7 at /paths/~1a/post/parameters/1: An operation can have a body or a form, but this one has both.",
            "fault a:11 at /paths/~1a/put/parameters/1: An operation can have only one body, but this list has a second.",
            "fault a:14 at /paths/~1a/get/parameters/0/in: Must be one of path, query, header, body, formData, but is \"cookie\".",
        ]
    );
    let multi = "swagger: '2.0'\npaths: {/a: {get: {parameters: [{name: q, in: header, type: array, collectionFormat: multi, items: {type: array}}], requestBody: {}}}}";
    assert_eq!(findings(multi).len(), 3, "{:?}", findings(multi));
}
