//! Bad days of PostgreSQL, which keeps the records, and may keep the ledger.

use crate::{
    ledger::is_refused_until_healed,
    network::{in_own_network, run},
    relay::Relay,
    scene::{Kept, Scene, Setup},
    server::Server,
    support::{Gateway, eventually, get},
};
use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, process::Command, time::Duration};

const LOAD: Duration = Duration::from_millis(500);
const SLOW: Duration = Duration::from_millis(200);

/// No request needs the records.
#[track_caller]
fn goes_on(scene: &Scene) {
    let [admitted, failed, denied, undecided] = scene.load(&[0, 1, 2], LOAD);
    assert!(
        admitted > 20 && failed > 5 && denied == 0,
        "{admitted} admitted, {failed} failed, {undecided} not"
    );
}

/// A key that was made at one node is let in at all, and refused by all once it is revoked.
#[track_caller]
fn changes_arrive(scene: &Scene) {
    let key = eventually("keys can be made", || {
        let options = ["keys", "create", "--plan", "free", "--permission", "items:read", "--json"];
        let said = scene.homes[2].run(&options);
        let made = || serde_json::from_str::<serde_json::Value>(&said.out).unwrap();
        (said.code == Some(0)).then(made)
    });
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let key = crate::support::Key { key: text("key"), id: text("id") };
    for (status, revoke) in [(200, false), (403, true)] {
        if revoke {
            scene.homes[1].run_well(&["keys", "revoke", &key.id]);
        }
        for index in 0..3 {
            let ask = |gateway: &Gateway| gateway.send(&get("/items/8").key(&key)).status;
            eventually("the change has arrived", || (scene.with_node(index, ask) == status).then_some(()));
        }
    }
}

#[test]
fn requests_go_on_while_postgresql_is_down() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        goes_on(&scene);
        scene.records.borrow_mut().kill();
        goes_on(&scene);
        (0..3).for_each(|index| scene.logs_event(index, "the shared records are out of reach", "cannot be"));
        scene.status_names(1, "out of reach");
        let said = scene.homes[1].run(&["keys", "create", "--plan", "free"]);
        assert!(said.code == Some(1) && said.err.contains("nothing was changed"), "{said:?}");
        scene.records.borrow_mut().run();
        (0..3).for_each(|index| scene.logs_event(index, "the shared records are in reach again", ""));
        changes_arrive(&scene);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_postgresql_that_keeps_the_ledger_and_was_killed_costs_503_until_it_is_back() {
    in_own_network(|network| {
        let scene = Scene::set(network, Setup { kept: Kept::Records, ..Setup::default() });
        scene.load(&[0, 1, 2], LOAD);
        scene.records.borrow_mut().kill();
        is_refused_until_healed(&scene, "cannot be reached", || scene.records.borrow_mut().run());
    });
}

#[test]
fn requests_go_on_while_postgresql_is_slow() {
    in_own_network(|network| {
        let relay = Relay::to("10.77.0.20:5432".to_owned());
        let address = relay.address.clone();
        let url = move |url: &str| url.replace("10.77.0.20:5432", &address);
        let scene = Scene::set(network, Setup { records_url: Some(Box::new(url)), ..Setup::default() });
        relay.delay(SLOW);
        goes_on(&scene);
        changes_arrive(&scene);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_postgresql_that_keeps_the_ledger_and_is_slow_costs_503_and_no_unit() {
    in_own_network(|network| {
        let relay = Relay::to("10.77.0.20:5432".to_owned());
        let address = relay.address.clone();
        let url = move |url: &str| url.replace("10.77.0.20:5432", &address);
        let setup = Setup { kept: Kept::Records, records_url: Some(Box::new(url)), ..Setup::default() };
        let scene = Scene::set(network, setup);
        scene.load(&[0, 1, 2], LOAD);
        relay.delay(SLOW);
        is_refused_until_healed(&scene, "did not answer within", || relay.delay(Duration::ZERO));
    });
}

/// A small disk for the database alone.
fn on_a_small_disk(server: &Server) {
    let (disk, owner) = (small_disk(server), fs::metadata(server.folder()).unwrap());
    fs::create_dir(&disk).unwrap();
    let options = format!("size=24m,mode=700,uid={},gid={}", owner.uid(), owner.gid());
    run("mount", &["-t", "tmpfs", "-o", &options, "none", disk.to_str().unwrap()]);
    server.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.display()));
    server.sql("ALTER DATABASE fairgate SET TABLESPACE small");
}

fn small_disk(server: &Server) -> PathBuf {
    server.folder().join("small")
}

#[test]
fn a_full_postgresql_says_so_and_loses_nothing() {
    in_own_network(|network| {
        let setup = Setup { kept: Kept::Records, prepare: Some(on_a_small_disk), ..Setup::default() };
        let scene = Scene::set(network, setup);
        scene.load(&[0, 1, 2], LOAD);
        let filling = small_disk(&scene.records.borrow()).join("filling");
        let fill = format!("dd if=/dev/zero of={} bs=4k", filling.display());
        let filled = Command::new("sh").args(["-c", &fill]).output().unwrap();
        assert!(String::from_utf8_lossy(&filled.stderr).contains("No space left"), "{filled:?}");
        // What fits into pages that are there already goes on.
        let refused = eventually("a key cannot be written", || {
            let said = scene.homes[0].run(&["keys", "create", "--plan", "free"]);
            (said.code == Some(1)).then_some(said)
        });
        assert!(refused.err.contains("disk") && refused.err.contains("full"), "{refused:?}");
        scene.load(&[0, 1, 2], LOAD);
        fs::remove_file(&filling).unwrap();
        changes_arrive(&scene);
        scene.is_admitted_exactly();
    });
}

#[test]
fn tables_of_a_newer_version_stop_no_gateway_but_let_none_start() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1, 2], LOAD);
        let sql = |text: &str| scene.records.borrow().sql_in("fairgate", text);
        let known = sql("SELECT convert_from(value, 'UTF8') FROM fairgate.meta WHERE name = 'schema'");
        let set = |schema: &str| {
            sql(&format!("UPDATE fairgate.meta SET value = '{schema}'::bytea WHERE name = 'schema'"));
        };
        set("4711");
        let home = scene.take_node(2).stop();
        let log = Gateway::try_start_in(&home).expect_err("it must not start");
        assert!(log.contains("schema 4711") && log.contains("start a Fairgate at least as new"), "{log}");
        let [admitted, ..] = scene.load(&[0, 1], LOAD);
        assert!(admitted > 10, "who runs goes on");
        scene.status_names(0, "4711");
        set(known.trim());
        scene.start_node(2);
        changes_arrive(&scene);
        scene.is_admitted_exactly();
    });
}
