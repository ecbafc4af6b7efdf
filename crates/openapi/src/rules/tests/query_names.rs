//! Names in a query: which are known, and how many there may be.

use super::*;
use crate::rules::UnknownQuery;

#[test]
fn unknown_names_are_refused_if_that_is_asked_for() {
    let documents = Documents::inline(
        json!({"limit": {"type": "integer"}, "filter": {"type": "object", "properties": {"age": {}}},
               "spread": {"type": "object", "properties": {"colour": {}}, "additionalProperties": false}}),
        Version::V31,
    );
    let named = |name: &str, style| {
        let mut parameter = styled(&documents, In::Query, style, true);
        parameter.name = name.to_owned();
        parameter.required = false;
        let schema = Some(at(&documents, &format!("/{name}")));
        parameter.form = ParameterForm::Styled { style, explode: true, allow_reserved: false, schema };
        parameter
    };
    let parameters =
        [named("limit", Style::Form), named("filter", Style::DeepObject), named("spread", Style::Form)];
    let strictness = Strictness { unknown_query: UnknownQuery::Refused, ..Strictness::default() };
    let (rules, _) = compiled(&documents, strictness, &[], &parameters, None);
    let run = |query: &str| listed(&rules.check_parameters(&sent(&[], Some(query), &Lines(vec![]))));
    assert_eq!(run("limit=1&filter[age]=3&colour=red"), [""; 0]);
    assert_eq!(
        run("limt=1&filter=3&zzz=1&zzz=2&colur=1"),
        [
            "PARAMETER_NOT_VALID query limt: Unknown parameter. Did you mean \"limit\"?",
            "PARAMETER_NOT_VALID query filter: Unknown parameter.",
            "PARAMETER_NOT_VALID query zzz: Unknown parameter.",
            "PARAMETER_NOT_VALID query colur: Unknown parameter. Did you mean \"colour\"?",
        ]
    );
}

pub(super) fn refuses_unknown(
    document: Value,
    parameter: impl FnOnce(&Documents) -> Vec<Parameter>,
) -> RequestRules {
    let documents = Documents::inline(document, Version::V31);
    let strictness = Strictness { unknown_query: UnknownQuery::Refused, ..Strictness::default() };
    compiled(&documents, strictness, &[], &parameter(&documents), None).0
}

#[test]
fn a_parameter_that_may_be_an_object_is_known_by_its_own_name() {
    for style in [Style::Form, Style::DeepObject] {
        for other in ["integer", "array"] {
            let schema = json!({"anyOf": [{"type": other, "items": {"type": "integer"}}, {"type": "object", "properties": {"m": {"type": "integer"}}}]});
            let rules = refuses_unknown(json!({ "schema": schema }), |documents| {
                vec![styled(documents, In::Query, style, true)]
            });
            let none = Lines(vec![]);
            let violations = listed(&rules.check_parameters(&sent(&[], Some("p=1"), &none)));
            assert_eq!(violations, [""; 0], "{style:?} {other}");
            assert_eq!(rules.check_parameters(&sent(&[], Some("p=1&q=1"), &none)).len(), 1);
        }
    }
}

#[test]
fn a_key_in_the_query_is_known() {
    let schemes = json!({
        "key": {"type": "apiKey", "in": "query", "name": "api_key"}, "other": {"$ref": "#/components/x"},
        "head": {"type": "apiKey", "in": "header", "name": "head"}
    });
    let components =
        json!({"securitySchemes": schemes, "x": {"type": "apiKey", "in": "query", "name": "token"}});
    let rules = refuses_unknown(json!({ "components": components }), |_| Vec::new());
    let none = Lines(vec![]);
    assert_eq!(listed(&rules.check_parameters(&sent(&[], Some("api_key=1&token=2"), &none))), [""; 0]);
    assert_eq!(rules.check_parameters(&sent(&[], Some("head=1&apikey=1"), &none)).len(), 2);
}

#[test]
fn a_spread_object_is_missing_only_if_it_may_not_be_empty() {
    let page = json!({"page": {"type": "integer"}, "sort": {"type": "array", "items": {"type": "string"}}});
    let none = Lines(vec![]);
    for version in [Version::V30, Version::V31] {
        for style in [Style::Form, Style::DeepObject] {
            for (schema, may_be_empty) in [
                (json!({"type": "object", "properties": page}), true),
                (json!({"type": "object", "additionalProperties": {"type": "integer"}}), true),
                (json!({"type": "object", "properties": page, "required": ["page"]}), false),
                (json!({"type": "object", "properties": page, "minProperties": 1}), false),
            ] {
                let documents = one(schema.clone(), version);
                let parameter = styled(&documents, In::Query, style, true);
                let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
                for query in [None, Some("")] {
                    let violations = listed(&rules.check_parameters(&sent(&[], query, &none)));
                    assert_eq!(violations.is_empty(), may_be_empty, "{style:?} {schema} {violations:?}");
                }
            }
        }
    }
    // What is not spread over pairs has to be there by its own name.
    for (schema, explode) in
        [(json!({"type": "object"}), false), (json!({"type": "array", "items": {}}), true)]
    {
        let documents = one(schema, Version::V31);
        let parameter = styled(&documents, In::Query, Style::Form, explode);
        let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
        assert_eq!(rules.check_parameters(&sent(&[], None, &none)).len(), 1);
    }
}

#[test]
fn a_map_takes_no_name_that_belongs_to_another_parameter_or_to_a_key() {
    let documents = Documents::inline(
        json!({
            "f": {"type": "object", "properties": {"w": {"type": "string"}}}, "p": {"type": "string"},
            "m": {"type": "object", "additionalProperties": {"type": "integer"}},
            "components": {"securitySchemes": {
                "q": {"type": "apiKey", "in": "query", "name": "api_key"},
                "c": {"type": "apiKey", "in": "cookie", "name": "session"},
            }},
        }),
        Version::V31,
    );
    let named = |name: &str, place, style| {
        let mut parameter = styled(&documents, place, style, true);
        (parameter.name, parameter.required) = (name.to_owned(), false);
        let schema = Some(at(&documents, &format!("/{name}")));
        parameter.form = ParameterForm::Styled { style, explode: true, allow_reserved: false, schema };
        parameter
    };
    let query = [
        named("f", In::Query, Style::DeepObject),
        named("m", In::Query, Style::Form),
        named("p", In::Header, Style::Simple),
    ];
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &query, None);
    let none = Lines(vec![]);
    let count = |query| rules.check_parameters(&sent(&[], Some(query), &none)).len();
    for query in ["f[w]=abc", "f[w]=a&f[w]=b", "api_key=abc", "n=1"] {
        let expected = usize::from(query == "f[w]=a&f[w]=b");
        assert_eq!(count(query), expected, "{query}");
    }
    // A header has no name in the query, and the cookie's name is none there either.
    for query in ["n=x", "p=x", "session=x", "g[w]=x"] {
        assert_eq!(count(query), 1, "{query}");
    }
    let cookies = [named("m", In::Cookie, Style::Form)];
    let (rules, _) = compiled(&documents, Strictness::default(), &[], &cookies, None);
    let count = |cookie| rules.check_parameters(&sent(&[], None, &Lines(vec![("cookie", cookie)]))).len();
    assert_eq!((count("session=abc"), count("n=1"), count("n=x"), count("api_key=x")), (0, 0, 1, 1));
}
