//! JSON and YAML become the same values, or faults with their line.

use super::{super::Version, faults, read, read_bytes, root};
use serde_json::json;

#[test]
fn what_has_to_be_text_is_what_is_written() {
    let text = "
openapi: 3.0.3
info: {title: 2024, version: 1.10, x-n: 1.50}
servers: [{url: /, description: 1.0, variables: {b: {default: 2.0, enum: [2.0, 3.0]}}}]
components:
  schemas:
    a: {type: string, title: 1.0, description: 1.10, enum: [1.0, 1.10, true, x, ~], default: 1.10, const: 1.50, example: 1.0}
    b: {type: [string, 'null'], examples: [1.10]}
    c: {type: number, enum: [1.0, 1.50], default: 1.50}
    d: {enum: [1.50], type: [string, number]}
    description: {required: [200, 1.0], properties: {title: {example: {title: 1.50, type: string, default: 1.50}}}}
    example: {description: 1.10}
";
    let documents = read(&[("a.yaml", text)]).unwrap();
    let value = documents.file(documents.root()).unwrap();
    assert_eq!(
        *value,
        json!({
            "openapi": "3.0.3", "info": {"title": "2024", "version": "1.10", "x-n": 1.5},
            "servers": [{"url": "/", "description": "1.0", "variables": {"b": {"default": "2.0", "enum": ["2.0", "3.0"]}}}],
            "components": {"schemas": {
                "a": {"type": "string", "title": "1.0", "description": "1.10",
                      "enum": ["1.0", "1.10", "true", "x", null], "default": "1.10", "const": "1.50", "example": "1.0"},
                "b": {"type": ["string", "null"], "examples": ["1.10"]},
                "c": {"type": "number", "enum": [1.0, 1.5], "default": 1.5},
                "d": {"enum": [1.5], "type": ["string", "number"]},
                "description": {"required": ["200", "1.0"], "properties": {"title": {"example": {"title": 1.5, "type": "string", "default": 1.5}}}},
                "example": {"description": "1.10"}
            }}
        })
    );
}

#[test]
fn yaml_becomes_what_json_would_be() {
    let text = "
openapi: 3.0.3
x-values: &values
  200: ok
  1.50: number
  null: nothing
  true: yes
  day: 2026-11-23
  'quoted': '1'
  tagged: !!str 1
  own: !thing 7
x-copy: *values
x-merged:
  <<: [{a: 1, b: 2}, {b: 3, c: 4}]
  a: own
x-plain-merge:
  <<: *values
x-text: |
  two
  lines
paths: {}
";
    let documents = read(&[("a.yaml", text)]).unwrap();
    let values = json!({
        "200": "ok", "1.50": "number", "null": "nothing", "true": "yes", "day": "2026-11-23", "quoted": "1",
        "tagged": "1", "own": 7
    });
    let value = documents.file(documents.root()).unwrap();
    assert_eq!(
        *value,
        json!({
            "openapi": "3.0.3", "x-values": values, "x-copy": values, "x-merged": {"a": "own", "b": 2, "c": 4},
            "x-plain-merge": values, "x-text": "two\nlines\n", "paths": {}
        })
    );
    assert_eq!(documents.version(), Version::V30);
}

