//! The pages as a whole: every relative link resolves, every source file that a page names exists, every decision is
//! listed.

use crate::repository;
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Folders in which nothing is ours.
const FOREIGN: [&str; 2] = ["target", "node_modules"];

#[test]
fn every_relative_link_of_every_page_resolves() {
    let pages = pages();
    assert!(pages.len() > 50, "only {} pages", pages.len());
    let (mut broken, mut count) = (Vec::new(), 0);
    for (path, text) in &pages {
        for link in links(text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let resolves = target.canonicalize().is_ok_and(|target| {
                anchor.is_empty() || pages.get(&target).is_some_and(|text| anchors(text).contains(anchor))
            });
            if !resolves {
                broken.push(format!("{}: {link}", path.display()));
            }
            count += 1;
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(count > 100, "only {count} links");
}

#[test]
fn every_source_file_that_a_page_names_exists() {
    let (root, mut missing, mut count) = (repository(), Vec::new(), 0);
    let bases = [root.clone(), root.join("crates")];
    // The changelog tells what was.
    for (page, text) in pages().iter().filter(|(page, _)| !page.ends_with("CHANGELOG.md")) {
        for name in paths(text, &bases) {
            if !bases.iter().any(|base| base.join(&name).exists()) {
                missing.push(format!("{}: {name}", page.display()));
            }
            count += 1;
        }
    }
    assert!(missing.is_empty(), "pages name files that do not exist:\n{}", missing.join("\n"));
    assert!(count > 100, "only {count} paths");
}

#[test]
fn every_decision_has_its_parts_and_is_listed() {
    let folder = repository().join("docs/decisions");
    let list = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut count = 0;
    for (page, text) in pages().iter().filter(|(page, _)| page.parent() == Some(&folder)) {
        let name = page.file_name().unwrap().to_string_lossy();
        if name != "README.md" {
            let parts: Vec<_> = lines(text).into_iter().filter_map(|line| line.strip_prefix("## ")).collect();
            assert_eq!(parts, ["Context", "Decision", "Figures", "What would change it"], "{name}");
            assert!(
                text.starts_with(&format!("# {} · ", &name[..3])),
                "{name} has another number in its title"
            );
            assert_eq!(list.matches(&format!("]({name})")).count(), 1, "{name} in the list");
            count += 1;
        }
    }
    assert!(count > 30, "only {count} decisions");
}

#[test]
fn links_anchors_and_paths_are_found_where_they_are() {
    let page = "# One `two` [three]\n[a](b.md#c) `[not](a link)` ![d](e.svg), [f](https://g)\n```sh\n[h](i)\n```\n## Is it?\n## Is it?\n";
    assert_eq!(links(page), ["b.md#c", "e.svg"]);
    let wanted = ["one-two-three", "is-it", "is-it-1"].map(str::to_owned);
    assert_eq!(anchors(page), HashSet::from(wanted));
    let bases = [repository(), repository().join("crates")];
    let page = "`crates/none/x` `tests/y` `gateway/src` `gone/src/z.rs` `docs/*.md` `application/json` `a` `bench/run N`";
    assert_eq!(paths(page, &bases), ["crates/none/x", "tests/y", "gateway/src", "gone/src/z.rs"]);
}

/// Every Markdown file of the repository.
fn pages() -> HashMap<PathBuf, String> {
    let (mut pages, mut folders) = (HashMap::new(), vec![repository()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.insert(path, text);
            }
        }
    }
    pages
}

/// The lines outside of fenced blocks.
fn lines(text: &str) -> Vec<&str> {
    let mut is_fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            lines.push(line);
        }
    }
    lines
}

/// What a line says in backticks (`true`), and what it says outside of them.
fn parts(line: &str, in_backticks: bool) -> impl Iterator<Item = &str> {
    line.split('`').enumerate().filter(move |(at, _)| (at % 2 == 1) == in_backticks).map(|(_, part)| part)
}

/// The targets of links and images that lead to files or headings.
fn links(text: &str) -> Vec<String> {
    // A link's text may have backticks, so only what looks like a link within them is left out.
    let plain = |line: &str| parts(line, false).collect::<Vec<_>>().join("`");
    let mut found = Vec::new();
    for line in lines(text) {
        let line = plain(line);
        let targets = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
        found.extend(targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")));
    }
    found
}

/// The anchors that GitHub makes of headings.
fn anchors(text: &str) -> HashSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = lines(text).into_iter().filter(|line| line.starts_with('#'));
    let slugs = headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
    });
    slugs
        .map(|slug| {
            let before = seen.entry(slug.clone()).and_modify(|count| *count += 1).or_insert(0);
            if *before == 0 { slug } else { format!("{slug}-{before}") }
        })
        .collect()
}

/// What stands in backticks and is a path: below a folder of the repository or of its crates, or of a Rust file.
fn paths(text: &str, bases: &[PathBuf]) -> Vec<String> {
    let is_path = |word: &&str| {
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let Some((first, _)) = word.split_once('/').filter(|_| is_plain) else { return false };
        let is_below = |base: &PathBuf| !matches!(first, "" | "." | "..") && base.join(first).is_dir();
        let is_rust = Path::new(word).extension().is_some_and(|end| end == "rs");
        !FOREIGN.contains(&first) && (is_rust || bases.iter().any(is_below))
    };
    lines(text).into_iter().flat_map(|line| parts(line, true)).filter(is_path).map(str::to_owned).collect()
}
