//! `docs export`.

use crate::fixture::{Site, with_and_without_gateway};
use std::fs;

#[test]
fn the_reference_is_written_with_what_is_planned() {
    with_and_without_gateway(|site, _| {
        site.run(&["maintenance", "on", "--from", "2100-01-01", "--message", "We move."]).fine();
        let told = site.json(&["docs", "export", "out/pages", "--json"]);
        let files: Vec<&str> =
            told["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        for name in ["index.html", "limits.md", "endpoints.json", "errors/KEY_NOT_SET.html"] {
            assert!(files.contains(&name), "{name} of {files:?}");
        }
        for name in &files {
            assert!(site.path("out/pages").join(name).is_file(), "{name}");
        }
        let page = fs::read_to_string(site.path("out/pages/maintenance.html")).unwrap();
        assert!(page.contains("We move.") && page.contains("2100-01-01"), "{page}");
    });
}

#[test]
fn an_earlier_export_is_replaced_and_anything_else_is_left_alone() {
    let site = Site::new();
    let export = |more: &[&str]| site.run(&[&["docs", "export", "out"], more].concat());
    fs::create_dir(site.path("out")).unwrap();
    fs::write(site.path("out/thesis.txt"), "mine").unwrap();
    export(&[]).refused(2, "is not empty");
    assert_eq!(fs::read_dir(site.path("out")).unwrap().count(), 1);
    assert!(export(&["--force"]).fine().contains("out/index.html"));
    assert_eq!(fs::read_to_string(site.path("out/thesis.txt")).unwrap(), "mine");

    let conflict = site.path("out/errors/CONFLICT.html");
    assert!(!conflict.exists());
    site.configure("[[endpoints]]\nmethod = \"GET\"\npath = \"/items\"");
    let text = fs::read_to_string(site.path("fairgate.toml")).unwrap();
    fs::write(site.path("fairgate.toml"), format!("extra_codes = [409]\n{text}")).unwrap();
    export(&[]).fine();
    assert!(conflict.exists());
    assert!(fs::read_to_string(site.path("out/endpoints.md")).unwrap().contains("GET /items"));
    site.configure("");
    export(&[]).fine();
    assert!(!conflict.exists(), "what an earlier export wrote and this one does not is gone");
    assert_eq!(fs::read_to_string(site.path("out/thesis.txt")).unwrap(), "mine");
}

#[test]
fn a_manifest_that_leads_out_of_the_folder_is_none_of_ours() {
    let site = Site::new();
    fs::create_dir(site.path("out")).unwrap();
    fs::write(site.path("precious.txt"), "mine").unwrap();
    fs::write(site.path("out/fairgate-docs.json"), "{\"files\":[\"../precious.txt\"]}").unwrap();
    site.run(&["docs", "export", "out"]).refused(2, "contains no earlier export");
    assert_eq!(fs::read_to_string(site.path("precious.txt")).unwrap(), "mine");
}

#[test]
fn no_store_is_made_where_there_is_none() {
    let site = Site::new();
    site.run(&["docs", "export", "out"]).fine();
    assert!(!site.path("data").exists());
}

#[test]
fn the_document_is_written_where_the_pages_link_to_it() {
    let site = Site::new();
    let document = "openapi: 3.1.0\ninfo: { title: Items, version: '1' }\npaths:\n  /items:\n    get:\n      \
                    operationId: list\n      responses: { '200': { description: All. } }\n";
    fs::write(site.path("items.yaml"), document).unwrap();
    let text = fs::read_to_string(site.path("fairgate.toml")).unwrap();
    fs::write(site.path("fairgate.toml"), format!("openapi = \"items.yaml\"\n{text}")).unwrap();
    site.run(&["docs", "export", "out"]).fine();
    let index = fs::read_to_string(site.path("out/index.html")).unwrap();
    for name in ["openapi.json", "openapi.yaml"] {
        assert!(index.contains(&format!("href=\"{name}\"")), "{index}");
        assert!(fs::read_to_string(site.path("out").join(name)).unwrap().contains("/items"));
    }
}

#[test]
fn an_export_follows_no_link_out_of_its_folder() {
    use std::os::unix::fs::symlink;
    let site = Site::new();
    let export = || site.run(&["docs", "export", "out"]);
    export().fine();
    let outside = site.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("mine"), "mine").unwrap();
    // A file that is a link, the name that it is written under first, and a folder.
    for name in ["index.html", "limits.html.new"] {
        let _ = fs::remove_file(site.path("out").join(name));
        symlink(outside.join("mine"), site.path("out").join(name)).unwrap();
    }
    export().fine();
    assert_eq!(fs::read_to_string(outside.join("mine")).unwrap(), "mine");
    assert!(fs::symlink_metadata(site.path("out/index.html")).unwrap().is_file());
    fs::rename(site.path("out/errors"), outside.join("errors")).unwrap();
    let page = outside.join("errors/KEY_NOT_SET.html");
    fs::write(&page, "mine").unwrap();
    symlink(outside.join("errors"), site.path("out/errors")).unwrap();
    export().refused(1, "links are not followed");
    assert_eq!(fs::read_to_string(&page).unwrap(), "mine");
}
