//! Crates that compute, and leave sockets and clocks to others, have no runtime among their dependencies; and those on the
//! data path know nothing of what is above them.

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

/// What a crate must not know of, however far below it.
const APART: [(&str, &[&str]); 5] = [
    ("ledger", &["contract", "limits", "store", "journal", "gateway", "config"]),
    ("postgres", &["contract", "limits", "store"]),
    ("transport", &["contract", "http1", "http2"]),
    ("multiplex", &["journal", "limits", "openapi", "upstream"]),
    ("upstream", &["gateway", "journal", "limits", "openapi"]),
];

#[test]
fn crates_that_compute_have_no_runtime() {
    let metadata = metadata();
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

#[test]
fn crates_know_nothing_of_what_is_not_their_business() {
    let metadata = metadata();
    for (name, others) in APART {
        let all = needed(&metadata, &format!("fairgate-{name}"));
        for other in others {
            let other = format!("fairgate-{other}");
            assert!(!needed(&metadata, &other).is_empty(), "there is no package {other}");
            assert!(!all.contains(&other), "{name} needs {other}");
        }
    }
}

pub(crate) fn metadata() -> Value {
    let version = Command::new(std::env::var("RUSTC").unwrap_or("rustc".into())).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Packages for other platforms were not downloaded to build this test.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(crate) fn text(value: &Value) -> String {
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
