//! Crates that compute, and leave sockets and clocks to others, have no runtime among their dependencies.

use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    process::Command,
};

const PURE: [&str; 11] = [
    "buffer",
    "contract",
    "http1",
    "http2",
    "instance",
    "journal",
    "lease",
    "limits",
    "openapi",
    "reference",
    "usage",
];
const RUNTIMES: [&str; 7] = ["async-std", "futures-executor", "hyper", "mio", "smol", "tokio", "tokio-util"];

#[test]
fn crates_that_compute_have_no_runtime() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let with_runtime = |name: &str| {
        let all = needed(&metadata, &format!("fairgate-{name}"));
        assert!(!all.is_empty(), "there is no package fairgate-{name}");
        RUNTIMES.into_iter().filter(|runtime| all.contains(*runtime)).collect::<Vec<_>>()
    };
    for name in PURE {
        assert_eq!(with_runtime(name), Vec::<&str>::new(), "{name} needs a runtime");
    }
    assert!(with_runtime("gateway").contains(&"tokio"), "this test sees no dependencies");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The names of all packages that one needs when it is built, itself among them.
fn needed(metadata: &Value, package: &str) -> BTreeSet<String> {
    let names: HashMap<String, String> =
        list(&metadata["packages"]).iter().map(|one| (text(&one["id"]), text(&one["name"]))).collect();
    let nodes: HashMap<String, &Value> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    let mut waiting: Vec<String> = names.keys().filter(|id| names[*id] == package).cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        for dependency in list(&nodes[&id]["deps"]) {
            // No kind: it is needed to run, neither to build nor to test.
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(text(&dependency["pkg"]));
            }
        }
    }
    seen.iter().map(|id| names[id].clone()).collect()
}
