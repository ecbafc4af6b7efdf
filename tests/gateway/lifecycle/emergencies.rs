//! What an operator faces at 3 a.m.: a broken file, a store that is gone, a probe without a response.

use crate::support::{
    Config, Gateway, Upstream, answer::Answer, eventually, gateway::Home, get, specification::error_of,
};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

fn admin(address: SocketAddr) -> String {
    format!("[admin]\naddress = \"{address}\"")
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The response of `/ready`. None: no response.
fn ready(admin: SocketAddr) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(admin).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    write!(stream, "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn code(answer: &Answer) -> String {
    error_of(answer)["code"].as_str().unwrap().to_owned()
}

fn status(home: &Home) -> Value {
    serde_json::from_str(&home.run(&["status", "--json"]).out).unwrap_or_default()
}

#[test]
fn the_admin_address_answers_throughout_a_hot_restart() {
    let upstream = Upstream::sample();
    let address = free();
    let home = Home::new(&Config::of(&upstream).section(&admin(address)));
    let mut old = Gateway::start_in(&home);
    assert_eq!(ready(address).unwrap().0, 200);
    let is_over = AtomicBool::new(false);
    let new = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                TcpStream::connect(address).expect("nothing listens at the admin address");
            }
        });
        let new = Gateway::try_start_with(&home, &["serve", "--take-over"]);
        is_over.store(true, Ordering::Relaxed);
        new.unwrap()
    });
    assert_eq!(old.ended().code(), Some(0), "{}", old.log());
    assert_eq!(ready(address).unwrap().0, 200);
    assert_eq!(status(&home)["process"], new.process());
    // The next one answers elsewhere, and the old address is closed.
    let other = free();
    home.configure(&Config::of(&upstream).section(&admin(other)));
    let third = Gateway::try_start_with(&home, &["serve", "--take-over"]).unwrap();
    assert_eq!((ready(other).unwrap().0, ready(address)), (200, None));
    drop((new, third));
}

#[test]
fn a_running_gateway_takes_up_another_admin_address_and_gives_it_up() {
    let upstream = Upstream::sample();
    let plain = Config::of(&upstream);
    let gateway = Gateway::start(&plain);
    let (one, other) = (free(), free());
    let configure = |config: &Config| {
        gateway.home().configure(config);
        gateway.home().run(&["config", "reload"])
    };
    let output = configure(&plain.clone().section(&admin(one)));
    assert!(output.code == Some(0) && output.out.contains("[admin]"), "{output:?}");
    assert_eq!(ready(one).unwrap().0, 200);
    assert_eq!(status(gateway.home())["admin"], one.to_string());
    configure(&plain.clone().section(&admin(other)));
    assert_eq!((ready(one), ready(other).unwrap().0), (None, 200));
    // The same port, but of every address.
    let everywhere = SocketAddr::from(([0, 0, 0, 0], other.port()));
    let output = configure(&plain.clone().section(&admin(everywhere)));
    assert!(output.code == Some(0), "{output:?}");
    assert_eq!(ready(other).unwrap().0, 200);
    // An address that cannot be bound changes nothing.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output =
        configure(&plain.clone().plan("free", &["7 per day"]).section(&admin(taken.local_addr().unwrap())));
    assert!(output.code == Some(1) && output.err.contains("[admin] address"), "{output:?}");
    assert!(status(gateway.home())["not_taken"].as_str().unwrap().contains("[admin] address"));
    assert_eq!(ready(other).unwrap().0, 200);
    let output = configure(&plain);
    assert!(output.code == Some(0) && output.out.contains("[admin]"), "{output:?}");
    assert_eq!((ready(other), status(gateway.home())["admin"].clone()), (None, Value::Null));
}

#[test]
fn half_a_request_does_not_block_readiness_probes_of_others() {
    let upstream = Upstream::sample();
    let address = free();
    let _gateway = Gateway::start(&Config::of(&upstream).section(&admin(address)));
    let half = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /ready HT").unwrap();
        stream
    };
    let silent: Vec<_> = (0..300).map(half).collect();
    let begun = Instant::now();
    assert_eq!(ready(address).unwrap().0, 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    drop(silent);
}

