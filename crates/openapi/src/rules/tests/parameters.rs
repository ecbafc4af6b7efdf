//! Parameters: every style and explode of the specification's table, and what is reported about the rest.

use super::{query_names::refuses_unknown, *};

/// What a request sends for the parameter `p`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sends {
    Path(&'static str),
    Query(&'static str),
    Header(&'static str),
    Cookie(&'static str),
}

use Sends::{Cookie, Header, Path, Query};

pub(super) fn check(schema: &Value, style: Style, explode: bool, sends: Sends) -> Vec<String> {
    let documents = one(schema.clone(), Version::V31);
    let place = match sends {
        Path(_) => In::Path,
        Query(_) => In::Query,
        Header(_) => In::Header,
        Cookie(_) => In::Cookie,
    };
    let parameter = styled(&documents, place, style, explode);
    let (rules, _) = compiled(&documents, Strictness::default(), &["p"], &[parameter], None);
    let none = Lines(vec![]);
    let violations = match sends {
        Path(text) => rules.check_parameters(&sent(&[text], None, &none)),
        Query(text) => rules.check_parameters(&sent(&[], Some(text), &none)),
        Header(text) => rules.check_parameters(&sent(&[], None, &Lines(vec![("p", text)]))),
        Cookie(text) => rules.check_parameters(&sent(&[], None, &Lines(vec![("cookie", text)]))),
    };
    listed(&violations)
}

/// The table of the specification: `color` is `p`, its values the table's own.
#[test]
fn every_style_of_the_specification_is_read() {
    // Each schema takes exactly the value that the table shows, so that a wrong reading is refused.
    let text = json!({"const": "blue", "type": "string"});
    let list = json!({"const": ["blue", "black", "brown"], "type": "array", "items": {"type": "string"}});
    let object = json!({
        "const": {"R": 100, "G": 200, "B": 150}, "type": "object",
        "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}, "B": {"type": "integer"}}
    });
    let rows: &[(Style, bool, &Value, Sends)] = &[
        (Style::Matrix, false, &text, Path(";p=blue")),
        (Style::Matrix, false, &list, Path(";p=blue,black,brown")),
        (Style::Matrix, false, &object, Path(";p=R,100,G,200,B,150")),
        (Style::Matrix, true, &text, Path(";p=blue")),
        (Style::Matrix, true, &list, Path(";p=blue;p=black;p=brown")),
        (Style::Matrix, true, &object, Path(";R=100;G=200;B=150")),
        (Style::Label, false, &text, Path(".blue")),
        (Style::Label, false, &list, Path(".blue,black,brown")),
        (Style::Label, false, &object, Path(".R,100,G,200,B,150")),
        (Style::Label, true, &text, Path(".blue")),
        (Style::Label, true, &list, Path(".blue.black.brown")),
        (Style::Label, true, &object, Path(".R=100.G=200.B=150")),
        (Style::Simple, false, &text, Path("blue")),
        (Style::Simple, false, &list, Path("blue,black,brown")),
        (Style::Simple, false, &object, Path("R,100,G,200,B,150")),
        (Style::Simple, true, &text, Path("blue")),
        (Style::Simple, true, &list, Path("blue,black,brown")),
        (Style::Simple, true, &object, Path("R=100,G=200,B=150")),
        (Style::Simple, false, &text, Header(" blue ")),
        (Style::Simple, false, &list, Header("blue, black ,brown")),
        (Style::Simple, false, &object, Header("R,100, G,200, B,150")),
        (Style::Simple, true, &object, Header("R=100,G=200,B=150")),
        (Style::Form, false, &text, Query("p=blue")),
        (Style::Form, false, &list, Query("p=blue,black,brown")),
        (Style::Form, false, &object, Query("p=R,100,G,200,B,150")),
        (Style::Form, true, &text, Query("x=1&p=blue&y")),
        (Style::Form, true, &list, Query("p=blue&x=1&p=black&p=brown")),
        (Style::Form, true, &object, Query("R=100&G=200&B=150")),
        (Style::SpaceDelimited, false, &list, Query("p=blue%20black%20brown")),
        (Style::SpaceDelimited, false, &list, Query("p=blue+black+brown")),
        (Style::SpaceDelimited, false, &object, Query("p=R%20100%20G%20200%20B%20150")),
        (Style::SpaceDelimited, true, &list, Query("p=blue&p=black&p=brown")),
        (Style::PipeDelimited, false, &list, Query("p=blue|black|brown")),
        (Style::PipeDelimited, false, &list, Query("p=blue%7Cblack%7cbrown")),
        (Style::PipeDelimited, false, &object, Query("p=R%7C100%7CG%7C200%7CB%7C150")),
        (Style::TabDelimited, false, &list, Query("p=blue%09black%09brown")),
        (Style::DeepObject, true, &object, Query("p%5BR%5D=100&p[G]=200&p[B]=150")),
        (Style::Form, false, &text, Cookie("x=1; p=blue")),
        (Style::Form, false, &list, Cookie("p=blue,black,brown")),
        (Style::Form, false, &object, Cookie("p=R,100,G,200,B,150")),
        (Style::Cookie, true, &text, Cookie("p=blue; x=1")),
        (Style::Cookie, true, &list, Cookie("p=blue; p=black; p=brown")),
        (Style::Cookie, true, &object, Cookie("R=100; G=200; B=150")),
    ];
    for (style, explode, schema, sends) in rows {
        assert_eq!(check(schema, *style, *explode, *sends), [""; 0], "{style:?} {explode} {sends:?}");
    }
}

#[test]
fn delimiters_are_found_before_anything_is_decoded() {
    let list = |items: &[&str]| json!({"const": items, "type": "array", "items": {"type": "string"}});
    for (style, explode, items, sends) in [
        (Style::Form, false, &["a,b", "c&d"][..], Query("p=a%2Cb,c%26d")),
        (Style::Form, true, &["a=b", "c d", "e+f"], Query("p=a=b&p=c+d&p=e%2Bf")),
        (Style::Simple, false, &["a,b", "c+d"], Path("a%2Cb,c+d")),
        (Style::Simple, false, &["%41"], Header("%41")),
        (Style::Matrix, true, &["a;b"], Path(";p=a%3Bb")),
        (Style::Cookie, true, &["%41+b"], Cookie("p=%41+b")),
        (Style::Form, true, &["A+b"], Cookie("p=%41+b")),
    ] {
        assert_eq!(check(&list(items), style, explode, sends), [""; 0], "{sends:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_is_reported() {
    let integer = json!({"type": "integer", "minimum": 1});
    let integers = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 2});
    let object =
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    for (schema, style, explode, sends, message) in [
        (&integer, Style::Form, true, Query("p=x"), "NOT_VALID query p: Must be an integer, but is \"x\"."),
        (&integer, Style::Form, true, Query("p=1&p=2"), "NOT_VALID query p: Sent 2 times; send it once."),
        (&integer, Style::Form, true, Query("p=0"), "NOT_VALID query p: Must be at least 1, but is 0."),
        (&integer, Style::Form, true, Query("q=1"), "MISSING query p: Required but missing."),
        (&integer, Style::Form, true, Query("p="), "NOT_VALID query p: Must be an integer, but is \"\"."),
        (
            &integer,
            Style::Form,
            true,
            Query("p=18446744073709551616"),
            "NOT_VALID query p: Must be an integer of at most 64 bits, but is \"18446744073709551616\".",
        ),
        (
            &json!({"type": "string"}),
            Style::Form,
            true,
            Query("p=%ff"),
            "NOT_VALID query p: Must be UTF-8 when percent-decoded, but is not.",
        ),
        (
            &json!({"type": "string"}),
            Style::Simple,
            false,
            Path("100%"),
            "NOT_VALID path p: Has a `%` that is not followed by two hexadecimal digits.",
        ),
        (
            &integers,
            Style::Form,
            true,
            Query("p=1&p=x"),
            "NOT_VALID query p/1: Must be an integer, but is \"x\".",
        ),
        (
            &integers,
            Style::Form,
            false,
            Query("p=1,2,3"),
            "NOT_VALID query p: Must have at most 2 items, but has 3.",
        ),
        (&integers, Style::Form, false, Query("p=1&p=2"), "NOT_VALID query p: Sent 2 times; send it once."),
        (
            &object,
            Style::DeepObject,
            true,
            Query("p[a]=x"),
            "NOT_VALID query p/a: Must be an integer, but is \"x\".",
        ),
        (&object, Style::DeepObject, true, Query("p[b]=1"), "NOT_VALID query p/b: Unknown property."),
        (
            &object,
            Style::DeepObject,
            true,
            Query("p[a=1"),
            "NOT_VALID query p: Names must be written as name[property].",
        ),
        (
            &object,
            Style::DeepObject,
            true,
            Query("p[a][a][a][a][a][a][a][a][a]=1"),
            "NOT_VALID query p: Names must have at most 8 pairs of brackets.",
        ),
        (
            &object,
            Style::Form,
            false,
            Query("p=a,1,b"),
            "NOT_VALID query p: Must be alternating names and values, but a value is missing.",
        ),
        (
            &object,
            Style::Simple,
            true,
            Path("a=1,a=2"),
            "NOT_VALID path p: Property \"a\" is sent more than once.",
        ),
        (&integer, Style::Label, false, Path("5"), "NOT_VALID path p: Must begin with a dot."),
        (&integer, Style::Matrix, false, Path(";q=5"), "NOT_VALID path p: Must be written as ;p=value."),
        (&integer, Style::Form, true, Cookie("p=x"), "NOT_VALID cookie p: Must be an integer, but is \"x\"."),
    ] {
        assert_eq!(check(schema, style, explode, sends), [format!("PARAMETER_{message}")], "{sends:?}");
    }
    assert_eq!(
        check(&integer, Style::Simple, false, Header("x")),
        ["HEADER_NOT_VALID header p: Must be an integer, but is \"x\"."]
    );
}

#[test]
fn types_are_found_through_references_and_alternatives() {
    for (schema, fine, wrong) in [
        (json!({"allOf": [{"type": "integer"}, {"minimum": 5}]}), "p=7", "p=x"),
        (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "p=7", "p=x"),
        (json!({"type": ["integer", "null"]}), "p=null", "p=x"),
        (json!({"oneOf": [{"type": "boolean"}, {"type": "integer"}]}), "p=true", "p=x"),
        (
            json!({"anyOf": [{"type": "integer", "maximum": 5}, {"type": "string", "maxLength": 2}]}),
            "p=77",
            "p=777",
        ),
        (
            json!({"anyOf": [{"type": "string", "maxLength": 1}, {"type": "array", "items": {"type": "integer"}}]}),
            "p=1&p=2",
            "p=xy",
        ),
        (json!({"enum": [1, 2]}), "p=2", "p=3"),
        (json!({"type": "string", "pattern": "^[0-9]+$"}), "p=007", "p=7a"),
        (json!({"type": "number"}), "p=-1.5e3", "p=1,5"),
        (json!({"type": "string", "format": "uuid"}), "p=123e4567-e89b-12d3-a456-426614174000", "p=123"),
    ] {
        assert_eq!(check(&schema, Style::Form, true, Query(fine)), [""; 0], "{schema} {fine}");
        assert_eq!(check(&schema, Style::Form, true, Query(wrong)).len(), 1, "{schema} {wrong}");
    }
}

#[test]
fn nested_deep_objects_are_read_as_most_servers_do() {
    let schema = json!({
        "type": "object",
        "const": {"range": {"from": 1, "to": 2}, "tags": ["a", "b"], "ids": [1], "list": [5, 6]},
        "properties": {
            "range": {"type": "object", "properties": {"from": {"type": "integer"}, "to": {"type": "integer"}}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "ids": {"type": "array", "items": {"type": "integer"}},
            "list": {"type": "array", "items": {"type": "integer"}}
        }
    });
    let query = "p[range][from]=1&p[range][to]=2&p[tags][]=a&p[tags][]=b&p[ids]=1&p[list][0]=5&p[list][1]=6";
    assert_eq!(check(&schema, Style::DeepObject, true, Query(query)), [""; 0]);
}

#[test]
fn parameters_of_a_media_type_are_read_as_such() {
    let documents = one(
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}),
        Version::V31,
    );
    let of = |place, media_type: &str| Parameter {
        place,
        form: ParameterForm::Content {
            media_type: media_type.to_owned(),
            schema: Some(at(&documents, "/schema")),
        },
        ..styled(&documents, In::Query, Style::Form, true)
    };
    let run = |parameter: Parameter, query: &str| {
        let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
        listed(&rules.check_parameters(&sent(&[], Some(query), &Lines(vec![]))))
    };
    assert_eq!(run(of(In::Query, "application/json"), "p=%7B%22a%22:1%7D"), [""; 0]);
    assert_eq!(
        run(of(In::Query, "application/json"), "p=%7B%22a%22:1,%22a%22:1%7D"),
        [
            "PARAMETER_NOT_VALID query p: Must be JSON, but is not: duplicate property \"a\" at line 1 column 10."
        ]
    );
    assert_eq!(
        run(of(In::Query, "application/json"), "p=%7B%22a%22:%22x%22%7D"),
        ["PARAMETER_NOT_VALID query p/a: Must be an integer, but is \"x\"."]
    );
    assert_eq!(run(of(In::QueryString, "application/x-www-form-urlencoded"), "a=1"), [""; 0]);
    assert_eq!(
        run(of(In::QueryString, "application/x-www-form-urlencoded"), "b=1"),
        ["PARAMETER_NOT_VALID query p/a: Required but missing."]
    );
    assert_eq!(run(of(In::QueryString, "application/json"), "%7B%22a%22:1%7D"), [""; 0]);
}

#[test]
fn empty_values_pass_only_where_they_may() {
    let documents = one(json!({"type": "integer"}), Version::V30);
    for (allow_empty, expected) in [(true, 0), (false, 1)] {
        let parameter = Parameter { allow_empty, ..styled(&documents, In::Query, Style::Form, true) };
        let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
        for query in ["p=", "p"] {
            assert_eq!(
                rules.check_parameters(&sent(&[], Some(query), &Lines(vec![]))).len(),
                expected,
                "{query}"
            );
        }
    }
}

#[test]
fn several_lines_of_a_header_are_one_list_and_no_scalar() {
    for (schema, expected) in [
        (json!({"type": "array", "items": {"type": "integer"}, "const": [1, 2, 3]}), vec![]),
        (
            json!({"type": "string"}),
            vec!["HEADER_NOT_VALID header p: Sent 2 times; send it once.".to_owned()],
        ),
    ] {
        let documents = one(schema, Version::V31);
        let parameter = styled(&documents, In::Header, Style::Simple, false);
        let (rules, _) = compiled(&documents, Strictness::default(), &[], &[parameter], None);
        let lines = Lines(vec![("p", "1,2"), ("p", "3")]);
        assert_eq!(listed(&rules.check_parameters(&sent(&[], None, &lines))), expected);
    }
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    const STYLES: [Style; 9] = [
        Style::Simple,
        Style::Label,
        Style::Matrix,
        Style::Form,
        Style::SpaceDelimited,
        Style::PipeDelimited,
        Style::TabDelimited,
        Style::DeepObject,
        Style::Cookie,
    ];

    struct Cookie<'t>(&'t str);

    impl Headers for Cookie<'_> {
        fn each<'h>(&'h self, _name: &str, found: &mut dyn FnMut(&'h [u8])) {
            found(self.0.as_bytes());
        }
    }

    fn every_style() -> Vec<RequestRules> {
        let document = json!({"schema": {"anyOf": [
            {"type": "integer"}, {"type": "array", "items": {"type": "number"}},
            {"type": "object", "properties": {"a": {"type": "boolean"}}}
        ]}});
        let documents = Documents::inline(document, Version::V31);
        let mut all = Vec::new();
        for style in STYLES {
            for place in [In::Path, In::Query, In::Cookie, In::Header] {
                for explode in [true, false] {
                    let parameter = styled(&documents, place, style, explode);
                    all.push(compiled(&documents, Strictness::default(), &["p"], &[parameter], None).0);
                }
            }
        }
        all
    }

    thread_local! {
        static RULES: Vec<RequestRules> = every_style();
    }

    proptest! {
        #[test]
        fn are_judged_without_panic(text in "[p\\[\\]=&;,.%+| a0-9{}\"é-]{0,40}") {
            let headers = Cookie(&text);
            RULES.with(|rules| {
                for rules in rules {
                    let _ = rules.check_parameters(&Sent { path: &[&text], query: Some(&text), headers: &headers });
                }
            });
        }

        #[test]
        fn whole_numbers_are_those_of_64_bits(number: i128) {
            let fits = number >= i128::from(i64::MIN) && number <= i128::from(u64::MAX);
            prop_assert_eq!(crate::schema::scalar::integer(&number.to_string()).is_some(), fits);
        }
    }
}

