//! Documents that try to break their parser.

use super::{super::DEPTH, faults, read, read_bytes, root};
use proptest::prelude::*;

#[test]
fn depth_is_bounded_in_both_formats() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for name in ["a.json", "a.yaml", "a"] {
            let text = |levels: usize| {
                let (open, close) = (open.repeat(levels), close.repeat(levels));
                format!("{{\"openapi\": \"3.1.0\", \"x\": {open}1{close}}}")
            };
            assert_eq!(faults(read(&[(name, &text(DEPTH - 1))])), Vec::<String>::new(), "{name} {open}");
            for levels in [DEPTH, 100_000] {
                let found = faults(read(&[(name, &text(levels))]));
                assert!(
                    found[0].contains("nested more than 120 levels deep"),
                    "{name} {open} {levels}: {found:?}"
                );
            }
            let unclosed = open.repeat(100_000);
            assert!(read(&[(name, &unclosed)]).is_err());
        }
    }
    let dashes = format!("openapi: 3.1.0\nx: \n  {}", "- ".repeat(100_000));
    assert!(read(&[("a.yaml", &dashes)]).is_err());
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let found = faults(read(&[("a.yaml", &bomb)]));
    assert!(found[0].ends_with("Anchors and aliases expand to more than 64 MB."), "{found:?}");

    let long = "x".repeat(1_000_000);
    let copies = vec!["*long"; 1000].join(", ");
    let found = faults(read(&[("a.yaml", &format!("openapi: 3.1.0\na: &long {long}\nb: [{copies}]\n"))]));
    assert!(found[0].ends_with("Anchors and aliases expand to more than 64 MB."), "{found:?}");

    let mut deep = "openapi: 3.1.0\na0: &a0 [[[[[[[[[[x]]]]]]]]]]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        deep.push_str(&format!("a{level}: &a{level} [[[[[[[[[[*a{before}]]]]]]]]]]\n"));
    }
    let found = faults(read(&[("a.yaml", &deep)]));
    assert!(found[0].contains("nested more than 120 levels deep"), "{found:?}");
}

#[test]
fn a_long_base_is_not_multiplied_by_its_contents() {
    let schemas: String =
        (0..1000).map(|number| format!("    S{number}: {{$id: s{number}, $anchor: a}}\n")).collect();
    let long = "x".repeat(20_000);
    let text = format!("openapi: 3.2.0\n$self: https://e.org/{long}/\ncomponents:\n  schemas:\n{schemas}");
    let documents = read(&[("a.yaml", &text)]).unwrap();
    let bytes: usize = documents.identities.keys().map(String::len).sum();
    assert!((100_000..2_000_000).contains(&bytes), "{bytes}");
    let (place, sentence) = documents.broken().last().unwrap();
    assert!(sentence.starts_with("The file has too many or too long `$id`s"), "{place:?} {sentence}");
    let plain = text.replace(&long, "");
    assert_eq!(read(&[("a.yaml", &plain)]).unwrap().broken(), []);
}

#[test]
fn the_number_of_values_is_bounded_in_both_formats() {
    use super::super::parsed::parse;
    for (name, text) in [("a.json", "[1, [], {\"a\": 2}]"), ("a.yaml", "- 1\n- []\n- {a: 2}\n")] {
        assert!(parse(name, text.as_bytes(), 5).is_ok(), "{name}");
        let problems = parse(name, text.as_bytes(), 4).err().unwrap();
        assert_eq!(problems[0].message, "The document has more than 10000000 values.");
    }
}

#[test]
fn long_names_and_many_members_are_read() {
    let name = "k".repeat(1_000_000);
    let documents =
        read(&[("a.json", &format!("{{\"openapi\": \"3.1.0\",\n\"{name}\": {{\"$ref\": \"#/{name}\"}}}}"))])
            .unwrap();
    assert_eq!(documents.spot(&root("").child(&name)).line, Some(2));
    assert_eq!(documents.resolve(&root(""), &format!("#/{name}")), Ok(root("").child(&name)));

    let members: Vec<_> =
        (0..200_000).map(|at| format!("\"m{at}\": {{\"$ref\": \"#/m{}\"}}", at + 1)).collect();
    let documents =
        read(&[("a.json", &format!("{{\"openapi\": \"3.1.0\", {}}}", members.join(",\n")))]).unwrap();
    assert_eq!(documents.spot(&root("/m199999")).line, Some(200_000));
    // A chain that would take 200,000 steps is given up as one that goes round.
    assert!(documents.follow(&root("/m0")).is_err());
    assert_eq!(documents.broken().len(), 1);
}

#[test]
fn a_chain_of_files_without_end_is_bounded() {
    struct Endless;
    impl super::Files for Endless {
        fn read(&self, location: &str) -> Result<Vec<u8>, String> {
            let next = location.trim_end_matches(".json").parse::<usize>().map_or(0, |number| number + 1);
            Ok(format!("{{\"openapi\": \"3.1.0\", \"x\": {{\"$ref\": \"{next}.json\"}}}}").into_bytes())
        }
    }
    let found = faults(super::Documents::read("root.json", &Endless));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("The document has more than 10000 files."), "{found:?}");
}

#[test]
fn a_chain_of_folders_without_end_is_bounded() {
    struct Deeper;
    impl super::Files for Deeper {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok(b"{\"openapi\": \"3.1.0\", \"x\": {\"$ref\": \"folder/next.json\"}}".to_vec())
        }
    }
    let found = faults(super::Documents::read("root.json", &Deeper));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("The file name has more than 4096 bytes."), "{found:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_document_or_faults(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(faults) = read_bytes("a", &bytes) {
            prop_assert!(!faults.0.is_empty());
        }
    }

    /// Text that is made of what YAML and JSON are made of reaches further than bytes do.
    #[test]
    fn any_text_of_syntax_is_a_document_or_faults(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ":", ": ", ",", "\n", "  ", "- ", "a", "\"b\"", "&x ", "*x", "<<: ", "!!str ", "|\n",
                "? ", "---\n", "1", "null", "'", "\"", "#", "%", "$ref: '#/a'\n", "openapi: 3.1.0\n", "\"openapi\":\"3.1.0\"",
            ]),
            0..40,
        ),
    ) {
        let text = parts.concat();
        match read(&[("a", &text)]) {
            Ok(documents) => prop_assert!(documents.file(documents.root()).is_some()),
            Err(faults) => prop_assert!(!faults.0.is_empty()),
        }
    }

    /// What serde_json reads without objection is read to the same value, and each place has the line that
    /// pretty printing gives it.
    #[test]
    fn json_is_read_as_by_any_other_reader(value in json_value()) {
        let text = serde_json::to_string_pretty(&serde_json::json!({"openapi": "3.1.0", "x": value})).unwrap();
        let documents = read(&[("a.json", &text)]).unwrap();
        prop_assert_eq!(documents.get(&root("/x")), Some(&value));
        for (at, line) in text.lines().enumerate() {
            if line == "  \"x\": [" || line == "  \"x\": {" {
                prop_assert_eq!(documents.spot(&root("/x")).line, Some(at + 1));
            }
        }
        let as_yaml = read(&[("a.yaml", &text)]).unwrap();
        prop_assert_eq!(as_yaml.get(&root("/x")), Some(&value));
    }
}

/// Any JSON value, of moderate size. Numbers are whole: how others are written is not under test.
pub(crate) fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z~/$ {}\"\\\\é]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::vec(("[a-z~/$ ]{0,6}", inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}
