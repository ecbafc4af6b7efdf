//! The modules at the top of the gateway are layers: each names only those that ARCHITECTURE.md lists below it.

use crate::modules::{ModulePath, Modules};
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn layers_of_the_gateway_use_only_those_below_them() {
    let gateway = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("gateway/src/lib.rs");
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md")).unwrap();
    let faults = faults(&listed(&page), &Modules::read(&gateway));
    assert!(faults.is_empty(), "layers of the gateway (ARCHITECTURE.md):\n{}", faults.join("\n"));
}

#[test]
fn a_layer_that_names_one_above_it_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod high; mod low;");
    write("high.rs", "use crate::low::Low; pub struct High(Low);");
    write("low.rs", "pub struct Low;");
    let found = |page: &str| faults(&listed(page), &Modules::read(&folder.path().join("lib.rs")));
    let page = "The layers of `gateway`, each:\n\n```text\nhigh >\nlow\n```\n";
    assert_eq!(found(page), Vec::<String>::new());
    let turned = page.replace("high >\nlow", "low > high");
    assert_eq!(found(&turned), ["high uses low, which is not below it"]);
    assert_eq!(
        found(&page.replace("low\n", "")),
        ["low is not listed", "high uses low, which is not below it"]
    );
    assert_eq!(found(&page.replace("low\n", "low\ngone\n")), ["gone does not exist"]);
}

/// The layers as the page lists them, from the top down.
fn listed(page: &str) -> Vec<&str> {
    let (_, block) = page.split_once("The layers of `gateway`").unwrap().1.split_once("```text\n").unwrap();
    block.split("```").next().unwrap().split_whitespace().filter(|word| *word != ">").collect()
}

fn faults(listed: &[&str], modules: &Modules) -> Vec<String> {
    let layers: BTreeSet<&str> =
        modules.paths().filter_map(|path| path.first()).map(String::as_str).collect();
    let place = |layer: &str| listed.iter().position(|listed| *listed == layer);
    let mut faults: Vec<String> = layers
        .iter()
        .filter(|layer| place(layer).is_none())
        .map(|layer| format!("{layer} is not listed"))
        .collect();
    faults.extend(
        listed.iter().filter(|name| !layers.contains(*name)).map(|name| format!("{name} does not exist")),
    );
    for layer in &layers {
        let inside =
            modules.paths().filter(|path: &&ModulePath| path.first().is_some_and(|first| first == layer));
        let used: BTreeSet<ModulePath> = inside.flat_map(|path| modules.named_by(path)).collect();
        let used: BTreeSet<&str> = used.iter().filter_map(|path| path.first()).map(String::as_str).collect();
        for other in used.into_iter().filter(|other| other != layer && place(other) <= place(layer)) {
            faults.push(format!("{layer} uses {other}, which is not below it"));
        }
    }
    faults
}
