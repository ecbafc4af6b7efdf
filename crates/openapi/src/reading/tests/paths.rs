//! Paths, methods and base paths.

use super::{endpoints, findings, fine};
use crate::{api::Access, documents::tests::read, reading};

#[test]
fn operations_keep_the_order_of_the_document_and_are_on_every_base_path() {
    let (_, api, warnings) = fine(
        "
openapi: 3.2.0
info: {title: Things, version: 1.0}
servers:
  - url: https://{region}.example.com/{base}/
    variables: {region: {default: eu}, base: {default: v1}}
  - url: https://example.org/v1
  - url: /
paths:
  /z:
    trace: {operationId: z, tags: [last, x], deprecated: true, summary: ' ', description: \"\\n One.\\nTwo.\"}
    query: {}
    additionalOperations: {PURGE: {}, purge: {}}
  /a/{id}:
    servers: [{url: /own}]
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {}
    put: {servers: [{url: 'http://x/deep/er'}]}
  x-mine: {}
",
    );
    assert_eq!(
        endpoints(&api),
        [
            "TRACE /v1/z",
            "TRACE /z",
            "QUERY /v1/z",
            "QUERY /z",
            "PURGE /v1/z",
            "PURGE /z",
            "GET /own/a/{id}",
            "PUT /deep/er/a/{id}",
        ]
    );
    assert_eq!(api.base_paths, ["/v1", "", "/own", "/deep/er"]);
    let first = &api.operations[0];
    assert_eq!((first.summary.as_str(), first.tag.as_str(), first.deprecated), ("One.", "last", true));
    assert_eq!((first.id.as_deref(), first.own_path.as_str()), (Some("z"), "/z"));
    assert_eq!((api.title.as_str(), api.version.as_str()), ("Things", "1.0"));
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "a:13 at /paths/~1z/additionalOperations/purge: The operation is left out: methods are case-sensitive, and no \
             client sends \"purge\". Write PURGE."
        ]
    );
}

#[test]
fn methods_of_later_versions_are_not_served_in_earlier_ones() {
    let text = "openapi: 3.1.0\npaths: {/a: {query: {}, get: {}, additionalOperations: {X: {}}}}";
    assert_eq!(endpoints(&fine(text).1), ["GET /a"]);
    assert_eq!(findings(text).len(), 2);
}

#[test]
fn other_values_of_a_servers_variable_are_reported_as_not_served() {
    let text = "openapi: 3.1.0\nservers:\n- url: https://{region}.x/{version}\n  variables:\n    region: {default: eu, enum: [eu, us]}\n    version: {default: v2, enum: [v1, v2]}\n";
    assert_eq!(fine(text).1.base_paths, ["/v2"]);
    assert_eq!(
        findings(text),
        [
            "a:6 at /servers/0/variables/version: Only the default value of the variable \"version\" is served."
        ]
    );
}

#[test]
fn path_items_may_be_references() {
    let mut documents = read(&[
        ("a", "openapi: 3.1.0\npaths: {/a: {$ref: '#/components/pathItems/A'}, /b: {$ref: b.yaml}}\ncomponents: {pathItems: {A: {get: {}}}}"),
        ("b.yaml", "post: {}"),
    ])
    .unwrap();
    let (api, _) = reading::read(&mut documents).unwrap();
    assert_eq!(endpoints(&api), ["GET /a", "POST /b"]);
    assert_eq!(documents.spot(&api.operations[1].at).to_string(), "b.yaml:1 at /post");
}

#[test]
fn operations_that_are_references_require_what_their_target_declares() {
    let text = |reference: &str| {
        format!(
            "openapi: 3.2.0
security: [{{key: []}}]
paths:
  /a: {{get: {{$ref: '#/x-o/first'}}, query: {{$ref: '#/x-o/strict'}}, additionalOperations: {{LINK: {{$ref: {reference}}}}}}}
components: {{securitySchemes: {{key: {{type: apiKey, in: header, name: k}}}}}}
x-o:
  first: {{$ref: '#/x-o/strict'}}
  strict:
    security: [{{key: [admin]}}]
    parameters: [{{name: p, in: query, schema: {{type: integer}}}}]
    requestBody: {{content: {{a/b: {{}}}}}}
"
        )
    };
    let (_, api, warnings) = fine(&text("'#/x-o/strict'"));
    assert_eq!(endpoints(&api), ["GET /a", "QUERY /a", "LINK /a"]);
    for operation in &api.operations {
        assert_eq!(operation.access, Access::Keys(vec![vec!["admin".to_owned()]]));
        assert!(operation.parameters.len() == 1 && operation.body.is_some());
    }
    assert_eq!(warnings, []);
    for (reference, part) in [
        ("'#/x-o/gone'", "fault a:4 at /paths/~1a/additionalOperations/LINK: The reference \"#/x-o/gone\""),
        ("'#/info'", "fault a:4 at /paths/~1a/additionalOperations/LINK: The reference \"#/info\""),
        ("'#/openapi'", "Must be an object, but is a string."),
        ("'#/paths/~1a/additionalOperations/LINK'", "are circular"),
        (
            "7",
            "fault a:4 at /paths/~1a/additionalOperations/LINK: The $ref must be a string, but is a number.",
        ),
    ] {
        let findings = findings(&text(reference));
        assert!(
            findings.len() == 1 && findings[0].starts_with("fault ") && findings[0].contains(part),
            "{reference}: {findings:?}"
        );
    }
}

