//! Parameters and bodies of OpenAPI 3.

use super::{findings, fine};
use crate::api::{In, ParameterForm, Style};

#[test]
fn styles_have_defaults_by_place() {
    for (parameter, style, explode) in [
        ("in: path", Style::Simple, false),
        ("in: path, style: matrix, explode: true", Style::Matrix, true),
        ("in: path, style: label", Style::Label, false),
        ("in: query", Style::Form, true),
        ("in: query, style: form, explode: false", Style::Form, false),
        ("in: query, style: spaceDelimited", Style::SpaceDelimited, false),
        ("in: query, style: deepObject", Style::DeepObject, false),
        ("in: header", Style::Simple, false),
        ("in: cookie", Style::Form, true),
        ("in: cookie, style: cookie", Style::Cookie, true),
        // Not defined: the default.
        ("in: query, style: matrix", Style::Form, true),
        ("in: header, style: deepObject", Style::Simple, false),
        ("in: header, style: unknown", Style::Simple, false),
    ] {
        let text = format!(
            "openapi: 3.2.0\npaths: {{'/{{p}}': {{get: {{parameters: [{{name: p, {parameter}, required: true, schema: {{}}}}]}}}}}}"
        );
        let (_, api, _) = fine(&text);
        let ParameterForm::Styled { style: found, explode: spread, .. } =
            api.operations[0].parameters[0].form
        else {
            panic!("{parameter}")
        };
        assert_eq!((found, spread), (style, explode), "{parameter}");
    }
}

#[test]
fn an_operations_parameters_win_over_its_paths() {
    let (documents, api, warnings) = fine(
        "
openapi: 3.1.0
paths:
  /a:
    parameters:
      - {$ref: '#/components/parameters/limit'}
      - {name: q, in: query, schema: {type: string}}
      - {name: X-Trace, in: header, schema: {type: string}}
      - {name: content-type, in: header, schema: {type: string}}
    get:
      parameters:
        - {name: q, in: query, required: true, allowEmptyValue: true, schema: {type: integer}}
        - {name: q, in: header, schema: {type: integer}}
        - {name: x-trace, in: header, schema: {type: integer}}
        - {name: filter, in: query, content: {Application/JSON;x=y: {schema: {type: object}}}}
        - {name: Authorization, in: header, schema: {}}
components:
  parameters:
    limit: {$ref: '#/components/parameters/size'}
    size: {name: limit, in: query, allowReserved: true, schema: {$ref: '#/components/schemas/Size'}}
  schemas: {Size: {type: integer}}
",
    );
    let parameters = &api.operations[0].parameters;
    let list: Vec<_> = parameters.iter().map(|each| (each.place, each.name.as_str())).collect();
    assert_eq!(
        list,
        [
            (In::Query, "limit"),
            (In::Query, "q"),
            (In::Header, "q"),
            (In::Header, "x-trace"),
            (In::Query, "filter"),
        ]
    );
    assert_eq!((parameters[1].required, parameters[1].allow_empty), (true, true));
    let ParameterForm::Styled { allow_reserved: true, schema: Some(schema), .. } = &parameters[0].form else {
        panic!("{:?}", parameters[0])
    };
    assert_eq!(schema.pointer, "/components/parameters/size/schema");
    assert_eq!(documents.follow(schema).unwrap().pointer, "/components/schemas/Size");
    let ParameterForm::Content { media_type, schema: Some(_) } = &parameters[4].form else { panic!() };
    assert_eq!(media_type, "application/json");
    assert_eq!(warnings, []);
}

