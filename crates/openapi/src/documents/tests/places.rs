//! References lead to places, within a file and across files.

use super::{super::Place, Folder, read, root};
use crate::documents::Documents;

const DEFINED: &str = r##"
openapi: 3.2.0
$self: https://example.com/api
components:
  schemas:
    A: {$ref: '#/components/schemas/B'}
    B: {$ref: '#/components/schemas/C%20%7B~1~0%7D'}
    'C {/~}': {$anchor: here, type: string}
    Round: {$ref: '#/components/schemas/And'}
    And: {$ref: '#/components/schemas/Round'}
    Self: {$ref: '#/components/schemas/Self'}
    Named: {$id: https://example.com/named, properties: {x: {$dynamicAnchor: moving}}}
paths: {}
"##;

#[test]
fn references_are_resolved_and_followed() {
    let documents = read(&[("a.yaml", DEFINED)]).unwrap();
    let resolve = |reference: &str| documents.resolve(&root(""), reference);
    for (reference, pointer) in [
        ("#", ""),
        ("", ""),
        ("#/components/schemas/A", "/components/schemas/A"),
        ("#/components/schemas/C%20%7B~1~0%7D", "/components/schemas/C {~1~0}"),
        ("#here", "/components/schemas/C {~1~0}"),
        ("#moving", "/components/schemas/Named/properties/x"),
        ("a.yaml#/paths", "/paths"),
        ("./x/../a.yaml#/paths", "/paths"),
        ("https://example.com/api#/paths", "/paths"),
        ("https://example.com/named", "/components/schemas/Named"),
        ("https://example.com/named#/properties/x", "/components/schemas/Named/properties/x"),
    ] {
        assert_eq!(resolve(reference), Ok(root(pointer)), "{reference}");
    }
    assert_eq!(documents.follow(&root("/components/schemas/A")), Ok(root("/components/schemas/C {~1~0}")));
    for name in ["Round", "Self"] {
        let bad = documents.follow(&root("/components/schemas").child(name)).unwrap_err();
        assert_eq!(bad.0, "The references from here are circular.");
    }
    for (reference, sentence) in [
        (
            "#/components/schemas/Nmaed",
            "The reference \"#/components/schemas/Nmaed\" cannot be resolved: /components/schemas has no \"Nmaed\". Did you mean \"Named\"?",
        ),
        ("#/paths/0", "The reference \"#/paths/0\" cannot be resolved: /paths has no \"0\"."),
        ("#none", "The reference \"#none\" cannot be resolved: the file has no anchor of that name."),
        (
            "b.yaml#/x",
            "The reference \"b.yaml#/x\" names a file that does not exist. No schema has the `$id` \"https://example.com/b.yaml\" either.",
        ),
    ] {
        assert_eq!(resolve(reference).unwrap_err().0, sentence);
    }
}

#[test]
fn files_are_read_once_relative_to_the_file_that_names_them() {
    let folder = Folder::of(&[
        (
            "docs/api.yaml",
            "openapi: 3.1.0\npaths:\n  /a: {$ref: 'paths/a.json'}\n  /b: {$ref: './paths/../paths/a.json#'}\n",
        ),
        (
            "docs/paths/a.json",
            r#"{"get": {"requestBody": {"$ref": "../../shared/my%20bodies.yaml#/bodies/One"}}}"#,
        ),
        (
            "shared/my bodies.yaml",
            "bodies:\n  One:\n    content:\n      a/b: {schema: {$ref: ../docs/api.yaml#/paths}}\n    x: {$ref: 'my%20bodies.yaml#/bodies/One'}\n",
        ),
    ]);
    let documents = Documents::read("docs/api.yaml", &folder).unwrap();
    assert_eq!(*folder.read.borrow(), ["docs/api.yaml", "docs/paths/a.json", "shared/my bodies.yaml"]);
    let item = documents.follow(&root("/paths/~1b")).unwrap();
    assert_eq!((documents.location(item.file), item.pointer.as_str()), ("docs/paths/a.json", ""));
    let body = documents.follow(&item.child("get").child("requestBody")).unwrap();
    let spot = documents.spot(&body);
    assert_eq!(spot.to_string(), "shared/my bodies.yaml:2 at /bodies/One");
    let back = documents.follow(&body.child("content").child("a/b").child("schema")).unwrap();
    assert_eq!(back, root("/paths"));
}

#[test]
fn names_and_data_are_no_references() {
    let text = r#"{"openapi": "3.1.0", "paths": {}, "components": {
        "schemas": {
            "A": {"properties": {"$ref": {"type": "string"}, "default": {"$ref": "one.json"}, "example": {"$ref": "two.json"}},
                  "example": {"$ref": "no1.json"}, "default": {"$ref": "no2.json"}, "enum": [{"$ref": "no3.json"}],
                  "const": {"$ref": "no4.json"}, "examples": [{"$ref": "no5.json"}], "x-mine": {"$ref": "no6.json"}},
            "B": {"discriminator": {"propertyName": "t", "mapping": {"a": "three.json#/X", "b": "A", "c": "gone.json"}}},
            "default": {"$ref": "four.json"}
        },
        "responses": {"default": {"$ref": "one.json"}},
        "examples": {"e": {"$ref": "five.json"}, "f": {"value": {"$ref": "no7.json"}}},
        "parameters": {"p": {"$ref": "x.json#/x-parts/p"}}
    }}"#;
    let mut files = vec![("api.json", text)];
    for name in ["one.json", "two.json", "three.json", "four.json", "five.json", "six.json"] {
        files.push((name, r#"{"X": {}}"#));
    }
    files.push((
        "x.json",
        r#"{"x-parts": {"p": {"schema": {"$ref": "six.json"}}, "q": {"$ref": "no8.json"}}}"#,
    ));
    let folder = Folder::of(&files);
    Documents::read("api.json", &folder).unwrap();
    let mut read = folder.read.borrow().clone();
    read.sort();
    assert_eq!(
        read,
        [
            "api.json",
            "five.json",
            "four.json",
            "gone.json",
            "one.json",
            "six.json",
            "three.json",
            "two.json",
            "x.json"
        ]
    );
}

/// References that lead nowhere, each as one line of text.
fn broken(documents: &Documents) -> Vec<String> {
    let mut broken: Vec<_> = documents
        .broken()
        .iter()
        .map(|(place, sentence)| format!("{}: {sentence}", documents.spot(place)))
        .collect();
    broken.sort();
    broken
}

#[test]
fn what_cannot_be_followed_is_kept_with_its_reason() {
    let text = "openapi: 3.1.0\npaths:\n  /a:\n    $ref: a.yaml\n  /b:\n    $ref: https://example.com/b.yaml#/x\n  /c:\n    $ref: urn:c\n  /d:\n    $ref: bad.yaml\n  /e:\n    $ref: a.yaml\n";
    let documents = read(&[("api.yaml", text), ("bad.yaml", "a: 1\n b: 2\n")]).unwrap();
    let found = broken(&documents);
    let [four, one, two, three] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        one,
        "api.yaml:4 at /paths/~1a/$ref: The reference \"a.yaml\" cannot be resolved: There is no such file."
    );
    assert_eq!(
        two,
        "api.yaml:6 at /paths/~1b/$ref: The reference \"https://example.com/b.yaml#/x\" is not followed: nothing is fetched from the network. Download it next to the document and refer to the file."
    );
    assert_eq!(
        three,
        "api.yaml:8 at /paths/~1c/$ref: The reference \"urn:c\" names no file. Refer to a file by its path, relative to this one."
    );
    let begin = "api.yaml:10 at /paths/~1d/$ref: The reference \"bad.yaml\" cannot be resolved: bad.yaml:2: This is not YAML: ";
    assert!(four.starts_with(begin), "{four}");
    let reason = documents.follow(&root("/paths/~1d")).unwrap_err().0;
    assert!(four.ends_with(&reason), "{reason}");
}