#[test]
fn commands_reach_a_gateway_whose_file_has_faults() {
    let upstream = Upstream::sending_and_closing("");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let home = gateway.home();
    let id = error_of(&gateway.send(&get("/items/7").key(&key)))["request_id"].as_str().unwrap().to_owned();
    let good = fs::read_to_string(home.config()).unwrap();
    for (broken, fault) in [
        (Some("[plans.free\nlimits = 3"), "fairgate.toml"),
        (Some("[api]\nnmae = \"x\"\n"), "nmae"),
        (None, "cannot read the configuration"),
    ] {
        match broken {
            Some(text) => fs::write(home.config(), text).unwrap(),
            None => fs::remove_file(home.config()).unwrap(),
        }
        let output = home.run(&["status"]);
        assert!(output.code == Some(0) && output.out.contains(fault), "{output:?}");
        assert!(status(home)["not_taken"].as_str().unwrap().contains(fault));
        for command in [
            &["keys", "list"][..],
            &["keys", "create", "--plan", "free"],
            &["maintenance", "on", "--for", "1h"],
            &["maintenance", "list"],
            &["maintenance", "off"],
            &["incidents", "list"],
            &["incidents", "show", &id],
            &["upstreams", "list"],
            &["usage"],
        ] {
            let output = home.run(command);
            assert_eq!(output.code, Some(0), "{command:?}: {output:?}");
            assert!(output.err.contains("cannot be used"), "{command:?}: {output:?}");
        }
        let other = gateway.key();
        assert_eq!(home.run(&["keys", "revoke", &other.id]).code, Some(0));
        assert_eq!(code(&gateway.send(&get("/items/7").key(&other))), "KEY_REVOKED");
        assert_eq!(home.run(&["config", "check"]).code, Some(2));
    }
    // Another store is named: the gateway running with this file is asked, and no second store is created.
    let moved = good.replace("/data\"", "/elsewhere\"");
    assert_ne!(moved, good);
    fs::write(home.config(), &moved).unwrap();
    let output = home.run(&["keys", "create", "--plan", "free"]);
    assert!(output.code == Some(0) && output.err.contains("elsewhere"), "{output:?}");
    assert!(!home.path("elsewhere").exists());
    // Without a gateway there is nothing to ask.
    fs::write(home.config(), "[api]\nnmae = 1\n").unwrap();
    let home = gateway.stop();
    let output = home.run(&["keys", "list"]);
    assert!(output.code == Some(2) && output.err.contains("nmae"), "{output:?}");
}

#[test]
fn a_store_that_is_gone_is_reported_everywhere_and_no_second_one_is_created() {
    let upstream = Upstream::sample();
    let address = free();
    let gateway = Gateway::start(&Config::of(&upstream).section(&admin(address)));
    let home = gateway.home();
    let (key, leaked) = (gateway.key(), gateway.key());
    let (store, aside) = (home.path("data"), home.path("aside"));
    let other_store = || {
        fs::create_dir(&store).unwrap();
        fs::copy(aside.join("fairgate.redb"), store.join("fairgate.redb")).unwrap();
    };
    for put_in_its_place in [None, Some(&other_store as &dyn Fn())] {
        fs::rename(&store, &aside).unwrap();
        if let Some(put) = put_in_its_place {
            put();
        }
        eventually("it is not ready", || (ready(address)?.0 == 503).then_some(()));
        assert_eq!(ready(address).unwrap().1, "{\"status\":\"store gone\"}\n");
        assert_eq!(gateway.event("the store is gone")["level"], "error");
        let output = home.run(&["status"]);
        assert!(
            output.code == Some(1) && output.out.contains("ALARM") && output.out.contains("is gone"),
            "{output:?}"
        );
        for command in [
            &["keys", "create", "--plan", "free"][..],
            &["keys", "change", &key.id, "--name", "x"],
            &["serve", "--take-over"],
        ] {
            let output = home.run(command);
            assert!(output.code == Some(1) && output.err.contains("is gone"), "{command:?}: {output:?}");
        }
        let output = home.run(&["serve"]);
        assert!(
            output.code == Some(1) && output.err.contains("in use by another gateway (process"),
            "{output:?}"
        );
        // Commands that protect the API work, with a warning.
        let output = home.run(&["keys", "revoke", &leaked.id]);
        assert!(output.code == Some(0) && output.err.contains("is gone"), "{output:?}");
        assert_eq!(code(&gateway.send(&get("/items/7").key(&leaked))), "KEY_REVOKED");
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        assert_eq!(home.run(&["maintenance", "on", "--for", "1h"]).code, Some(0));
        assert_eq!(home.run(&["maintenance", "off"]).code, Some(0));
        if put_in_its_place.is_some() {
            fs::remove_dir_all(&store).unwrap();
        }
        assert!(!store.exists(), "a second store was created");
        let output = home.run(&["store", "check"]);
        assert!(output.code == Some(1) && output.err.contains("no store"), "{output:?}");
        assert!(!store.exists(), "a second store was created");
        fs::rename(&aside, &store).unwrap();
        eventually("it is ready again", || (ready(address)?.0 == 200).then_some(()));
        assert_eq!(home.run(&["keys", "create", "--plan", "free"]).code, Some(0));
    }
    // All changes are there after a restart.
    let again = Gateway::start_in(&gateway.stop());
    assert_eq!(code(&again.send(&get("/items/7").key(&leaked))), "KEY_REVOKED");
    assert_eq!(again.used(&key), 2);
}

#[test]
fn charges_that_only_a_removed_file_takes_are_charges_that_cannot_be_saved() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).store("on_disk_full = \"reject\"\nflush_interval = \"20ms\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let (store, aside) = (gateway.home().path("data"), gateway.home().path("aside"));
    fs::rename(&store, &aside).unwrap();
    gateway.event("charges cannot be saved");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 503);
    fs::rename(&aside, &store).unwrap();
    gateway.event("charges can be saved again");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn a_store_that_others_may_write_to_is_warned_about() {
    let upstream = Upstream::sample();
    let home = Gateway::start(&Config::of(&upstream)).stop();
    let store = home.path("data");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o777)).unwrap();
    let gateway = Gateway::start_in(&home);
    let warning = gateway.event("the store is open to others")["warning"].as_str().unwrap().to_owned();
    assert!(warning.contains("777") && warning.contains("chmod 700"), "{warning}");
    let home = gateway.stop();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!Gateway::start_in(&home).has_event("the store is open to others"));
}