#[test]
fn members_beside_the_reference_of_an_operation_are_reported() {
    let text = |beside: &str, on_the_way: &str| {
        format!(
            "openapi: 3.1.0
paths:
  /a:
    get: {{$ref: '#/x-o/a'{beside}}}
  /b: {{$ref: '#/components/pathItems/b', parameters: [], summary: x}}
components: {{pathItems: {{b: {{put: {{}}}}}}, securitySchemes: {{k: {{type: http, scheme: bearer}}}}}}
x-o: {{a: {{$ref: '#/x-o/b'{on_the_way}}}, b: {{}}}}
"
        )
    };
    let of_item = "a:5 at /paths/~1b: The members beside the $ref of the path item are ignored: parameters.";
    assert_eq!(findings(&text(", summary: x, x-y: 1", "")), [of_item]);
    assert_eq!(
        findings(&text(", tags: [x], parameters: []", "")),
        [
            "a:4 at /paths/~1a/get: The members beside the $ref of the operation are ignored: tags, parameters.",
            of_item
        ]
    );
    let fault = "The operation has security beside its $ref, which would not be asked for: move it to where the $ref leads.";
    let security = ", security: [{k: [admin]}]";
    assert_eq!(findings(&text(security, "")), [format!("fault a:4 at /paths/~1a/get/security: {fault}")]);
    assert_eq!(findings(&text("", security)), [format!("fault a:7 at /x-o/a/security: {fault}")]);
}

#[test]
fn a_segment_in_the_notation_of_a_framework_is_a_warning() {
    for (segment, name) in [
        (":id", "id"),
        ("<id>", "id"),
        ("<int:book_id>", "book_id"),
        ("[shelf]", "shelf"),
        (":from-:to.json", "from"),
    ] {
        let warnings = findings(&format!("openapi: 3.1.0\npaths: {{'/books/{segment}': {{get: {{}}}}}}"));
        assert_eq!(
            warnings,
            [format!(
                "a:2 at /paths/~1books~1{segment}: The path's \"{segment}\" would be taken literally, not as a parameter: \
                 write a parameter as a name between braces: {{{name}}}."
            )]
        );
    }
    for segment in ["*", "**"] {
        let warnings = findings(&format!("openapi: 3.1.0\npaths: {{'/books/{segment}': {{get: {{}}}}}}"));
        assert!(
            warnings.iter().any(|finding| finding.contains("not as a wildcard: write {*rest}")),
            "{warnings:?}"
        );
    }
    for path in ["/books:search", "/$metadata", "/a/:", "/a/<", "/{id}:act"] {
        let warnings = findings(&format!("openapi: 3.1.0\npaths: {{'{path}': {{get: {{}}}}}}"));
        assert!(!warnings.iter().any(|finding| finding.contains("literally")), "{warnings:?}");
    }
}

#[test]
fn templates_are_checked() {
    for (paths, expected) in [
        (
            "'/a?x={y}': {get: {}}",
            "a:2 at /paths/~1a?x={y}: The path contains a ? or #, so no request can match it; it is ignored.",
        ),
        ("a: {get: {}}", "fault a:2 at /paths/a: A path must begin with a slash, but this one is \"a\"."),
        ("'/{a': {get: {}}", "fault a:2 at /paths/~1{a: The path has a { without a matching }."),
        ("'/{a}/{a}': {}", "fault a:2 at /paths/~1{a}~1{a}: The path has the parameter \"a\" twice."),
        (
            "'/{a}': {get: {}}",
            "a:2 at /paths/~1{a}/get: The path parameter \"a\" is not declared; any text is accepted.",
        ),
        (
            "/b: {get: {parameters: [{name: a, in: path, required: true, schema: {}}]}}",
            "fault a:2 at /paths/~1b/get/parameters/0: The path has no {a}.",
        ),
    ] {
        assert_eq!(findings(&format!("openapi: 3.1.0\npaths: {{{paths}}}")), [expected]);
    }
}

