//! An import that is killed at any moment: no gateway starts on half of it, and the same command ends it.

use crate::support::{Config, Gateway, Upstream, eventually, gateway::Home, get, program};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

const KEYS: usize = 20_000;

#[test]
fn an_import_that_is_killed_goes_on_when_it_is_begun_again() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["10 per month"]);
    let home = Home::new(&config);
    let key = home.create_key(&["--plan", "free"]);
    let mut lines = String::new();
    (0..KEYS).for_each(|number| writeln!(lines, "old-key-{number}").unwrap());
    fs::write(home.path("keys"), lines).unwrap();
    home.run_well(&["keys", "import", "keys", "--plan", "free"]);
    let gateway = Gateway::start_in(&home);
    let old = "old-key-777";
    assert_eq!(gateway.send(&get("/bytes/10").header("X-API-Key", old)).status, 200);
    assert_eq!(gateway.send(&get("/bytes/10").key(&key)).status, 200);
    gateway.stop();
    home.run_well(&["store", "export", "all.export"]);
    let file = home.path("all.export");
    let mut cut_off = 0;
    for round in 0..6_u64 {
        let other = Home::new(&config);
        let mark = other.path("data/unfinished-import");
        for after in [round * 30, 20] {
            let mut command = Command::new(program());
            command.args(["store", "import", "--config"]).arg(other.config()).arg(&file);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            eventually("it has begun, or ended", || {
                (mark.exists() || child.try_wait().unwrap().is_some()).then_some(())
            });
            std::thread::park_timeout(Duration::from_millis(after));
            let _ = child.kill();
            child.wait().unwrap();
            if mark.exists() {
                cut_off += 1;
                let log = Gateway::try_start_in(&other).expect_err("it must not start on half of an import");
                assert!(log.contains("was not finished"), "{log}");
            }
        }
        let file = file.to_str().unwrap();
        let said = other.run(&["store", "import", file, "--json"]);
        if said.code == Some(0) {
            let value: Value = serde_json::from_str(&said.out).unwrap();
            assert_eq!(value["imported"]["keys"], KEYS as u64 + 1);
        } else {
            // The one before it had ended in time.
            assert!(said.err.contains("already"), "{said:?}");
        }
        let listed: Value = serde_json::from_str(&other.run_well(&["keys", "list", "--json"])).unwrap();
        assert_eq!(listed.as_array().or(listed["keys"].as_array()).unwrap().len(), KEYS + 1);
        let gateway = Gateway::start_in(&other);
        for _ in 0..9 {
            assert_eq!(gateway.send(&get("/bytes/10").header("X-API-Key", old)).status, 200);
            assert_eq!(gateway.send(&get("/bytes/10").key(&key)).status, 200);
        }
        assert_eq!(gateway.send(&get("/bytes/10").header("X-API-Key", old)).status, 429);
        assert_eq!(gateway.send(&get("/bytes/10").key(&key)).status, 429);
    }
    assert!(cut_off > 0, "no kill came while it worked");
}
