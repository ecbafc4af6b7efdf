//! A node that is cut off from a part of the cluster, or from all of it.

use crate::{
    network::in_own_network,
    scene::{Kept, Scene, Setup},
    support::{eventually, get},
};
use std::time::Duration;

const LOAD: Duration = Duration::from_millis(500);

#[test]
fn a_node_cut_off_from_the_ledger_answers_503_while_the_others_go_on() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1, 2], LOAD);
        scene.machines[0].cut_off(scene.ledger_machine);
        scene.until_undecided(0);
        let [admitted, ..] = scene.load(&[1, 2], LOAD);
        assert!(admitted > 10, "the others have their ledger");
        scene.logs_event(0, "the ledger cannot be reached", "within");
        scene.status_names(0, "within");
        let others = scene.homes[1].run(&["status"]);
        assert!(!others.out.contains("ledger cannot be reached"), "{others:?}");
        scene.machines[0].join(scene.ledger_machine);
        scene.logs_event(0, "the ledger answers again", "");
        scene.until_admitted(0);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_node_cut_off_from_postgresql_goes_on_with_what_it_knows() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        let other = scene.homes[1].create_key(&["--plan", "free", "--permission", "items:read"]);
        let status = |index: usize| {
            scene.with_node(index, |gateway| gateway.send(&get("/items/8").key(&other)).status)
        };
        for index in 0..3 {
            eventually("the key has arrived", || (status(index) == 200).then_some(()));
        }
        scene.machines[0].cut_off(scene.records_machine);
        let [admitted, failed, denied, undecided] = scene.load(&[0, 1, 2], LOAD);
        assert!(admitted > 10 && failed > 5 && denied == 0, "no request needs the records: {undecided}");
        scene.logs_event(0, "the shared records are out of reach", "no key can be made, changed or revoked");
        scene.status_names(0, "out of reach");
        let said = scene.homes[0].run(&["keys", "create", "--plan", "free"]);
        assert!(said.code == Some(1) && said.err.contains("out of reach"), "{said:?}");
        scene.homes[1].run_well(&["keys", "revoke", &other.id]);
        eventually("it is refused where the records are in reach", || (status(1) == 403).then_some(()));
        assert_eq!(status(0), 200, "what is revoked is not known here, and docs/cluster.md says so");
        scene.machines[0].join(scene.records_machine);
        scene.logs_event(0, "the shared records are in reach again", "");
        eventually("it is refused everywhere", || (status(0) == 403).then_some(()));
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_node_cut_off_from_all_and_started_anew_answers_503_until_it_is_back() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1, 2], LOAD);
        // Its copy of the records follows within a second.
        eventually("a copy was made", || {
            let said = scene.homes[0].run(&["cluster", "status", "--json"]);
            said.out.contains("\"copied_at\": \"").then_some(())
        });
        let both = [scene.ledger_machine, scene.records_machine];
        both.iter().for_each(|other| scene.machines[0].cut_off(*other));
        scene.until_undecided(0);
        scene.logs_event(0, "the ledger cannot be reached", "within");
        scene.logs_event(0, "the shared records are out of reach", "");
        drop(scene.take_node(0).kill());
        scene.start_node(0);
        scene.logs_event(0, "the ledger has not answered yet", "");
        scene.until_undecided(0);
        let [admitted, ..] = scene.load(&[1, 2], LOAD);
        assert!(admitted > 10, "the others go on");
        both.iter().for_each(|other| scene.machines[0].join(*other));
        scene.logs_event(0, "the ledger answers again", "");
        scene.logs_event(0, "the shared records are in reach again", "");
        scene.until_admitted(0);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_node_cut_off_from_a_postgresql_that_keeps_the_ledger_answers_503() {
    in_own_network(|network| {
        let scene = Scene::set(network, Setup { kept: Kept::Records, ..Setup::default() });
        scene.load(&[0, 1, 2], LOAD);
        scene.machines[0].cut_off(scene.records_machine);
        scene.until_undecided(0);
        scene.logs_event(0, "the ledger cannot be reached", "within");
        scene.logs_event(0, "the shared records are out of reach", "");
        let [admitted, ..] = scene.load(&[1, 2], LOAD);
        assert!(admitted > 10, "the others go on");
        scene.machines[0].join(scene.records_machine);
        scene.until_admitted(0);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_node_cut_off_from_the_ledger_may_go_on_with_its_share() {
    in_own_network(|network| {
        let setup = Setup {
            limits: &["60 per month"],
            amount: 60,
            cluster: "unreachable = \"go_on\"\n",
            ..Setup::default()
        };
        let scene = Scene::set(network, setup);
        // Seldom used, so it holds nothing beyond what it spends.
        scene.until_admitted(0);
        scene.machines[0].cut_off(scene.ledger_machine);
        scene.logs_event(0, "the ledger cannot be reached", "within");
        scene.until_undecided(0);
        assert_eq!(scene.succeeded(), 20, "a third of the limit");
        scene.logs_event(0, "units were granted beyond the leases", "go_on");
        scene.machines[0].join(scene.ledger_machine);
        scene.logs_event(0, "the ledger answers again", "");
        scene.is_admitted_exactly();
    });
}