#[test]
fn the_same_requests_may_not_be_meant_twice() {
    let text = "openapi: 3.1.0
servers: [{url: /}, {url: /v1}]
paths:
  /{a}: {get: {operationId: one}, parameters: [{name: a, in: path, required: true, schema: {}}]}
  /{b}:
    parameters: [{name: b, in: path, required: true, schema: {}}]
  /v1/{c}:
    parameters: [{name: c, in: path, required: true, schema: {}}]
    get: {operationId: two}
";
    assert_eq!(
        findings(text),
        ["fault a:9 at /paths/~1v1~1{c}/get: The same requests already match GET \"/v1/{a}\".",]
    );
}

#[test]
fn an_identifier_of_several_operations_is_a_warning() {
    let text = "openapi: 3.1.0
servers: [{url: /}, {url: /v1}]
paths:
  /a: {get: {operationId: one}}
  /b:
    get: {operationId: one}
    put:
      operationId: one
";
    assert_eq!(
        findings(text),
        [
            "a:6 at /paths/~1b/get/operationId: The operationId \"one\" is used by more than one operation: the \
             configuration can refer to each only by its method and path. (and in 1 other place)"
        ]
    );
    assert_eq!(fine(text).1.operations.len(), 6);
}

#[test]
fn a_reference_that_no_request_needs_is_a_warning_where_it_leads_nowhere() {
    let (documents, _, warnings) = fine(
        "openapi: 3.1.0
paths:
  /a:
    get:
      responses:
        '200': {$ref: 'https://example.org/r.yaml#/R'}
        '400': {$ref: gone.yaml}
        '404':
          description: x
          content: {a/b: {examples: {one: {$ref: 'urn:x'}}}}
webhooks:
  one: {$ref: ./other/gone.yaml#/a}
components:
  schemas: {A: {$ref: gone.yaml#/x}}
",
    );
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "a:6 at /paths/~1a/get/responses/200/$ref: The reference \"https://example.org/r.yaml#/R\" is not followed: \
             nothing is fetched from the network. Download it next to the document and refer to the file.",
            "a:7 at /paths/~1a/get/responses/400/$ref: The reference \"gone.yaml\" cannot be resolved: There is no such file.",
            "a:10 at /paths/~1a/get/responses/404/content/a~1b/examples/one/$ref: The reference \"urn:x\" names no file. \
             Refer to a file by its path, relative to this one.",
            "a:12 at /webhooks/one/$ref: The reference \"./other/gone.yaml#/a\" cannot be resolved: There is no such file.",
            "a:14 at /components/schemas/A/$ref: The reference \"gone.yaml#/x\" cannot be resolved: There is no such file.",
        ]
    );
    assert_eq!(documents.files().count(), 1);
}

#[test]
fn a_reference_that_a_request_needs_is_a_fault_where_it_leads_nowhere() {
    for (paths, place) in [
        ("/a: {$ref: 'gone.yaml#/a'}", "/paths/~1a"),
        ("/a: {get: {parameters: [{$ref: 'gone.yaml#/a'}]}}", "/paths/~1a/get/parameters/0"),
        ("/a: {put: {requestBody: {$ref: 'gone.yaml#/a'}}}", "/paths/~1a/put/requestBody"),
        // The same reference before it, which no request needs, hides nothing.
        (
            "/a: {get: {responses: {'200': {$ref: 'gone.yaml#/a'}}}, put: {requestBody: {$ref: 'gone.yaml#/a'}}}",
            "/paths/~1a/put/requestBody",
        ),
    ] {
        for (target, reason) in [
            ("gone.yaml#/a", "\"gone.yaml#/a\" cannot be resolved: There is no such file."),
            (
                "https://x.org/a",
                "\"https://x.org/a\" is not followed: nothing is fetched from the network. Download it next to the document and refer to the file.",
            ),
        ] {
            let text = format!("openapi: 3.1.0\npaths: {{{}}}", paths.replace("gone.yaml#/a", target));
            assert_eq!(findings(&text), [format!("fault a:2 at {place}: The reference {reason}")]);
        }
    }
}

#[test]
fn names_that_take_the_rest_of_a_path_are_declared_without_their_stars() {
    let parameter = "parameters: [{name: p, in: path, required: true, schema: {type: string}}]";
    for (path, named) in [
        ("/a/{*p}", None),
        ("/a/{**p}", None),
        ("/a/{p:path}", Some("p:path")),
        ("/a/{p+}", Some("p+")),
        ("/a/{p=**}", Some("p=**")),
        ("/a/{p...}", Some("p...")),
        ("/a/{p*}", Some("p*")),
        ("/a/{p:.*}", Some("p:.*")),
    ] {
        let text = format!("openapi: 3.1.0\npaths:\n  '{path}':\n    {parameter}\n    get: {{}}\n");
        let faults = findings(&text);
        match named {
            None => assert_eq!(faults, Vec::<String>::new(), "{path}"),
            Some(name) => assert_eq!(
                faults,
                [format!(
                    "a:3 at /paths/{}: The path's {{{name}}} uses the notation of a framework and matches one segment of the \
                     path: write {{*p}} to match the rest of the path, or {{p}}.",
                    path.replace('/', "~1")
                )]
            ),
        }
    }
    // One takes more than the other: they are two.
    let text = format!(
        "openapi: 3.1.0\npaths:\n  /a/{{p}}:\n    {parameter}\n    get: {{}}\n  '/a/{{*p}}':\n    {parameter}\n    get: {{}}\n"
    );
    assert_eq!(findings(&text), Vec::<String>::new());
}

#[test]
fn a_percent_sign_that_begins_no_escape_is_a_warning() {
    for path in ["/a%b", "/a%", "/a%2", "/%zz/{c}"] {
        let faults = findings(&format!("openapi: 3.1.0\npaths:\n  '{path}':\n    get: {{}}\n"));
        assert!(
            faults.iter().any(|faults| faults.contains("write %25 for a percent sign")),
            "{path}: {faults:?}"
        );
    }
    assert_eq!(findings("openapi: 3.1.0\npaths:\n  /a%20b/%C3%BC:\n    get: {}\n"), Vec::<String>::new());
}

#[test]
fn notations_of_a_wildcard_are_named() {
    for (segment, name) in [
        ("*", "rest"),
        ("*rest", "rest"),
        ("[...slug]", "slug"),
        ("[[...slug]]", "slug"),
        ("(.*)", "rest"),
        ("{wildcard}*", "wildcard"),
    ] {
        let text = format!("openapi: 3.1.0\npaths:\n  '/w/{segment}':\n    get: {{}}\n");
        let hint =
            format!("would be taken literally, not as a wildcard: write {{*{name}}} as the last segment");
        assert!(findings(&text).iter().any(|line| line.contains(&hint)), "{segment} {:?}", findings(&text));
    }
    // These are segments of real APIs.
    for path in ["/$metadata", "/a*b", "/f(x)", "/items/*:search"] {
        let text = format!("openapi: 3.1.0\npaths:\n  '{path}':\n    get: {{}}\n");
        assert_eq!(findings(&text), [""; 0], "{path}");
    }
}

#[test]
fn a_path_that_cannot_be_matched_is_left_out_and_the_others_are_served() {
    let text = "openapi: 3.1.0\npaths:\n  '/x/{a}{b}':\n    get: {}\n  /ok:\n    get: {}\n";
    let (_, api, warnings) = fine(text);
    assert_eq!(super::endpoints(&api), ["GET /ok"]);
    assert_eq!(
        warnings[0].to_string(),
        "a:3 at /paths/~1x~1{a}{b}: The path \"/x/{a}{b}\" has two parameters with nothing between them, so no request can \
         be matched to it; it is ignored."
    );
}

#[test]
fn a_wildcard_whose_name_is_its_star_takes_the_rest() {
    let parameter = "parameters: [{name: '*', in: path, required: true, schema: {type: string}}]";
    let text = format!("openapi: 3.1.0\npaths:\n  '/w/{{*}}':\n    {parameter}\n    get: {{}}\n");
    assert_eq!(findings(&text), [""; 0]);
}

#[test]
fn members_beside_the_reference_of_a_parameter_or_body_are_reported() {
    let text = "openapi: 3.1.0
paths:
  /p:
    post:
      parameters: [{$ref: '#/components/parameters/P', required: true, description: x}]
      requestBody: {$ref: '#/components/requestBodies/B', required: true}
components:
  parameters: {P: {name: p, in: query, schema: {type: string}}}
  requestBodies: {B: {content: {application/json: {schema: {type: object}}}}}
";
    let beside = "The members beside the $ref of the";
    assert_eq!(
        findings(text),
        [
            format!("a:5 at /paths/~1p/post/parameters/0: {beside} parameter are ignored: required."),
            format!("a:6 at /paths/~1p/post/requestBody: {beside} request body are ignored: required."),
        ]
    );
}

#[test]
fn a_server_that_looks_like_a_host_is_named() {
    for (url, base) in [("localhost:3000", "/localhost:3000"), ("api.example.com/v1", "/api.example.com/v1")]
    {
        let text = format!("openapi: 3.1.0\nservers: [{{url: '{url}'}}]\npaths: {{/a: {{get: {{}}}}}}\n");
        assert_eq!(
            findings(&text),
            [format!(
                "a:2 at /servers/0/url: \"{url}\" has no scheme and is read as the path \"{base}\", but looks like a host: \
                 write \"https://{url}\"."
            )]
        );
    }
}
