//! Help, exit codes, configuration, and a store that cannot be opened.

use crate::fixture::Site;
use std::{
    fs,
    process::{Command, Stdio},
};
use store::Embedded;

const COMMANDS: [&[&str]; 15] = [
    &["demo"],
    &["serve"],
    &["keys"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["keys", "import"],
    &["maintenance"],
    &["maintenance", "on"],
    &["maintenance", "off"],
    &["maintenance", "list"],
    &["incidents", "list"],
    &["incidents", "show"],
    &["usage"],
    &["config", "check"],
];

#[test]
fn every_command_explains_itself() {
    let site = Site::new();
    for command in COMMANDS {
        let help = site.run(&[command, &["--help"]].concat()).fine();
        assert!(help.contains("Usage: fairgate"), "{command:?}: {help}");
    }
    assert!(site.run(&["--version"]).fine().starts_with("fairgate "));
}

#[test]
fn bad_usage_is_code_2() {
    let site = Site::new();
    for wrong in [&["nonsense"][..], &["keys"], &["keys", "create", "--wrong"], &["keys", "revoke"], &[]] {
        assert_eq!(site.run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn the_configuration_is_found_by_option_by_environment_or_by_its_name() {
    let site = Site::new();
    fs::rename(site.path("fairgate.toml"), site.path("other.toml")).unwrap();
    assert_eq!(site.run(&["keys", "list"]).code, 2);
    site.run(&["keys", "list", "--config", "other.toml"]).fine();
    site.run(&["-c", "other.toml", "config", "check"]).fine();
    let output = site.command(&["keys", "list"]).env("FAIRGATE_CONFIG", "other.toml").output().unwrap();
    assert!(output.status.success());
}

#[test]
fn the_file_of_a_one_line_start_is_found_where_there_is_no_other() {
    let site = Site::new();
    fs::create_dir(site.path("fairgate-data")).unwrap();
    fs::rename(site.path("fairgate.toml"), site.path("fairgate-data/fairgate.toml")).unwrap();
    site.run(&["keys", "create", "--plan", "free"]).fine();
    assert!(site.path("fairgate-data/data/fairgate.redb").exists());
    // A file of this folder's own comes first.
    site.configure("");
    assert_eq!(site.json(&["keys", "list", "--json"]), serde_json::json!([]));
    assert!(site.path("data/fairgate.redb").exists());
}

#[test]
fn a_configuration_that_cannot_be_used_is_code_2() {
    let site = Site::new();
    fs::write(site.path("fairgate.toml"), "[store\n").unwrap();
    for command in [&["keys", "list"][..], &["config", "check"], &["maintenance", "list"]] {
        let run = site.run(command);
        assert_eq!(run.code, 2);
        assert!(run.err.contains("fairgate.toml"), "{}", run.err);
    }
}

#[test]
fn the_schema_is_json() {
    let site = Site::new();
    assert!(site.json(&["config", "schema"]).is_object());
}

#[test]
fn a_store_that_is_no_folder_is_told() {
    let site = Site::new();
    fs::write(site.store(), "").unwrap();
    site.run(&["keys", "list"]).refused(1, "is a file, not a folder");
}

#[test]
fn a_store_that_somebody_holds_without_answering_is_told_after_a_while() {
    let site = Site::new();
    let held = Embedded::open(&site.store()).unwrap();
    site.run(&["keys", "list"]).refused(1, "in use by another process");
    drop(held);
    site.run(&["keys", "list"]).fine();
}

#[test]
fn a_reader_that_stops_reading_is_no_fault() {
    let site = Site::new();
    let content: String = (0..20_000).map(|number| format!("key-number-{number}\n")).collect();
    fs::write(site.path("old.txt"), content).unwrap();
    site.run(&["keys", "import", "old.txt", "--plan", "free"]).fine();
    let mut child = site.command(&["keys", "list", "--json"]).spawn().unwrap();
    let mut head = Command::new("head");
    head.args(["-c", "100"]).stdin(child.stdout.take().unwrap()).stdout(Stdio::null());
    head.status().unwrap();
    // It holds our end of the pipe.
    drop(head);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
