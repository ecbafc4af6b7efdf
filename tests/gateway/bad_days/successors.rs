//! A server whose successor lacks what it granted last.

use crate::{
    network::{TEST, in_own_network},
    scene::{Kept, Scene, Setup},
    support::{Key, eventually, get},
    valkey_server::{Program, Sentinel, Server},
};
use std::time::Duration;

const LOAD: Duration = Duration::from_millis(400);
const SECRET: [&str; 6] = ["--requirepass", "x", "--masterauth", "x", "--repl-diskless-sync-delay", "0"];

#[test]
fn a_replica_that_lacks_the_last_second_grants_nothing_twice() {
    in_own_network(|network| {
        // The primary is there before the gateways, so it is the replica that the scene does not know.
        let (primary, replica) = (network.machine("ledger", 10), network.machine("replica", 11));
        let sentinels: std::rc::Rc<std::cell::RefCell<Vec<Sentinel>>> = std::rc::Rc::default();
        let replicas: std::rc::Rc<std::cell::RefCell<Vec<Server>>> = std::rc::Rc::default();
        let (guards, followers) = (std::rc::Rc::clone(&sentinels), std::rc::Rc::clone(&replicas));
        let url = move |_: &str| {
            let address = primary.address();
            let settings = [&SECRET[..], &["--replicaof", &address, "6379"]].concat();
            let follower = Server::start_within(Program::Valkey, replica.name, &replica.address(), &settings);
            let is_linked =
                || follower.command(&["-a", "x", "INFO", "replication"]).contains("master_link_status:up");
            eventually("the replica follows", || is_linked().then_some(()));
            let all: Vec<_> =
                (0..3).map(|_| Sentinel::start_at(TEST, (&primary.address(), 6379), "x")).collect();
            let knows_all = |one: &Sentinel| {
                let state = one.command(&["SENTINEL", "MASTER", "ledger"]);
                state.contains("num-other-sentinels\n2") && state.contains("num-slaves\n1")
            };
            eventually("the Sentinels know each other", || all.iter().all(knows_all).then_some(()));
            let hosts: Vec<_> = all.iter().map(|one| format!("{TEST}:{}", one.port)).collect();
            *guards.borrow_mut() = all;
            followers.borrow_mut().push(follower);
            format!("redis+sentinel://:x@{}/ledger", hosts.join(","))
        };
        let scene = Scene::set(
            network,
            Setup { ledger: &SECRET, ledger_url: Some(Box::new(url)), ..Setup::default() },
        );
        scene.load(&[0, 1, 2], LOAD);
        // From here on nothing reaches the replica any more.
        replicas.borrow()[0].command(&["-a", "x", "CONFIG", "SET", "masterauth", "wrong"]);
        scene.ledger().command(&["-a", "x", "CLIENT", "KILL", "TYPE", "replica"]);
        let [admitted, ..] = scene.load(&[0, 1, 2], LOAD);
        assert!(admitted > 20, "there is nothing that the replica lacks");
        scene.ledger().kill();
        for index in 0..3 {
            // Some nodes may find the successor before they call the primary unreachable.
            scene.logs_event(index, "the ledger was replaced, and all totals are said again", "");
        }
        scene.until_admitted(0);
        scene.is_admitted_exactly();
        drop(sentinels);
    });
}

#[test]
fn a_standby_that_lacks_the_last_second_takes_over_from_a_postgresql_that_refuses_writes() {
    in_own_network(|network| {
        let machine = network.machine("standby", 21);
        let both = |url: &str| url.replace("10.77.0.20:5432", "10.77.0.20:5432,10.77.0.21:5432");
        let setup = Setup { kept: Kept::Records, records_url: Some(Box::new(both)), ..Setup::default() };
        let scene = Scene::set(network, setup);
        let standby = scene.records.borrow().standby_within(machine.name, &machine.address());
        scene.load(&[0, 1, 2], LOAD);
        stop_following(&standby);
        let [admitted, ..] = scene.load(&[0, 1, 2], LOAD);
        assert!(admitted > 20, "there is nothing that the standby lacks");
        scene.records.borrow().set_read_only(true);
        standby.promote();
        for index in 0..3 {
            scene.logs_event(index, "the ledger was replaced, and all totals are said again", "");
        }
        scene.until_admitted(0);
        let key = scene.homes[0].create_key(&["--plan", "free", "--permission", "items:read"]);
        let sql = format!("SELECT count(*) FROM fairgate.keys WHERE id = '{}'", key.id);
        assert_eq!(standby.sql_in("fairgate", &sql).trim(), "1", "the successor has what is new");
        scene.status_names(1, "10.77.0.21");
        scene.is_admitted_exactly();
    });
}

/// The number of a change that the standby lacks is not given to another one: a node that has applied the one would not ask
/// for the other.
#[test]
fn a_key_that_was_revoked_after_a_failover_is_refused_by_a_node_that_applied_what_is_lost() {
    in_own_network(|network| {
        let machine = network.machine("standby", 21);
        let both = |url: &str| url.replace("10.77.0.20:5432", "10.77.0.20:5432,10.77.0.21:5432");
        let scene = Scene::set(network, Setup { records_url: Some(Box::new(both)), ..Setup::default() });
        let standby = scene.records.borrow().standby_within(machine.name, &machine.address());
        let status = |index: usize, key: &Key| {
            scene.with_node(index, |gateway| gateway.send(&get("/items/8").key(key)).status)
        };
        let make = || scene.homes[0].create_key(&["--plan", "free", "--permission", "items:read"]);
        let known = make();
        (0..3).for_each(|index| {
            eventually("the key has arrived", || (status(index, &known) == 200).then_some(()));
        });
        let count = "SELECT count(*) FROM fairgate.keys";
        eventually("the standby has it", || (standby.sql_in("fairgate", count).trim() == "2").then_some(()));
        stop_following(&standby);
        let lost = make();
        eventually("it has arrived", || (status(2, &lost) == 200).then_some(()));
        for other in [scene.records_machine, machine] {
            scene.machines[2].cut_off(other);
        }
        scene.records.borrow_mut().kill();
        standby.promote();
        eventually("it is revoked at the successor", || {
            (scene.homes[0].run(&["keys", "revoke", &known.id]).code == Some(0)).then_some(())
        });
        for other in [scene.records_machine, machine] {
            scene.machines[2].join(other);
        }
        for index in 0..3 {
            eventually("the key is refused", || (status(index, &known) == 403).then_some(()));
        }
        // What the successor never had is forgotten with the next start, as docs/cluster.md says.
        drop(scene.take_node(1).stop());
        scene.start_node(1);
        assert_eq!(status(1, &lost), 403);
        scene.is_admitted_exactly();
    });
}

/// Nothing reaches the standby any more.
fn stop_following(standby: &crate::server::Server) {
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("SELECT pg_reload_conf()");
    eventually("nothing reaches the standby any more", || {
        let receivers = standby.sql("SELECT count(*) FROM pg_stat_wal_receiver");
        (receivers.trim() == "0").then_some(())
    });
}