#[test]
fn a_mapping_that_may_be_a_name_hides_no_reference() {
    let text = r#"{"openapi": "3.1.0", "components": {"schemas": {
        "A": {"discriminator": {"propertyName": "t", "mapping": {"a": "gone.json"}}}, "B": {"$ref": "gone.json"}}}}"#;
    assert_eq!(
        broken(&read(&[("api.json", text)]).unwrap()),
        [
            "api.json:2 at /components/schemas/B/$ref: The reference \"gone.json\" cannot be resolved: There is no such file."
        ]
    );
}

#[test]
fn added_values_lead_to_where_they_come_from() {
    let mut documents = read(&[("a.yaml", DEFINED)]).unwrap();
    let origins = vec![
        (String::new(), root("/components")),
        ("/properties/x".to_owned(), root("/components/schemas/Named")),
    ];
    let file = documents.add_from(serde_json::json!({"properties": {"x": {"$id": "y", "z": 1}}}), origins);
    for (pointer, shown) in [
        ("", "a.yaml:4 at /components"),
        ("/properties", "a.yaml:4 at /components"),
        ("/properties/x/$id", "a.yaml:12 at /components/schemas/Named/$id"),
        ("/properties/x/z", "a.yaml:12 at /components/schemas/Named"),
        ("/properties/xy", "a.yaml:4 at /components"),
    ] {
        assert_eq!(
            documents.spot(&Place { file, pointer: pointer.to_owned() }).to_string(),
            shown,
            "{pointer}"
        );
    }
}