#[test]
fn the_version_is_found_or_reported_as_unknown() {
    for (text, version) in [
        (r#"{"swagger":"2.0"}"#, Version::V2),
        ("swagger: 2.0", Version::V2),
        ("openapi: 3.0.0", Version::V30),
        ("openapi: 3.1", Version::V31),
        (r#"{"openapi":"3.1.1"}"#, Version::V31),
        ("\u{feff}openapi: '3.2.0'", Version::V32),
        ("{openapi: 3.1.0}", Version::V31),
    ] {
        assert_eq!(read(&[("api", text)]).unwrap().version(), version, "{text}");
    }
    for (text, fault) in [
        ("openapi: 4.0.0", "a:1 at /openapi: Unknown version \"4.0.0\"."),
        ("openapi: '3.10'", "a:1 at /openapi: Unknown version \"3.10\"."),
        ("{\n\"swagger\":\n\"1.2\"}", "a:2 at /swagger: Unknown version \"1.2\"."),
        ("openapi: [3]", "a:1 at /openapi: The version must be a string."),
        ("info: {}", "a:1: This is not an OpenAPI document: it has no version."),
        ("[package]\nname = \"x\"", "a:2: This is not JSON: "),
        ("name = \"x\"", "a:1: This is not an OpenAPI document: it is not an object."),
        ("[1]", "a:1: This is not an OpenAPI document: it is not an object."),
    ] {
        let found = faults(read(&[("a", text)]));
        let [only] = found.as_slice() else { panic!("{text}: {found:?}") };
        if fault.ends_with("JSON: ") {
            assert!(only.contains("This is not JSON: "), "{only}");
        } else {
            assert_eq!(only, fault, "{text}");
        }
    }
}

#[test]
fn an_invalid_document_is_reported_with_its_line() {
    for (name, bytes, fault) in [
        ("a.json", &b""[..], "a.json: The file is empty."),
        ("a.yaml", b" \n\t ", "a.yaml: The file is empty."),
        ("a.yaml", b"# nothing\n", "a.yaml: The file is empty."),
        ("a.json", b"<!DOCTYPE html>", "a.json: This is neither JSON nor YAML, but looks like HTML or XML."),
        ("a.json", b"{\n\"a\": \"\xff\"}", "a.json:2: The file must be UTF-8, but this byte is not."),
        ("a.json", b"\xff\xfe{\0", "a.json: The file is UTF-16, but must be UTF-8."),
        ("a.json", b"{\"a\": 1,\n}", "a.json:2: This is not JSON: trailing comma, in column 1."),
        ("a.json", b"{\"a\":\n 1", "a.json:2: This is not JSON: EOF while parsing an object, in column 2."),
        ("a.json", b"{\"a\": 1}\n{}", "a.json:2: This is not JSON: trailing characters, in column 1."),
        (
            "a.yaml",
            b"a: 1\n---\nb: 1",
            "a.yaml:2: A second YAML document begins here; a file must contain only one.",
        ),
        ("a.yaml", b"? [a]\n: 1", "a.yaml:1: A key must be a string, but this one is a list or an object."),
        (
            "a.yaml",
            b"a: 1\nb:\n  <<: 7",
            "a.yaml:3: The merge key << must be an object or a list of objects.",
        ),
        ("a.yaml", b"a: &a\n  b: *a", "a.yaml:2: This alias is inside its own anchor, so it never ends."),
    ] {
        assert_eq!(faults(read_bytes(name, bytes)), [fault]);
    }
    let tab = faults(read(&[("a.yaml", "a:\n\tb: 1")]));
    assert!(tab[0].starts_with("a.yaml:2: This is not YAML: "), "{tab:?}");
    let unknown = faults(read(&[("a.yaml", "a: 1\nb: *none")]));
    assert!(unknown[0].starts_with("a.yaml:2: This is not YAML: "), "{unknown:?}");
}

#[test]
fn duplicate_members_are_faults_in_both_formats() {
    let json = "{\n\"openapi\": \"3.1.0\",\n\"x\": [{},\n {\"a~/b\": 1,\n  \"a~/b\": {\"c\": 1,\n\"c\": 2}}],\n\"x\": 1}";
    assert_eq!(
        faults(read(&[("a.json", json)])),
        [
            "a.json:5 at /x/1/a~0~1b: Duplicate field \"a~/b\".",
            "a.json:6 at /x/1/a~0~1b/c: Duplicate field \"c\".",
            "a.json:7 at /x: Duplicate field \"x\".",
        ]
    );
    let yaml = "openapi: 3.1.0\nx:\n- {}\n- a~/b: 1\n  a~/b:\n    c: 1\n    c: 2\n200: 1\n'200': 2\n";
    assert_eq!(
        faults(read(&[("a.yaml", yaml)])),
        [
            "a.yaml:5 at /x/1/a~0~1b: Duplicate field \"a~/b\".",
            "a.yaml:7 at /x/1/a~0~1b/c: Duplicate field \"c\".",
            "a.yaml:9 at /200: Duplicate field \"200\".",
        ]
    );
}

#[test]
fn every_place_has_its_line() {
    let json = "\n{\"openapi\": \"3.1.0\",\n \"a\\n\\\"b\": [\n 1, [2,\n 3], {\"c\":\n\n {\"d\": null}}],\n \"~/\": true,\n\"é\":\n-1e5 }";
    let yaml = "# first\n\nopenapi: 3.1.0\na: &a\n  - 1\n  - [2,\n     3]\n  - c:\n\n      d: |\n        x\n        y\n~/: true\nb: *a\nm:\n  own: 1\n  <<: {q: {r: 2}}\nlast:\n";
    for (name, text, lines) in [
        (
            "a.json",
            json,
            &[
                ("", 2),
                ("/openapi", 2),
                ("/a\n\"b", 3),
                ("/a\n\"b/0", 4),
                ("/a\n\"b/1", 4),
                ("/a\n\"b/1/1", 5),
                ("/a\n\"b/2", 5),
                ("/a\n\"b/2/c", 5),
                ("/a\n\"b/2/c/d", 7),
                ("/~0~1", 8),
                ("/é", 9),
                ("/é/none", 9),
            ][..],
        ),
        (
            "a.yaml",
            yaml,
            &[
                ("", 3),
                ("/a", 4),
                ("/a/0", 5),
                ("/a/1", 6),
                ("/a/1/1", 7),
                ("/a/2", 8),
                ("/a/2/c", 8),
                ("/a/2/c/d", 10),
                ("/~0~1", 13),
                ("/b", 14),
                ("/b/2/c/d", 10),
                ("/m/own", 16),
                ("/m/q", 17),
                ("/m/q/r", 17),
                ("/last", 18),
            ],
        ),
    ] {
        let documents = read(&[(name, text)]).unwrap();
        for &(pointer, line) in lines {
            assert_eq!(documents.spot(&root(pointer)).line, Some(line), "{name} {pointer}");
        }
    }
}
