//! The modules below one module form no circle: of two siblings at most one names the other, by whatever way.
//! A module and those below it may name each other: they are one thing.

use crate::modules::{ModulePath, Modules};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

#[test]
fn modules_form_no_circles() {
    let mut found = String::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let roots = [folder.join("src/lib.rs"), folder.join("src/main.rs")];
        for root in roots.iter().filter(|root| root.exists()) {
            for circle in circles(&Modules::read(root)) {
                let of = folder.file_name().unwrap().to_string_lossy();
                found.push_str(&format!("{of}: {circle}\n"));
            }
        }
    }
    assert!(found.is_empty(), "modules that name each other in a circle:\n{found}");
}

#[test]
fn a_circle_is_found_through_a_re_export_and_below_folders() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("lib.rs", "mod low; mod high; pub use low::Low;");
    write("low.rs", "pub struct Low; #[cfg(test)] mod tests { use crate::high::inner::High; }");
    write("high/mod.rs", "pub mod inner;");
    write("high/inner.rs", "use crate::Low; pub struct High(Low);");
    let found = || circles(&Modules::read(&folder.path().join("lib.rs")));
    assert_eq!(found(), Vec::<String>::new(), "tests may look at everything");
    write("low.rs", "pub struct Low; fn f() { vec![crate::high::inner::made()]; }");
    assert_eq!(found(), ["high -> low -> high"]);
    write("low.rs", "pub struct Low;");
    write("high/mod.rs", "pub mod inner; pub mod other; fn f(_: inner::High) {}");
    write("high/other.rs", "use super::inner;");
    assert_eq!(found(), Vec::<String>::new());
    write("high/inner.rs", "use super::other::{self as o}; use crate::Low; pub struct High(Low);");
    assert_eq!(found(), ["high::inner -> high::other -> high::inner"]);
}

/// Circles among the children of any module, each as one way around.
fn circles(modules: &Modules) -> Vec<String> {
    let named: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
        modules.paths().map(|module| (module, modules.named_by(module))).collect();
    let mut found = Vec::new();
    for parent in modules.paths() {
        let mut names: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
        for (module, named) in named.iter().filter(|(module, _)| is_below(module, parent)) {
            let child = &module[..=parent.len()];
            for named in named.iter().filter(|named| is_below(named, parent)) {
                if named[..=parent.len()] != *child {
                    names.entry(child.to_vec()).or_default().insert(named[..=parent.len()].to_vec());
                }
            }
        }
        let mut done = BTreeSet::new();
        for child in names.keys() {
            if let Some(circle) = around(child, &names, &mut done) {
                found.push(circle);
            }
        }
    }
    found
}

fn is_below(module: &[String], parent: &[String]) -> bool {
    module.len() > parent.len() && module.starts_with(parent)
}

/// The shortest way from a module back to it, unless one that was told of leads over the same modules.
fn around(
    start: &ModulePath,
    names: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    done: &mut BTreeSet<ModulePath>,
) -> Option<String> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in names.get(way.last().unwrap()).into_iter().flatten() {
                if next == start {
                    let is_told = way.iter().all(|module| done.contains(module));
                    done.extend(way.iter().cloned());
                    let texts: Vec<String> = way.iter().chain([start]).map(|path| path.join("::")).collect();
                    return (!is_told).then(|| texts.join(" -> "));
                }
                if seen.insert(next.clone()) {
                    longer.push(way.iter().cloned().chain([next.clone()]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}
