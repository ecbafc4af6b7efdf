//! Bad days of the ledger.

use crate::{
    network::in_own_network,
    relay::Relay,
    scene::{Kept, Scene, Setup},
    support::eventually,
};
use std::time::Duration;

const LOAD: Duration = Duration::from_millis(500);
const SLOW: Duration = Duration::from_millis(200);

/// Everything that is promised of a ledger that cannot be used, whatever the reason.
#[track_caller]
pub(crate) fn is_refused_until_healed(scene: &Scene, cause: &str, heal: impl FnOnce()) {
    for index in 0..3 {
        scene.until_undecided(index);
        scene.logs_event(index, "the ledger cannot be reached", cause);
    }
    let [admitted, failed, denied, undecided] = scene.load(&[0, 1, 2], LOAD);
    assert!(admitted == 0 && failed == 0 && denied == 0 && undecided > 20, "nothing is left to be spent");
    scene.status_names(1, cause);
    heal();
    (0..3).for_each(|index| scene.logs_event(index, "the ledger answers again", ""));
    scene.until_admitted(0);
    scene.is_admitted_exactly();
}

#[test]
fn a_ledger_that_was_killed_costs_503_until_it_is_back() {
    in_own_network(|network| {
        let scene = Scene::set(
            network,
            Setup { ledger: &["--appendonly", "yes", "--appendfsync", "always"], ..Setup::default() },
        );
        scene.load(&[0, 1, 2], LOAD);
        scene.ledger().kill();
        is_refused_until_healed(&scene, "cannot be reached", || scene.ledger().restart());
    });
}

#[test]
fn a_ledger_that_was_restarted_empty_grants_nothing_twice() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1, 2], LOAD);
        scene.ledger().kill();
        scene.ledger().restart();
        for index in 0..3 {
            scene.logs_event(index, "the ledger was replaced, and all totals are said again", "");
        }
        scene.until_admitted(0);
        scene.is_admitted_exactly();
    });
}

#[test]
fn an_empty_ledger_waits_for_a_node_that_is_away() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1, 2], LOAD);
        let home = scene.take_node(2).kill();
        drop(home);
        scene.ledger().kill();
        scene.ledger().restart();
        scene.logs_event(0, "the ledger was replaced, and all totals are said again", "");
        scene.until_undecided(0);
        let [admitted, .., undecided] = scene.load(&[0, 1], LOAD);
        assert!(admitted == 0 && undecided > 10, "what the absent node holds is not known");
        scene.logs_event(0, "the ledger waits for members", "");
        scene.status_names(0, "Waits for");
        scene.start_node(2);
        scene.until_admitted(0);
        scene.is_admitted_exactly();
    });
}

#[test]
fn an_empty_ledger_goes_on_without_a_node_that_was_removed() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1], LOAD);
        drop(scene.take_node(2).kill());
        scene.ledger().kill();
        scene.ledger().restart();
        scene.logs_event(0, "the ledger waits for members", "");
        scene.until_undecided(0);
        eventually("the node is counted as gone", || {
            (scene.homes[0].run(&["cluster", "remove", "c"]).code == Some(0)).then_some(())
        });
        scene.until_admitted(0);
        scene.until_admitted(1);
    });
}

#[test]
fn a_ledger_that_is_slow_costs_503_and_no_unit() {
    in_own_network(|network| {
        let relay = Relay::to("10.77.0.10:6379".to_owned());
        let url = format!("redis://{}", relay.address);
        let scene = Scene::set(
            network,
            Setup { ledger_url: Some(Box::new(move |_| url.clone())), ..Setup::default() },
        );
        scene.load(&[0, 1, 2], LOAD);
        relay.delay(SLOW);
        is_refused_until_healed(&scene, "did not answer within", || relay.delay(Duration::ZERO));
    });
}

#[test]
fn a_ledger_that_is_full_says_so() {
    in_own_network(|network| {
        let scene = Scene::set(network, Setup { kept: Kept::Redis, ..Setup::default() });
        scene.load(&[0, 1, 2], LOAD);
        scene.ledger().command(&["CONFIG", "SET", "maxmemory", "1000"]);
        let heal = || _ = scene.ledger().command(&["CONFIG", "SET", "maxmemory", "0"]);
        is_refused_until_healed(&scene, "is full", heal);
    });
}

#[test]
fn a_ledger_with_another_password_says_so() {
    in_own_network(|network| {
        let url = |url: &str| url.replace("redis://", "redis://:right@");
        let scene = Scene::set(
            network,
            Setup {
                ledger: &["--requirepass", "right"],
                ledger_url: Some(Box::new(url)),
                ..Setup::default()
            },
        );
        scene.load(&[0, 1, 2], LOAD);
        let change = |from: &str, to: &str| {
            let ledger = scene.ledger();
            ledger.command(&["-a", from, "CONFIG", "SET", "requirepass", to]);
            // Who is connected stays so, until it has to come again.
            for kind in ["normal", "pubsub"] {
                ledger.command(&["-a", to, "CLIENT", "KILL", "TYPE", kind]);
            }
        };
        change("right", "other");
        let heal = || change("other", "right");
        is_refused_until_healed(&scene, "refuses this user", heal);
    });
}

#[test]
fn a_ledger_that_is_too_old_says_so() {
    in_own_network(|network| {
        let relay = Relay::to("10.77.0.10:6379".to_owned());
        let url = format!("redis://{}", relay.address);
        let setup =
            Setup { kept: Kept::Redis, ledger_url: Some(Box::new(move |_| url.clone())), ..Setup::default() };
        let scene = Scene::set(network, setup);
        scene.load(&[0, 1, 2], LOAD);
        relay.say_otherwise(Some(("redis_version:7.", "redis_version:6.")));
        is_refused_until_healed(&scene, "too old", || relay.say_otherwise(None));
    });
}
