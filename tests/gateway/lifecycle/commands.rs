//! The command line, with a running gateway and without.

use crate::support::{Config, Gateway, Upstream, assert_error, gateway::Home, get, program};
use std::os::unix::fs::PermissionsExt;

#[test]
fn keys_created_while_it_is_stopped_work_when_it_runs() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let kept = home.create_key(&["--plan", "free", "--permission", "items:read", "--name", "kept"]);
    let revoked = home.create_key(&["--plan", "free"]);
    home.run_well(&["keys", "revoke", &revoked.id]);
    home.run_well(&["maintenance", "on", "--message", "Not yet.", "--for", "1h"]);
    let gateway = Gateway::start_in(&home);
    assert_error(&gateway, &gateway.send(&get("/a").key(&kept)), 503, "MAINTENANCE");
    let home = gateway.stop();
    home.run_well(&["maintenance", "off"]);
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.send(&get("/a").key(&kept)).status, 200);
    assert_error(&gateway, &gateway.send(&get("/a").key(&revoked)), 403, "KEY_REVOKED");
}

#[test]
fn keys_are_listed_without_being_revealed() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key_with(&["--plan", "free", "--permission", "items:read", "--name", "Ann"]);
    let listed = gateway.run(&["keys", "list"]);
    assert!(listed.contains(&key.id) && listed.contains("Ann") && listed.contains("free"), "{listed}");
    assert!(!listed.contains(&key.key), "the list reveals a key");
    assert_eq!(gateway.stop().run_well(&["keys", "list"]), listed, "the same list while it is stopped");
}

#[test]
fn a_key_is_shown_once_and_never_stored() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    let home = gateway.stop();
    let mut files = vec![home.path("data")];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(bytes) = std::fs::read(&path) {
            read += 1;
            let random = &key.key.as_bytes()[3..35];
            let found = bytes.windows(random.len()).any(|window| window == random);
            assert!(!found, "the key is in {}", path.display());
        }
    }
    assert!(read > 0, "no store was found");
}

#[test]
fn the_store_is_its_owners_alone() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    gateway.key();
    let mut files = vec![gateway.home().path("data")];
    while let Some(path) = files.pop() {
        let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o007, 0, "anyone may read {}: {mode:o}", path.display());
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn what_a_command_does_not_know_exits_2_and_helps() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let output = home.run(&["keys", "destroy"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    let output = home.run(&["maintenance", "on", "--message", "x", "--for", "soon"]);
    assert!(output.code.is_some_and(|code| code != 0), "{output:?}");
    let output = home.run(&["keys", "create", "--plan", "free", "--expires", "yesterday"]);
    assert!(output.code.is_some_and(|code| code != 0), "{output:?}");
}

#[test]
fn the_schema_of_the_configuration_is_json() {
    let output = std::process::Command::new(program()).args(["config", "schema"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["endpoints"].is_object(), "{schema}");
}

#[test]
fn many_commands_at_once_are_all_obeyed() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let key = gateway.key();
                assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
                gateway.run(&["keys", "revoke", &key.id]);
                assert_eq!(gateway.send(&get("/a").key(&key)).status, 403);
            });
        }
    });
}