#[test]
fn a_wrong_parameter_is_reported_at_its_place() {
    for (parameter, expected) in [
        ("{in: query, schema: {}}", "fault a:2 at P: The parameter needs a `name`."),
        ("{name: q, schema: {}}", "fault a:2 at P: The parameter needs a `in`."),
        ("{name: 7, in: query, schema: {}}", "fault a:2 at P/name: Must be a string, but is a number."),
        (
            "{name: q, in: body}",
            "fault a:2 at P/in: Must be one of path, query, header, cookie, but is \"body\".",
        ),
        (
            "{name: q, in: query, required: 'yes', schema: {}}",
            "fault a:2 at P/required: Must be a boolean, but is a string.",
        ),
        ("{name: q, in: query, schema: []}", "fault a:2 at P/schema: Must be an object, but is an array."),
        (
            "{name: q, in: query, content: {}}",
            "fault a:2 at P/content: The content of a parameter needs exactly one media type.",
        ),
        (
            "{$ref: '#/nowhere'}",
            "fault a:2 at P: The reference \"#/nowhere\" cannot be resolved: the file has no \"nowhere\".",
        ),
        ("{name: q, in: query}", "a:2 at P: The parameter has no schema; any value is accepted."),
        (
            "{name: q, in: query, schema: {}, requird: true}",
            "a:2 at P/requird: Unknown field \"requird\" is ignored: OpenAPI 3.1 does not define it here. Did you mean \"required\"?",
        ),
        (
            "{name: q, in: query, style: matrix, schema: {}}",
            "a:2 at P/style: The style \"matrix\" is not defined for the query; the default is used.",
        ),
        ("7", "fault a:2 at P: Must be an object, but is a number."),
    ] {
        let text = format!("openapi: 3.1.0\npaths: {{/a: {{get: {{parameters: [{parameter}]}}}}}}");
        assert_eq!(findings(&text), [expected.replace("at P", "at /paths/~1a/get/parameters/0")]);
    }
    let twice = "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: Q, in: header, schema: {}}, {name: q, in: header, schema: {}}]}}}";
    assert_eq!(
        findings(twice),
        ["fault a:2 at /paths/~1a/get/parameters/1: Duplicate header parameter \"q\" in this list."]
    );
}

#[test]
fn bodies_have_media_types_schemas_and_encodings() {
    let text = "
openapi: 3.0.3
paths:
  /a:
    post: {requestBody: {$ref: '#/components/requestBodies/B'}}
    put: {requestBody: {description: free}}
    delete: {}
components:
  requestBodies:
    B:
      required: true
      content:
        Application/JSON; charset=utf-8: {schema: {type: object}}
        application/json: {schema: {type: string}}
        text/*: {}
        multipart/form-data:
          schema: {type: object}
          encoding: {a: {contentType: 'image/png, Image/JPEG', style: form}, b: {style: deepObject, explode: true}}
";
    let (_, api, warnings) = fine(text);
    let body = api.operations[0].body.as_ref().unwrap();
    assert!(body.required);
    let types: Vec<_> =
        body.content.iter().map(|media| (media.media_type.as_str(), media.schema.is_some())).collect();
    assert_eq!(types, [("application/json", true), ("text/*", false), ("multipart/form-data", true)]);
    let [a, b] = body.content[2].encodings.as_slice() else { panic!() };
    assert_eq!(a.content_types, ["image/png", "image/jpeg"]);
    // Until 3.1, only a form of pairs has styles.
    assert_eq!((a.style, a.explode, b.style, b.explode), (None, None, None, None));
    let free = api.operations[1].body.as_ref().unwrap();
    assert_eq!((free.required, free.content[0].media_type.as_str()), (false, "*/*"));
    assert!(api.operations[2].body.is_none());
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let (_, api, warnings) = fine(&text.replace("3.0.3", "3.1.0"));
    let [a, b] = api.operations[0].body.as_ref().unwrap().content[2].encodings.as_slice() else { panic!() };
    assert_eq!((a.style, a.explode), (Some(Style::Form), Some(true)));
    assert_eq!((b.style, b.explode), (Some(Style::DeepObject), Some(true)));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[test]
fn references_that_no_request_needs_are_warnings() {
    let text = "openapi: 3.0.3\npaths: {/a: {get: {responses: {200: {$ref: '#/gone'}}}}}";
    assert_eq!(
        findings(text),
        [
            "a:2 at /paths/~1a/get/responses/200: The reference \"#/gone\" cannot be resolved: the file has no \"gone\"."
        ]
    );
}
