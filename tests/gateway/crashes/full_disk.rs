//! A full disk, on the real gateway: requests continue or stop, as configured; nothing is
//! lost either way, and the log raises an alarm.

use crate::support::{Config, Gateway, Key, Upstream, assert_error, eventually, gateway::Home, get};

/// Too little for any file: every write fails.
const NO_ROOM: Option<u64> = Some(1);

struct Place {
    _upstream: Upstream,
    gateway: Gateway,
    key: Key,
    sent: u64,
}

impl Place {
    fn new(on_disk_full: &str) -> Self {
        let upstream = Upstream::sample();
        let store = format!("flush_interval = \"50ms\"\non_disk_full = \"{on_disk_full}\"");
        let config = Config::of(&upstream).plan("free", &["1000 per day", "1000 in all"]).store(&store);
        let home = Home::new(&config);
        let key = home.create_key(&["--plan", "free"]);
        let gateway = Gateway::start_in(&home);
        let mut place = Self { _upstream: upstream, gateway, key, sent: 0 };
        for _ in 0..5 {
            place.succeed();
        }
        place
    }

    #[track_caller]
    fn succeed(&mut self) {
        let answer = self.gateway.send(&get("/items/7").key(&self.key));
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.sent += 1;
    }

    /// Fills the disk, and waits for the alarm.
    fn fill(&mut self) {
        self.gateway.set_largest_file(NO_ROOM);
        // An earlier charge may meet the full disk already, and then this request is refused.
        let status = self.gateway.send(&get("/items/7").key(&self.key)).status;
        assert!(status == 200 || status == 503, "{status}");
        self.sent += u64::from(status == 200);
        let alarm = self.gateway.event("charges cannot be saved");
        assert_eq!(alarm["level"], "error", "{alarm}");
        assert!(alarm["error"].as_str().unwrap().contains("no room"), "{alarm}");
    }

    fn empty(&self) {
        self.gateway.set_largest_file(None);
        self.gateway.event("charges can be saved again");
    }

    #[track_caller]
    fn assert_counted(&self, gateway: &Gateway) {
        for limit in gateway.limits(&self.key).all {
            assert_eq!(limit.used, self.sent, "{limit:?}");
        }
    }
}

#[test]
fn requests_go_on_and_what_they_cost_is_saved_when_there_is_room_again() {
    let mut place = Place::new("continue");
    place.fill();
    for _ in 0..20 {
        place.succeed();
    }
    place.assert_counted(&place.gateway);
    place.empty();
    place.succeed();
    let home = std::sync::Arc::clone(place.gateway.home());
    place.gateway.terminate();
    assert!(place.gateway.ended().success(), "{}", place.gateway.log());
    let gateway = Gateway::start_in(&home);
    place.assert_counted(&gateway);
}

#[test]
fn a_kill_while_the_disk_is_full_forgets_nothing() {
    for room_again in [true, false] {
        let mut place = Place::new("continue");
        place.fill();
        for _ in 0..20 {
            place.succeed();
        }
        if room_again {
            place.empty();
            place.succeed();
        }
        let home = std::sync::Arc::clone(place.gateway.home());
        let dead = std::mem::replace(&mut place.gateway, Gateway::start(&Config::of(&place._upstream)));
        dead.kill();
        let gateway = Gateway::start_in(&home);
        place.assert_counted(&gateway);
    }
}

#[test]
fn requests_stop_with_a_503_that_costs_nothing_until_there_is_room() {
    let mut place = Place::new("reject");
    place.fill();
    let refused = eventually("requests are refused", || {
        let answer = place.gateway.send(&get("/items/7").key(&place.key));
        place.sent += u64::from(answer.status == 200);
        (answer.status != 200).then_some(answer)
    });
    assert_error(&place.gateway, &refused, 503, "UNAVAILABLE");
    assert!(refused.number("Retry-After") >= 1);
    for _ in 0..10 {
        assert_eq!(place.gateway.send(&get("/items/7").key(&place.key)).status, 503);
    }
    // Free requests still work.
    place.assert_counted(&place.gateway);
    place.empty();
    eventually("requests are let in again", || {
        let status = place.gateway.send(&get("/items/7").key(&place.key)).status;
        place.sent += u64::from(status == 200);
        (status == 200).then_some(())
    });
    place.assert_counted(&place.gateway);
    let home = std::sync::Arc::clone(place.gateway.home());
    let dead = std::mem::replace(&mut place.gateway, Gateway::start(&Config::of(&place._upstream)));
    dead.kill();
    place.assert_counted(&Gateway::start_in(&home));
}

/// Addresses have no key, and their use is recorded all the same.
#[test]
fn requests_of_addresses_with_limits_stop_as_well_and_those_that_cost_nothing_go_on() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "public = true")
        .store("flush_interval = \"50ms\"\non_disk_full = \"reject\"");
    for has_limits in [true, false] {
        let limits = if has_limits { "[address]\nlimits = [\"1000 per day\"]" } else { "" };
        let gateway = Gateway::start(&config.clone().section(limits).endpoint("GET", "/keyed", ""));
        let (key, open) = (gateway.key(), get("/items/7"));
        assert_eq!(gateway.send(&open).status, 200);
        gateway.set_largest_file(NO_ROOM);
        // Something that must be written.
        eventually("keys are refused", || {
            (gateway.send(&get("/keyed").key(&key)).status == 503).then_some(())
        });
        let answer = gateway.send(&open);
        if has_limits {
            assert_error(&gateway, &answer, 503, "UNAVAILABLE");
            assert!(answer.number("Retry-After") >= 1);
        } else {
            assert_eq!(answer.status, 200, "nothing of it needs to be recorded");
        }
        gateway.set_largest_file(None);
        eventually("addresses are let in again", || (gateway.send(&open).status == 200).then_some(()));
    }
}

/// Whatever part could be written: a start without room changes nothing that counts.
#[test]
fn a_start_without_room_names_the_remedy_and_forgets_nothing() {
    for on_disk_full in ["continue", "reject"] {
        let mut place = Place::new(on_disk_full);
        place.fill();
        let home = std::sync::Arc::clone(place.gateway.home());
        let dead = std::mem::replace(&mut place.gateway, Gateway::start(&Config::of(&place._upstream)));
        dead.kill();
        // From no room at all to so much that only the journal lacks it.
        let database = std::fs::metadata(home.path("data").join("fairgate.redb")).unwrap().len();
        let journal = journal(&home).metadata().unwrap().len();
        let mut refused = 0;
        for bytes in [1, journal, database] {
            match Gateway::try_start_with_largest_file(&home, bytes) {
                Ok(gateway) => {
                    place.assert_counted(&gateway);
                    gateway.kill();
                }
                Err(output) => {
                    assert!(output.contains("full") || output.contains("no room"), "{bytes}: {output}");
                    assert!(output.contains("make room"), "{bytes}: {output}");
                    assert!(
                        output.contains(home.path("").to_str().unwrap()),
                        "the disk is not named: {output}"
                    );
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "the limit on the size of files has no effect");
        place.assert_counted(&Gateway::start_in(&home));
    }
}

fn journal(home: &Home) -> std::path::PathBuf {
    let files = std::fs::read_dir(home.path("data").join("counters")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|file| file.file_name().unwrap().to_str().unwrap().starts_with("journal-")).unwrap()
}
