//! Crates that compute, and leave sockets and clocks to others, have no runtime among their dependencies.

use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

const PURE: [&str; 8] =
    ["contract", "http2", "instance", "journal", "limits", "openapi", "reference", "usage"];
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

/// The names of all packages that one needs when it is built, itself among them.
fn needed(metadata: &Value, package: &str) -> BTreeSet<String> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let name_of = |id: &Value| {
        list(metadata, "packages").into_iter().find(|one| one["id"] == *id).unwrap()["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let nodes = list(&metadata["resolve"], "nodes");
    let mut waiting: Vec<Value> =
        nodes.iter().map(|node| node["id"].clone()).filter(|id| name_of(id) == package).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut names = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id.to_string()) {
            continue;
        }
        names.insert(name_of(&id));
        let node = nodes.iter().find(|node| node["id"] == id).unwrap();
        for dependency in list(node, "deps") {
            if list(&dependency, "dep_kinds").iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(dependency["pkg"].clone());
            }
        }
    }
    names
}
