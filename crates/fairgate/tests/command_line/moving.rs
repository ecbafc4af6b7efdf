//! `fairgate store export` and `fairgate store import`, with a gateway and without.

use crate::fixture::{Gateway, Site, with_and_without_gateway};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

/// A site whose store is `other`, beside that of this one.
fn other(site: &Site, name: &str) -> String {
    let text = fs::read_to_string(site.path("fairgate.toml")).unwrap();
    fs::write(
        site.path(&format!("{name}.toml")),
        text.replace("path = \"data\"", &format!("path = \"{name}\"")),
    )
    .unwrap();
    format!("{name}.toml")
}

fn stored(site: &Site, config: &str) -> (Value, Value) {
    (
        site.json(&["keys", "list", "--json", "--config", config]),
        site.json(&["maintenance", "list", "--json", "--config", config]),
    )
}

fn filled(site: &Site) {
    site.key_id();
    let arguments = ["keys", "create", "--plan", "premium", "--name", "b", "--json"];
    site.json(
        &[&arguments[..], &["--permission", "a:b", "--limit", "9 per hour", "--expires", "9d"]].concat(),
    );
    let revoked = site.key_id();
    site.run(&["keys", "revoke", &revoked]).fine();
    site.run(&["maintenance", "on", "--from", "2030-01-01", "--until", "2030-01-02"]).fine();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn all_that_is_stored_is_in_the_other_store_afterwards() {
    with_and_without_gateway(|site, _| {
        filled(site);
        let said = site.run(&["store", "export", "all.export"]).fine();
        assert_eq!(
            said,
            "Exported 3 keys, 1 maintenance window, 0 incidents, usage of 0 days, 0 counters.\n"
        );
        assert_eq!(mode(&site.path("all.export")), 0o600);
        let config = other(site, "other");
        let said = site.run(&["store", "import", "all.export", "--config", &config]).fine();
        assert!(said.starts_with("Imported 3 keys, 1 maintenance window, "), "{said}");
        assert!(said.contains("The secret of the keys is in"), "{said}");
        assert_eq!(mode(&site.path("other/secret")), 0o600);
        assert_eq!(stored(site, &config), stored(site, "fairgate.toml"));
        assert!(!site.path("other/unfinished-import").exists());
        // By standard output and input, and as JSON.
        let piped = site.run(&["store", "export", "-"]);
        assert!(piped.code == 0 && piped.err.starts_with("Exported 3 keys"), "{}", piped.err);
        let config = other(site, "piped");
        let arguments = ["store", "import", "-", "--json", "--config", &config];
        let said: Value =
            serde_json::from_str(&site.run_with_input(&arguments, piped.out.as_bytes()).fine()).unwrap();
        assert_eq!((&said["imported"]["keys"], &said["imported"]["maintenance"]), (&3.into(), &1.into()));
        assert_eq!(stored(site, &config), stored(site, "fairgate.toml"));
    });
}

#[test]
fn a_store_with_keys_is_refused_and_merged_on_request_with_what_is_revoked_staying_revoked() {
    let site = Site::new();
    filled(&site);
    site.run(&["store", "export", "old.export"]).fine();
    let id = site.json(&["keys", "list", "--json"])[0]["id"].as_str().unwrap().to_owned();
    site.run(&["keys", "change", &id, "--plan", "premium"]).fine();
    site.run(&["keys", "revoke", &id]).fine();
    let more = site.key_id();
    site.run(&["store", "import", "old.export"])
        .refused(1, "there are 4 keys and 1 maintenance windows already");
    site.run(&["store", "import", "old.export", "--merge"]).fine();
    let listed = site.json(&["keys", "list", "--json"]);
    let of = |id: &str| listed.as_array().unwrap().iter().find(|key| key["id"] == id).unwrap().clone();
    assert_eq!(of(&id)["plan"], "free", "as the file says");
    assert!(of(&id)["revoked_at"].is_string(), "{}", of(&id));
    assert!(of(&more)["revoked_at"].is_null());
}

#[test]
fn a_file_that_is_damaged_or_of_another_format_changes_nothing() {
    let site = Site::new();
    filled(&site);
    site.run(&["store", "export", "whole"]).fine();
    let text = fs::read_to_string(site.path("whole")).unwrap();
    let config = other(&site, "other");
    let refused = |content: &str, said: &str| {
        fs::write(site.path("file"), content).unwrap();
        site.run(&["store", "import", "file", "--config", &config]).refused(1, said);
        assert!(!site.path("other").exists(), "{said}");
    };
    let lines = text.lines().count();
    let without_last: String = text.lines().take(lines - 1).map(|line| format!("{line}\n")).collect();
    refused(&without_last, &format!("it is truncated: it ends with line {}", lines - 1));
    refused(&text[..text.len() / 2], "it is truncated");
    refused(&text.replacen("premium", "freeium", 1), &format!("line {lines} is damaged (its checksum"));
    refused(&text.replacen("\"plan\":", "\"plan:", 1), "line 2 is damaged");
    refused(&text.replacen("export\":1", "export\":7", 1), "format 7, and this Fairgate takes format 1");
    refused("# keys\n", "it is not an export of Fairgate");
    site.run(&["store", "import", "nowhere", "--config", &config]).refused(1, "cannot read nowhere");
}

#[test]
fn without_the_secret_of_the_keys_nothing_is_imported_and_it_is_said_which_file_is_needed() {
    let site = Site::new();
    filled(&site);
    site.run(&["store", "export", "all.export"]).fine();
    fs::rename(site.path("data"), site.path("moved")).unwrap();
    let config = other(&site, "other");
    let import =
        |more: &[&str]| site.run(&[&["store", "import", "all.export", "--config", &config], more].concat());
    import(&[]).refused(1, "data/secret of the machine that exported it, and name the copy by --secret FILE");
    fs::write(site.path("wrong"), "a".repeat(64)).unwrap();
    import(&["--secret", "wrong"]).refused(1, "wrong is not the secret that its keys were made with");
    assert!(!site.path("other").exists());
    import(&["--secret", "moved/secret"]).fine();
    assert_eq!(fs::read(site.path("other/secret")).unwrap(), fs::read(site.path("moved/secret")).unwrap());
    // Keys of another secret are not lost to it.
    let config = other(&site, "third");
    site.run(&["keys", "create", "--plan", "free", "--config", &config]).fine();
    let arguments =
        ["store", "import", "all.export", "--merge", "--secret", "moved/secret", "--config", &config];
    site.run(&arguments).refused(1, "another secret than the 1 keys of the store third");
}

#[test]
fn a_full_disk_leaves_no_half_of_a_file() {
    let site = Site::new();
    let keys: String = (0..2000).map(|number| format!("old-key-{number}\n")).collect();
    fs::write(site.path("keys"), keys).unwrap();
    site.run(&["keys", "import", "keys", "--plan", "free"]).fine();
    site.run(&["store", "export", "all.export"]).fine();
    let before = fs::metadata(site.path("all.export")).unwrap();
    // With a gateway, which has the store, the command itself writes no other file.
    let gateway = Gateway::start(&site.store());
    // Blocks of 512 bytes: less than the file needs, which is to it what a full disk is.
    let limited = site.path("limited");
    let program = site.command(&[]).get_program().to_str().unwrap().to_owned();
    let script = format!("trap '' XFSZ; ulimit -f 100; exec {program} store export all.export");
    fs::write(&limited, script).unwrap();
    let mut command = std::process::Command::new("sh");
    let output = command.current_dir(site.path("")).arg(&limited).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("there is no room for all.export, and nothing was exported"), "{err}");
    gateway.stop();
    assert!(!site.path("all.export.new").exists());
    let after = fs::metadata(site.path("all.export")).unwrap();
    assert_eq!((before.ino(), before.len()), (after.ino(), after.len()), "the one before it is as it was");
}

#[test]
fn a_store_whose_gateway_runs_takes_no_import() {
    with_and_without_gateway(|site, gateway| {
        site.key_id();
        site.run(&["store", "export", "all.export"]).fine();
        let run = site.run(&["store", "import", "all.export", "--merge"]);
        if gateway.is_some() {
            run.refused(1, "nothing was imported: the gateway of this store runs");
        } else {
            run.fine();
        }
    });
}