/// What a document's references to `$id` lead to: the pointer or file and pointer of each, by the name of its schema.
fn targets(documents: &Documents) -> Vec<(String, String)> {
    let schemas = root("/components/schemas");
    let names = documents.get(&schemas).and_then(|schemas| schemas.as_object()).unwrap().keys();
    let target = |name: &String| match documents.follow(&schemas.child(name).child("properties").child("r")) {
        Ok(place) => format!("{}#{}", documents.location(place.file), place.pointer),
        Err(bad) => bad.0,
    };
    names.map(|name| (name.clone(), target(name))).collect()
}

const IDENTITIES: &str = r##"
openapi: 3.1.0
components:
  schemas:
    A:
      $id: https://e.org/schemas/b
      properties: {r: {$ref: a}}
    Deeper:
      $id: https://e.org/schemas/deeper/
      properties: {r: {$id: x/y, $ref: ../../a#/$defs/own}}
    Within:
      $id: https://e.org/within
      $defs: {own: {type: string}, A: {$anchor: own, type: number}}
      properties: {r: {$ref: '#/$defs/own'}}
    Anchored:
      $id: https://e.org/anchored
      $defs: {other: {$id: other, $defs: {x: {$anchor: here}}}, x: {$anchor: here}}
      properties: {r: {$ref: '#here'}}
    Other:
      properties: {r: {$ref: 'https://e.org/other#here'}}
    Whole:
      $id: https://e.org/whole
      properties: {r: {$ref: '#'}}
    Uncle:
      $id: https://e.org/uncle
      properties: {r: {$ref: '#/components/schemas/Plain'}}
    Path:
      $id: /absolute/b
      properties: {r: {$ref: beside}}
    Beside: {$id: /absolute/beside, properties: {r: {$ref: 'other.json'}}}
    Plain:
      properties: {r: {$ref: 'other.json'}, examples: {example: {$id: https://e.org/nothing}}}
    Missing:
      $id: https://e.org/schemas/missing
      properties: {r: {$ref: nothing}}
    Example: {properties: {r: {$ref: 'https://e.org/nothing'}}}
"##;

#[test]
fn references_are_resolved_against_the_nearest_id() {
    let other =
        r##"{"$id": "https://e.org/schemas/a", "$defs": {"own": {"properties": {"x": {"$ref": "b"}}}}}"##;
    let documents = read(&[("api.yaml", IDENTITIES), ("other.json", other)]).unwrap();
    for ((name, target), expected) in targets(&documents).into_iter().zip([
        "other.json#",
        "other.json#/$defs/own",
        "api.yaml#/components/schemas/Within/$defs/own",
        "api.yaml#/components/schemas/Anchored/$defs/x",
        "api.yaml#/components/schemas/Anchored/$defs/other/$defs/x",
        "api.yaml#/components/schemas/Whole",
        "api.yaml#/components/schemas/Plain",
        "api.yaml#/components/schemas/Beside",
        "other.json#",
        "other.json#",
        "The reference \"nothing\" cannot be resolved: There is no such file. No schema has the `$id` \"https://e.org/schemas/nothing\" either.",
        "The reference \"https://e.org/nothing\" is not followed: nothing is fetched from the network. Download it next to the document and refer to the file.",
    ]) {
        assert_eq!(target, expected, "{name}");
    }
    let own = documents.resolve(&root(""), "https://e.org/schemas/a#/$defs/own/properties/x").unwrap();
    assert_eq!(documents.follow(&own), Ok(root("/components/schemas/A")));
    assert_eq!(
        broken(&documents),
        [
            "api.yaml:26 at /components/schemas/Uncle/properties/r: The reference cannot be resolved within the schema of the nearest `$id`. It is resolved from the root of the file, like tools do that do not support `$id`.",
            "api.yaml:35 at /components/schemas/Missing/properties/r/$ref: The reference \"nothing\" cannot be resolved: There is no such file. No schema has the `$id` \"https://e.org/schemas/nothing\" either.",
            "api.yaml:36 at /components/schemas/Example/properties/r/$ref: The reference \"https://e.org/nothing\" is not followed: nothing is fetched from the network. Download it next to the document and refer to the file.",
        ]
    );
}

#[test]
fn before_openapi_3_1_an_id_moves_no_reference() {
    let text = IDENTITIES.replace("3.1.0", "3.0.3");
    let documents = read(&[("api.yaml", text.as_str()), ("other.json", "{}"), ("a", "{}")]).unwrap();
    let targets = targets(&documents);
    assert_eq!(targets[0].1, "a#");
    assert!(targets[2].1.contains("cannot be resolved"), "{targets:?}");
}

#[test]
fn self_is_the_base_of_an_openapi_3_2_document() {
    let root_file = "openapi: 3.2.0\n$self: https://e.org/api/openapi\ncomponents: {schemas: {\n  ByIdentity: {properties: {r: {$ref: 'shared/pet#/A'}}},\n  \
                     ByFile: {properties: {r: {$ref: 'folder/pets.yaml#/B'}}},\n  Plain: {properties: {r: {$ref: 'shared/size.yaml'}}},\n  \
                     Own: {properties: {r: {$ref: 'https://e.org/api/openapi#/components/schemas/Plain'}}}}}\n";
    let pets = "$self: https://e.org/api/shared/pet\nA: {properties: {size: {$ref: size}}}\nB: {$ref: 'pet#/A'}\nC: {$id: size}\n";
    let files =
        [("docs/api.yaml", root_file), ("docs/folder/pets.yaml", pets), ("docs/shared/size.yaml", "{}")];
    let documents = read(&files).unwrap();
    for ((name, target), expected) in targets(&documents).into_iter().zip([
        "docs/folder/pets.yaml#/A",
        "docs/folder/pets.yaml#/A",
        "docs/shared/size.yaml#",
        "docs/api.yaml#/components/schemas/Plain",
    ]) {
        assert_eq!(target, expected, "{name}");
    }
    let size = documents.resolve(&root(""), "shared/pet#/A/properties/size").unwrap();
    assert_eq!(documents.follow(&size).unwrap().pointer, "/C");
    assert_eq!(broken(&documents), [""; 0]);
}

#[test]
fn ids_of_a_file_are_relative_to_it() {
    let text = "openapi: 3.1.0\ncomponents: {schemas: {\n  A: {$id: schemas/a, properties: {r: {$ref: b}}},\n  B: {$id: schemas/b, properties: {r: {$ref: c.yaml}}}}}\n";
    let documents =
        read(&[("docs/api.yaml", text), ("docs/schemas/c.yaml", "{}"), ("docs/c.yaml", "{}")]).unwrap();
    let targets = targets(&documents).into_iter().map(|(_, target)| target).collect::<Vec<_>>();
    assert_eq!(targets, ["docs/api.yaml#/components/schemas/B", "docs/schemas/c.yaml#"]);
}
