//! The official test suite of JSON Schema, through the same path as schemas of documents.

use super::judged;
use crate::documents::Version;
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

/// The environment variable that names the suite's folder, with `tests/draft2020-12` in it.
const FOLDER: &str = "FAIRGATE_JSON_SCHEMA_TESTS";

const DYNAMIC: &str = "`$dynamicRef` is not enforced; a warning says so";
const REMOTE: &str = "files come from `Files`, never from the network";

/// Groups of cases that differ, each with the reason. A group that does not differ any more must be removed.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("ref.json", "remote ref, containing refs itself", REMOTE),
    ("defs.json", "validate definition against metaschema", REMOTE),
    ("enum.json", "empty enum", "an empty `enum` is not enforced; a warning says so"),
    ("unevaluatedItems.json", "unevaluatedItems with $dynamicRef", DYNAMIC),
    ("unevaluatedProperties.json", "unevaluatedProperties with $dynamicRef", DYNAMIC),
];

/// Files of which nothing is tested.
const LEFT_OUT: &[(&str, &str)] = &[
    ("dynamicRef.json", DYNAMIC),
    ("refRemote.json", REMOTE),
    ("vocabulary.json", "meta-schemas of a document's own are not read"),
    ("format.json", "it says that formats are only annotations; here they are enforced, see format/"),
    ("idn-email.json", "international addresses are not enforced; a warning says so"),
    ("idn-hostname.json", "international host names are not enforced; a warning says so"),
];

#[test]
#[ignore = "needs the suite: set FAIRGATE_JSON_SCHEMA_TESTS to its folder and run with --ignored"]
fn the_official_suite_passes() {
    let folder = PathBuf::from(std::env::var(FOLDER).expect("the variable names the suite's folder"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("tests/draft2020-12"))
        .expect("the folder holds the suite")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    let formats = std::fs::read_dir(folder.join("tests/draft2020-12/optional/format")).unwrap();
    files.extend(formats.map(|entry| entry.unwrap().path()));
    files.sort();
    let mut count = 0;
    let mut different: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
            continue;
        }
        let groups: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            for case in group["tests"].as_array().unwrap() {
                count += 1;
                let found = judged(&group["schema"], Version::V31, &case["data"]);
                let expected = case["valid"].as_bool().unwrap();
                if found.as_ref().map(Vec::is_empty) != Ok(expected) {
                    different
                        .entry((name.clone(), group["description"].as_str().unwrap().to_owned()))
                        .or_default()
                        .push(format!(
                            "{} should be {expected}: {found:?}",
                            case["description"].as_str().unwrap()
                        ));
                }
            }
        }
    }
    assert!(count > 1_200, "only {count} cases were found");
    let listed = |file: &str, group: &str| DIFFERENT.iter().any(|(f, g, _)| *f == file && *g == group);
    let unlisted: Vec<_> = different.iter().filter(|((file, group), _)| !listed(file, group)).collect();
    assert!(unlisted.is_empty(), "{} of {count} differ: {unlisted:#?}", unlisted.len());
    for (file, group, reason) in DIFFERENT {
        let key = ((*file).to_owned(), (*group).to_owned());
        assert!(different.contains_key(&key), "{file}, {group} does not differ any more ({reason})");
    }
}
