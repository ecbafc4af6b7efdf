//! Bad days of a node: it stands still, its clock is off, its disk is full, or it does not belong to the cluster.

use crate::{
    fake_time::FakeTime,
    network::{Network, in_own_network, run},
    scene::{Scene, Setup},
    support::{Gateway, eventually},
};
use std::{
    fs,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const LOAD: Duration = Duration::from_millis(500);

/// For how long a node stands still. `FAIRGATE_PAUSE_SECONDS=35` is the long form: longer than places among the requests in
/// flight are leased.
fn pause() -> Duration {
    let seconds = std::env::var("FAIRGATE_PAUSE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(4))
}

#[test]
fn a_node_that_stood_still_spends_nothing_that_others_were_granted() {
    in_own_network(|network| {
        let limits = &["300 per month", "500 per second", "6 at once"];
        let scene = Scene::set(network, Setup { limits, ..Setup::default() });
        scene.load(&[0, 1, 2], LOAD);
        let signal =
            |name: &str| scene.with_node(0, |gateway| run("kill", &[name, &gateway.process().to_string()]));
        signal("-STOP");
        let until = Instant::now() + pause();
        let [admitted, ..] = scene.load(&[1, 2], LOAD);
        assert!(admitted > 10, "the others go on");
        let name = || {
            let said = scene.homes[1].run(&["cluster", "status", "--json"]);
            let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            (told["members"][0]["state"] == "down").then_some(())
        };
        eventually("the others see that it is away", name);
        #[expect(clippy::disallowed_methods, reason = "how long the node is stopped is what is tested")]
        thread::sleep(until.saturating_duration_since(Instant::now()));
        signal("-CONT");
        scene.load(&[0, 1, 2], LOAD);
        scene.is_admitted_exactly();
    });
}

#[test]
fn a_node_whose_clock_is_an_hour_off_grants_the_ledgers_windows() {
    in_own_network(|network| {
        let seconds = || jiff::Timestamp::now().as_second() % 3_600;
        // The window must not end meanwhile.
        while seconds() > 3_600 - 60 {
            #[expect(clippy::disallowed_methods, reason = "the clock is the condition")]
            thread::sleep(Duration::from_secs(1));
        }
        let time = FakeTime::at(&jiff::Timestamp::now().to_string());
        time.set_by(3_601.0);
        let setup = Setup {
            limits: &["120 per hour", "300 per month"],
            amount: 120,
            environment: time.environment("1"),
            ..Setup::default()
        };
        let scene = Scene::set(network, setup);
        scene.load(&[0, 1, 2], LOAD);
        let answer = scene.send(0);
        let reset = answer.number("X-Rate-Limit-Reset");
        let left = 3_600 - u64::try_from(seconds()).unwrap();
        assert!(reset.abs_diff(left) <= 2, "{reset} s by the ledger's clock, not {left} s");
        scene.logs_event(0, "the clocks of the ledger and of this machine differ", "3600");
        scene.logs_event(0, "this node does not fit into the cluster", "set both clocks by NTP");
        scene.status_names(1, "3600");
        scene.is_admitted_exactly();
    });
}

/// A node whose disk is full, and what is so meanwhile.
fn with_a_full_disk(network: &Network, on_disk_full: &'static str, meanwhile: impl FnOnce(&Scene)) {
    let (limits, amount) = (&["600 per month"], 600);
    let setup = Setup { limits, amount, store: on_disk_full, has_small_disk: true, ..Setup::default() };
    let scene = Scene::set(network, setup);
    scene.load(&[0, 1, 2], LOAD);
    let filling = scene.homes[0].path("data/filling");
    let fill = format!("dd if=/dev/zero of={} bs=4k", filling.display());
    let filled = Command::new("sh").args(["-c", &fill]).output().unwrap();
    assert!(String::from_utf8_lossy(&filled.stderr).contains("No space left"), "{filled:?}");
    meanwhile(&scene);
    let [admitted, ..] = scene.load(&[1, 2], LOAD);
    assert!(admitted > 10, "the others go on");
    fs::remove_file(&filling).unwrap();
    scene.until_admitted(0);
    scene.is_admitted_exactly();
}

#[test]
fn a_node_whose_disk_is_full_keeps_what_it_counts_in_memory() {
    in_own_network(|network| {
        let store = "flush_interval = \"50ms\"\non_disk_full = \"continue\"";
        with_a_full_disk(network, store, |scene| {
            let [admitted, .., undecided] = scene.load(&[0], LOAD);
            let told = || format!("{admitted} and {undecided}: {}", scene.logs());
            assert!(admitted > 8 && undecided == 0, "{}", told());
        });
    });
}

#[test]
fn a_node_whose_disk_is_full_answers_503_where_that_is_wanted() {
    in_own_network(|network| {
        let store = "flush_interval = \"50ms\"\non_disk_full = \"reject\"";
        with_a_full_disk(network, store, |scene| {
            scene.until_refused(0);
            scene.logs_event(0, "charges cannot be saved", "no room");
            scene.status_names(0, "no room");
        });
    });
}

#[test]
fn a_node_that_does_not_belong_to_the_cluster_does_not_start_and_harms_nobody() {
    in_own_network(|network| {
        let scene = Scene::start(network);
        scene.load(&[0, 1], LOAD);
        let home = scene.take_node(2).stop();
        let config = fs::read_to_string(home.config()).unwrap();
        let refused = |why: &str| {
            let log = Gateway::try_start_in(&home).expect_err("it must not start");
            assert!(log.contains(why), "{log}");
        };
        // Another machine was given the name of one that runs.
        fs::write(home.config(), config.replace("node = \"c\"", "node = \"a\"")).unwrap();
        refused("another node of the cluster is called `a`");
        fs::write(home.config(), &config).unwrap();
        // A copy of another node's folder.
        let own = fs::read(home.path("data/node")).unwrap();
        fs::copy(scene.homes[0].path("data/node"), home.path("data/node")).unwrap();
        fs::write(home.config(), config.replace("node = \"c\"", "node = \"a\"")).unwrap();
        refused("runs already");
        fs::write(home.config(), &config).unwrap();
        fs::write(home.path("data/node"), own).unwrap();
        // Another secret.
        let secret = fs::read(home.path("cluster.secret")).unwrap();
        fs::write(home.path("cluster.secret"), "a".repeat(64)).unwrap();
        refused("is not the one that");
        let [admitted, ..] = scene.load(&[0, 1], LOAD);
        assert!(admitted > 10, "nobody else minds");
        fs::write(home.path("cluster.secret"), secret).unwrap();
        drop::<Arc<_>>(home);
        scene.start_node(2);
        scene.is_admitted_exactly();
    });
}