#[test]
fn encoded_commas_part_items_that_cannot_hold_one() {
    let list = |items: Value| json!({"type": "array", "minItems": 2, "items": items});
    for items in [
        json!({"type": "integer"}),
        json!({"type": ["number", "null"]}),
        json!({"type": "string", "enum": ["a", "1", "2"]}),
        json!({"type": "string", "pattern": "^[0-9]+$"}),
        json!({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^\\d$"}]}),
    ] {
        for (style, sends) in [
            (Style::Form, Query("p=1%2C2")),
            (Style::Form, Query("p=1%2c2")),
            (Style::Form, Query("p=1,2")),
            (Style::Simple, Path("1%2C2")),
            (Style::Form, Cookie("p=1%2C2")),
        ] {
            assert_eq!(check(&list(items.clone()), style, false, sends), [""; 0], "{items} {sends:?}");
        }
    }
    // Where an item may hold a comma, an encoded one is a part of it.
    for items in [
        json!({"type": "string"}),
        json!({"type": "string", "pattern": "[0-9]"}),
        json!({"enum": ["1,2", "1"]}),
    ] {
        assert_eq!(check(&list(items.clone()), Style::Form, false, Query("p=1%2C2")).len(), 1, "{items}");
    }
}

#[test]
fn times_without_a_zone_are_taken_where_that_is_chosen() {
    use crate::rules::Formats;
    let judge = |format: &str, formats: Formats, value: &'static str| {
        let documents = one(json!({"type": "string", "format": format}), Version::V31);
        let parameter = styled(&documents, In::Header, Style::Simple, false);
        let strictness = Strictness { formats, ..Strictness::default() };
        let (rules, _) = compiled(&documents, strictness, &[], &[parameter], None);
        listed(&rules.check_parameters(&sent(&[], None, &Lines(vec![("p", value)]))))
    };
    for (format, value) in [
        ("time", "12:30:00"),
        ("date-time", "2026-01-31T12:30:00"),
        ("date-time", "2026-01-31T12:30:00.123456"),
        ("date-time", "2026-01-31 12:30"),
    ] {
        assert_eq!(judge(format, Formats::Strict, value).len(), 1, "{value}");
        assert_eq!(judge(format, Formats::Lenient, value), [""; 0], "{value}");
    }
    for formats in [Formats::Strict, Formats::Lenient] {
        assert_eq!(judge("date-time", formats, "2026-01-31T12:30:00Z"), [""; 0]);
        assert_eq!(judge("time", formats, "12:30:00+01:00"), [""; 0]);
        assert_eq!(judge("date-time", formats, "2026-02-30T12:30:00").len(), 1);
        assert_eq!(judge("date", formats, "2026-01-31T12:30:00").len(), 1);
    }
    assert_eq!(
        judge("time", Formats::Lenient, "noon"),
        ["HEADER_NOT_VALID header p: Must be a time, such as 12:00:00, but is \"noon\"."]
    );
}

#[test]
fn names_of_a_query_have_their_bounds() {
    let object = json!({"type": "object", "additionalProperties": true});
    let deep =
        |depth: usize| -> &'static str { Box::leak(format!("p{}=1", "[a]".repeat(depth)).into_boxed_str()) };
    assert_eq!(check(&object, Style::DeepObject, true, Query(deep(8))), [""; 0]);
    assert_eq!(
        check(&object, Style::DeepObject, true, Query(deep(9))),
        ["PARAMETER_NOT_VALID query p: Names must have at most 8 pairs of brackets."]
    );
    let rules = refuses_unknown(json!({}), |_| Vec::new());
    let query: Vec<String> = (0..100).map(|name| format!("n{name}=1")).collect();
    let none = Lines(vec![]);
    assert_eq!(rules.check_parameters(&sent(&[], Some(&query.join("&")), &none)).len(), 20);
}
