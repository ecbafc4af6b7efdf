//! Security requirements become permissions.

use super::{findings, fine};
use crate::api::Access::{self, Keys, Public};

const SCHEMES: &str = "
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    same: {type: apiKey, in: header, name: x-key}
    other: {$ref: '#/components/securitySchemes/third'}
    third: {type: apiKey, in: header, name: Api-Key}
    oauth: {type: oauth2, flows: {}}
    connect: {type: openIdConnect, openIdConnectUrl: https://x}
    bearer: {type: http, scheme: Bearer}
";

fn keys(sets: &[&[&str]]) -> Access {
    Keys(sets.iter().map(|set| set.iter().map(|&name| name.to_owned()).collect()).collect())
}

#[test]
fn requirements_are_alternatives_of_sets() {
    for (root, own, access) in [
        ("", "", keys(&[&[]])),
        ("security: []", "", Public),
        ("security: [{key: []}]", "", keys(&[&[]])),
        ("security: [{oauth: [a]}]", "", keys(&[&["a"]])),
        ("security: [{oauth: [a]}]", "security: []", Public),
        ("security: []", "security: [{oauth: [b]}]", keys(&[&["b"]])),
        ("", "security: [{oauth: [a]}, {}]", Public),
        ("", "security: [{oauth: [a, b, a], connect: [c, b]}, {key: []}]", keys(&[&["a", "b", "c"], &[]])),
        ("", "security: [{oauth: [a]}, {connect: [a]}]", keys(&[&["a"]])),
        ("", "security: [{bearer: [role]}]", keys(&[&["role"]])),
        // An absent value is not access for everyone.
        ("security: [{oauth: [a]}]", "security:", keys(&[&["a"]])),
    ] {
        let text = format!(
            "openapi: 3.1.0\n{root}\npaths:\n  /a:\n    get:\n      x-none: 1\n      {own}\n{SCHEMES}"
        );
        assert_eq!(fine(&text).1.operations[0].access, access, "{root} {own}");
    }
}

#[test]
fn the_documents_own_schemes_name_the_headers() {
    let security = "security: [{same: []}, {other: []}]";
    let (_, api, warnings) = fine(&format!("openapi: 3.1.0\npaths: {{}}\n{security}\n{SCHEMES}"));
    assert_eq!(api.key_headers, ["X-Key", "Api-Key"]);
    // Those of `oauth` and `connect`: a plain Bearer is how keys are sent.
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[test]
fn of_schemes_that_are_asked_for_together_one_is_the_key() {
    let schemes = "
components:
  securitySchemes:
    tenant: {type: apiKey, in: header, name: X-App-Id}
    key: {type: apiKey, in: header, name: X-API-Key}
    token: {type: apiKey, in: header, name: X-Auth-Token}
    bearer: {type: http, scheme: bearer}
    oauth: {type: oauth2, flows: {}}
    query: {type: apiKey, in: query, name: q}
";
    for (security, headers) in [
        ("[{tenant: [], key: []}]", &["X-API-Key"][..]),
        ("[{key: [], tenant: []}]", &["X-API-Key"]),
        ("[{tenant: []}, {key: []}]", &["X-App-Id", "X-API-Key"]),
        ("[{tenant: []}]", &["X-App-Id"]),
        // One that is asked for alone anywhere is the key.
        ("[{tenant: [], key: []}, {tenant: []}]", &["X-App-Id"]),
        ("[{bearer: [], tenant: []}]", &[]),
        ("[{oauth: [a], token: []}]", &[]),
        ("[{bearer: [], key: []}]", &["X-API-Key"]),
        ("[{tenant: [], token: []}]", &["X-Auth-Token"]),
        ("[{query: [], tenant: []}]", &["X-App-Id"]),
        ("[{}]", &[]),
        ("[]", &[]),
    ] {
        // Wherever it is said.
        for text in [
            format!("openapi: 3.1.0\nsecurity: {security}\npaths: {{}}\n{schemes}"),
            format!("openapi: 3.1.0\npaths: {{/a: {{get: {{security: {security}}}}}}}\n{schemes}"),
        ] {
            let (_, api, warnings) = fine(&text);
            assert_eq!(api.key_headers, headers, "{security}");
            let passed =
                warnings.iter().filter(|one| one.to_string().contains("Keys are not read from")).count();
            assert_eq!(passed, 3 - headers.len(), "{security} {warnings:?}");
        }
    }
    let (_, api, warnings) = fine(&format!(
        "openapi: 3.1.0\nsecurity: [{{tenant: [], key: []}}]\npaths: {{}}\n{}",
        schemes.replace("    token: {type: apiKey, in: header, name: X-Auth-Token}\n", "")
    ));
    assert_eq!(api.key_headers, ["X-API-Key"]);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said[..1],
        [
            "a:7 at /components/securitySchemes/tenant: Keys are not read from the header \"X-App-Id\", because `security` asks \
          for this scheme only together with another one, which has the key: your API receives the header as it was sent."
        ]
    );
}

#[test]
fn what_is_not_checked_is_reported() {
    let text = "openapi: 3.1.0\npaths: {}\ncomponents:\n  securitySchemes:\n    a: {type: apiKey, in: query, name: key}\n    b: {type: mutualTLS}\n    c: {type: http, scheme: basic}\n    d: {type: magic}\n";
    assert_eq!(
        findings(text),
        [
            "a:5 at /components/securitySchemes/a/in: A key in the query is ignored: keys are read from headers only.",
            "a:6 at /components/securitySchemes/b: Client certificates are not checked: clients send a key of the gateway.",
            "a:7 at /components/securitySchemes/c: HTTP authentication \"basic\" is not checked: clients send a key of the gateway.",
            "a:8 at /components/securitySchemes/d: Unknown security scheme type \"magic\": clients send a key of the gateway.",
        ]
    );
}

#[test]
fn schemes_that_are_not_defined_are_faults() {
    let text = format!(
        "openapi: 3.0.0\nsecurity: [{{kee: []}}]\npaths: {{/a: {{get: {{security: [{{none: []}}, 7, {{oauth: x}}]}}}}}}\n{SCHEMES}"
    );
    assert_eq!(
        findings(&text),
        [
            "fault a:2 at /security/0/kee: Unknown security scheme \"kee\". Did you mean \"key\"?",
            "fault a:3 at /paths/~1a/get/security/0/none: Unknown security scheme \"none\".",
            "fault a:3 at /paths/~1a/get/security/1: Must be an object, but is a number.",
            "fault a:3 at /paths/~1a/get/security/2/oauth: Must be an array, but is a string.",
        ]
    );
}

#[test]
fn tokens_of_identity_providers_are_reported_as_not_accepted() {
    let text = "openapi: 3.1.0
paths: {}
components:
  securitySchemes:
    a: {type: oauth2, flows: {}}
    b: {type: openIdConnect, openIdConnectUrl: https://x}
    c: {type: http, scheme: Bearer, bearerFormat: jwt}
    d: {type: http, scheme: bearer, bearerFormat: API key}
    e: {type: http, scheme: bearer}
";
    let sent = "clients send a key of the gateway instead, as \"Authorization: Bearer KEY\".";
    let begin = "at /components/securitySchemes";
    assert_eq!(
        findings(text),
        [
            format!(
                "a:5 {begin}/a: Tokens of OAuth 2.0 are not accepted: {sent} Scopes are permissions of keys."
            ),
            format!(
                "a:6 {begin}/b: Tokens of OpenID Connect are not accepted: {sent} Scopes are permissions of keys."
            ),
            format!("a:7 {begin}/c/bearerFormat: Tokens of the format \"jwt\" are not accepted: {sent}"),
        ]
    );
    let text = "swagger: '2.0'\npaths: {}\nsecurityDefinitions:\n  a: {type: oauth2, flow: implicit}\n";
    assert_eq!(
        findings(text),
        [format!(
            "a:4 at /securityDefinitions/a: Tokens of OAuth 2.0 are not accepted: {sent} Scopes are permissions of keys."
        )]
    );
}
