//! ARCHITECTURE.md shows the crates as they are: each in the picture and in the table, and in the picture above all that it
//! uses.

use crate::runtimes::{list, metadata, text};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The crates of the workspace, and which of them each uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_picture_and_the_table_of_the_crates_are_true() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md")).unwrap();
    let uses = uses(&metadata());
    assert!(uses["gateway"].contains("upstream") && uses["buffer"].is_empty(), "{uses:?}");
    let faults = faults(&page, &uses);
    assert!(faults.is_empty(), "ARCHITECTURE.md:\n{}", faults.join("\n"));
}

#[test]
fn a_picture_that_is_not_true_is_found() {
    let uses = Uses::from([
        ("high".into(), BTreeSet::from(["low".into()])),
        ("other".into(), BTreeSet::new()),
        ("low".into(), BTreeSet::new()),
    ]);
    let page = "\n crates, each:\n\n high   low words      other\n low\n```\n| `high` | a |\n| `other` | b |\n| `low` | c |\n";
    assert_eq!(faults(page, &uses), Vec::<String>::new());
    let turned = page.replace(" high   low words      other\n low", " low   other\n high   low words");
    assert_eq!(faults(&turned, &uses), ["high uses low, which is not below it"]);
    assert_eq!(faults(&page.replace("low words", "low"), &uses), ["low stands twice in the picture"]);
    let without = page.replace(" low\n", "").replace("| `low` | c |\n", "");
    let wanted =
        ["low is not in the picture", "low is not in the table", "high uses low, which is not below it"];
    assert_eq!(faults(&without, &uses), wanted);
}

fn uses(metadata: &Value) -> Uses {
    let short = |name: &str| name.strip_prefix("fairgate-").unwrap_or(name).to_owned();
    let members: BTreeSet<String> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let packages: Vec<&Value> =
        list(&metadata["packages"]).iter().filter(|one| members.contains(&text(&one["id"]))).collect();
    let names: BTreeSet<String> = packages.iter().map(|one| short(&text(&one["name"]))).collect();
    let used = |package: &Value| {
        // No kind: it is needed to run, neither to build nor to test.
        let needed = list(&package["dependencies"]).iter().filter(|one| one["kind"].is_null());
        needed.map(|one| short(&text(&one["name"]))).filter(|name| names.contains(name)).collect()
    };
    packages.iter().map(|one| (short(&text(&one["name"])), used(one))).collect()
}

fn faults(page: &str, uses: &Uses) -> Vec<String> {
    let (mut faults, mut lines) = (Vec::new(), BTreeMap::new());
    let picture = page.split_once("\n crates, each").unwrap().1.split("```").next().unwrap();
    for (at, line) in picture.lines().enumerate() {
        // A name stands by itself between wide gaps; any other text explains the name before it.
        for name in line.split("  ").map(str::trim).filter(|name| uses.contains_key(*name)) {
            if lines.insert(name, at).is_some() {
                faults.push(format!("{name} stands twice in the picture"));
            }
        }
    }
    for name in uses.keys() {
        if !lines.contains_key(name.as_str()) {
            faults.push(format!("{name} is not in the picture"));
        }
        if !page.contains(&format!("\n| `{name}` |")) {
            faults.push(format!("{name} is not in the table"));
        }
    }
    for (name, used) in uses {
        for other in used.iter().filter(|other| lines.get(other.as_str()) <= lines.get(name.as_str())) {
            faults.push(format!("{name} uses {other}, which is not below it"));
        }
    }
    faults
}
